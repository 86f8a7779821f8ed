/* SPDX-License-Identifier: Apache-2.0 */
/* --list: the fields of a catalog for people and programs. */
#ifndef RULES_LISTING_H
#define RULES_LISTING_H

#include "base/buf.h"
#include "base/err.h"
#include "rules/field.h"

enum listing_format {
	LISTING_TEXT,
	LISTING_MARKDOWN,
	LISTING_JSON
};

/* "text", "markdown", "json", in any case. */
bool listing_format_parse(const char *word, enum listing_format *ret_format);

struct listing_options {
	const char *source; /* NULL: of all */
	enum listing_format format;
	bool names_only; /* -N */
	bool types;      /* -v: in text */
};

/* Hidden, deprecated and print-only fields are left out. */
bool listing_print(const struct field_catalog *catalog,
    const struct listing_options *options, struct buf *out, struct err *err);

#endif
