/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The field catalog: which fields exist for each event source, in lookup order.
 *
 * The broker fills it: built-in classes here, plugins' fields from what their workers
 * declared (already checked: names and texts are valid UTF-8 without control characters,
 * within limits.h). A catalog is fixed before rules are loaded and outlives every ruleset
 * made with it. Look-ups follow Falco's order.
 */
#ifndef RULES_FIELD_H
#define RULES_FIELD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/hash.h"
#include "rules/value.h"

enum field_flag {
	FIELD_LIST = 1 << 0,
	FIELD_ARG_REQUIRED = 1 << 1,
	FIELD_ARG_ALLOWED = 1 << 2,
	FIELD_ARG_INDEX = 1 << 3,
	FIELD_ARG_KEY = 1 << 4,
	FIELD_ADD_OUTPUT = 1 << 5, /* suggested for outputs */
	FIELD_NO_RHS = 1 << 6,
	FIELD_NO_TRANSFORMER = 1 << 7,
	FIELD_TABLE_ONLY = 1 << 8, /* hidden from listings */
	FIELD_PRINT_ONLY = 1 << 9,
	FIELD_DEPRECATED = 1 << 10,
	FIELD_FILTER_ONLY = 1 << 11,
	FIELD_PADDED = 1 << 12, /* prints as %09u (evt.rawtime.ns and the like) */
};

/* Who gives the value. */
enum field_provider {
	PROVIDER_BUILTIN, /* computed by the engine from struct event_meta (evt.*), or
			     never fed */
	PROVIDER_STATIC,  /* a constant of the configuration */
	PROVIDER_PLUGIN,
	PROVIDER_EVENT_TEXT, /* evt.plugininfo: the source worker renders it; the broker
				fetches it like a plugin's field */
};

struct field {
	const char *name, *desc, *display;
	enum value_type type;
	uint32_t flags; /* enum field_flag */
	enum field_provider provider;
	uint32_t plugin;      /* PROVIDER_PLUGIN: the broker's number of the plugin */
	uint32_t field_id;    /* PROVIDER_PLUGIN: position in get_fields; BUILTIN: enum
				 evt_field */
	const char *constant; /* PROVIDER_STATIC */
};

/* A class groups fields for look-up and listings: "evt", "static", "<plugin> (plugin)" …
 */
struct field_class {
	const char *name, *short_desc, *desc;
	struct field *field;
	uint32_t n;
	bool plugin; /* arguments follow the rules of plugins' fields */
	bool hidden; /* not listed */
};

struct field_source {
	const char *name;
	uint32_t index;                   /* 0 is always "syscall" */
	const struct field_class **klass; /* in lookup order */
	uint32_t n_class;
};

struct field_catalog {
	struct arena arena;
	struct field_source *source;
	uint32_t n_source;
};

/* Makes the catalog with the source "syscall" and its built-in classes. */
bool field_catalog_init(struct field_catalog *c, struct err *err);
void field_catalog_release(struct field_catalog *c);
/* Adds a source with the generic evt class; returns the existing one when present. */
struct field_source *field_catalog_add_source(struct field_catalog *c, const char *name);
struct field_source *field_catalog_source(
    const struct field_catalog *c, const char *name);
/* Appends a class to a source. The class and its fields are copied. One class added to
 * several sources keeps one identity (name) in listings. */
bool field_source_add_class(struct field_catalog *c, struct field_source *s,
    const struct field_class *klass, struct err *err);
/* The full field name as an exact look-up over all classes; NULL when there is none. */
const struct field *field_source_find(const struct field_source *s, const char *name);

/* A field with its argument, resolved: what a column is asked for. */
struct field_ref {
	const struct field *field;
	bool arg_present;
	uint64_t arg_index;  /* all ones when unset */
	const char *arg_key; /* NULL when unset */
	const char *text;    /* "name" or "name[arg]" as Falco glues it */
};

/*
 * Resolves name and optional argument for a source: class order, longest prefix,
 * argument rules; the texts of the errors are Falco's. What ref points at lives in the
 * catalog or in the arena given.
 */
bool field_resolve(const struct field_source *s, struct arena *arena, const char *name,
    size_t name_len, const char *arg, size_t arg_len, bool has_arg,
    struct field_ref *ret_ref, struct err *err);

#endif
