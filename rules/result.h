/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The result of loading one file, and how it is shown.
 *
 * Falco stops at the first error, and so does the result in its shape: one error, the
 * warnings until then. What else is wrong is in "more". Everything is in the loader's
 * arena.
 */
#ifndef RULES_RESULT_H
#define RULES_RESULT_H

#include "rules/diag.h"
#include "rules/engine.h"

/* The contents that snippets are cut from: every file loaded so far, newest first. */
struct rules_file {
	const char *name, *content;
	size_t len;
	const struct rules_file *next;
};

struct load_result {
	struct arena *arena;
	const char *name;
	const struct rules_file *files;
	bool failed;  /* the first error is there */
	bool is_full; /* the arena is: nothing here can be trusted */
	struct diag_list errors, warnings, more;
	const char **schema; /* one per failure; one "ok" when there is none */
	uint32_t n_schema;   /* 0: no document was there */
};

/*
 * Adds an error or a warning. After the first error further errors go to "more" and
 * warnings nowhere. Returns false for errors and when memory is gone, true for warnings.
 */
bool load_report(struct load_result *r, enum diag_code code,
    const struct diag_context *context, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
/* A LOAD_DEPRECATED_ITEM warning that names the field. */
bool load_report_deprecated(struct load_result *r, const char *field,
    const struct diag_context *context, const char *text);

/* The line that holds a place, and a mark under it. */
void load_result_snippet(
    const struct load_result *r, const struct diag_context *context, struct buf *out);
/* "file:line:column", from 1. */
void diag_place_in_file(const struct diag_context *context, struct buf *out);

#endif
