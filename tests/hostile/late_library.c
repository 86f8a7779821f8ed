/* SPDX-License-Identifier: Apache-2.0 */
/* Loads libraries that nobody listed. */
#include "tests/hostile/hostile.h"

#include <dlfcn.h>

static void
load(const char *name, const char *path)
{
	told(name, dlopen(path, RTLD_NOW) ? "got" : "denied", 0);
}

static void
attack(void)
{
	load("unlisted", "libresolv.so.2");
	load("by_path", "/usr/lib/x86_64-linux-gnu/libnss_files.so.2");
	load("absent", "/tmp/evil.so");
}
