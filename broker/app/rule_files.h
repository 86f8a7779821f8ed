/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rules files on their way to the loader. All are read before the first is loaded: one
 * that is missing stops it there. Their YAML may be taken apart on a thread of its own
 * while plugins start, which takes about as long.
 */
#ifndef BROKER_APP_RULE_FILES_H
#define BROKER_APP_RULE_FILES_H

#include <pthread.h>

#include "base/buf.h"
#include "base/err.h"
#include "rules/engine.h"

struct rule_files {
	const char *const *path;
	struct buf *text;
	struct rules_text **yaml; /* NULL where nobody did it yet */
	uint32_t n;
	bool is_running;
	pthread_t thread;
};

bool rule_files_read(
    struct rule_files *f, const char *const *path, uint32_t n, struct err *err);
/* Without a thread the loader does it. */
void rule_files_begin(struct rule_files *f);
void rule_files_await(struct rule_files *f);
bool rule_files_load(struct rule_files *f, uint32_t i, struct loader *l,
    const struct load_result **ret_result, struct err *err);
void rule_files_release(struct rule_files *f);

#endif
