/* SPDX-License-Identifier: Apache-2.0 */
/*
 * In the worker for plugins that were built with the address sanitizer, which minds their
 * memory itself, and tells of comparisons by the callbacks of coverage.c.
 */
#include <sanitizer/asan_interface.h>
#include <stdint.h>

#include "worker/fuzz/hooks.h"

bool
hooks_init(struct err *err)
{
	return true;
}

void
hooks_begin(uint64_t memory_bytes)
{
}

bool
hooks_looks_freed(const void *p, size_t n)
{
	return n > 0 && __asan_region_is_poisoned((void *)(uintptr_t)p, n) != NULL;
}
