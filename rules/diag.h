/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a load finds, and where.
 *
 * A context is a chain of places from the whole file down to the item. Chains are made on
 * the stack while reading and copied into the arena where they are kept: diag_keep, and
 * every diagnostic. A place inside a condition has the text of that condition with it,
 * which then is what snippets are cut from.
 */
#ifndef RULES_DIAG_H
#define RULES_DIAG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/yaml/yaml.h"
#include "rules/ast.h"

/* clang-format off */
#define DIAG_PLACES(P) \
	P(VALUE_FOR,                 "value for") \
	P(EXCEPTIONS,                "exceptions") \
	P(EXCEPTION,                 "exception") \
	P(EXCEPTION_VALUES,          "exception values") \
	P(EXCEPTION_VALUE,           "exception value") \
	P(RULES_CONTENT,             "rules content") \
	P(RULES_CONTENT_ITEM,        "rules content item") \
	P(REQUIRED_ENGINE_VERSION,   "required_engine_version") \
	P(REQUIRED_PLUGIN_VERSIONS,  "required plugin versions") \
	P(REQUIRED_PLUGIN_ENTRY,     "required plugin versions entry") \
	P(REQUIRED_PLUGIN_ALTERNATIVE, "required plugin versions alternative") \
	P(LIST,                      "list") \
	P(LIST_ITEM,                 "list item") \
	P(MACRO,                     "macro") \
	P(MACRO_CONDITION,           "macro condition") \
	P(RULE,                      "rule") \
	P(RULE_CONDITION,            "rule condition") \
	P(CONDITION_EXPRESSION,      "condition expression") \
	P(RULE_OUTPUT,               "rule output") \
	P(RULE_PRIORITY,             "rule priority") \
	P(OVERRIDE,                  "overrides")

/* D(id, is it an error, short text, the longer text of "codedesc"). Codes are "LOAD_" id;
 * warnings are reported in this order where several come from one condition. */
#define DIAG_CODES(D) \
	D(ERR_FILE_READ, true, "File read error", "File read error") \
	D(ERR_YAML_PARSE, true, "YAML parse error", "YAML parse error") \
	D(ERR_YAML_VALIDATE, true, "Error validating internal structure of YAML file", \
	    "Error validating internal structure of YAML file") \
	D(ERR_COMPILE_CONDITION, true, "Error compiling condition", "Error compiling condition") \
	D(ERR_COMPILE_OUTPUT, true, "Error compiling output", "Error compiling output") \
	D(ERR_VALIDATE, true, "Error validating rule/macro/list/exception objects", \
	    "Error validating rule/macro/list/exception objects") \
	D(ERR_EXTENSION, true, "Error in extension item", "Error in extension item") \
	D(UNKNOWN_SOURCE, false, "Unknown event source", \
	    "A rule names an event source that no loaded plugin provides. The rule is left out.") \
	D(UNSAFE_NA_CHECK, false, "Unsafe <NA> comparison in condition", \
	    "A condition compares a field with <NA>, which does not tell reliably whether it has a value: use 'exists'.") \
	D(NO_EVTTYPE, false, "Condition has no event-type restriction", \
	    "A condition holds for too many values of evt.type, which costs much time: restrict evt.type further.") \
	D(UNKNOWN_FILTER, false, "Unknown field or event-type in condition or output", \
	    "A condition or an output names a field or an event type that does not exist, and the rule has skip-if-unknown-filter: the rule is left out.") \
	D(UNUSED_MACRO, false, "Unused macro", "No macro and no rule uses this macro.") \
	D(UNUSED_LIST, false, "Unused list", "No list, macro or rule uses this list.") \
	D(UNKNOWN_ITEM, false, "Unknown rules file item", \
	    "The file has an item of unknown kind at its top level. It is left out.") \
	D(DEPRECATED_ITEM, false, "Used deprecated item", \
	    "A list, macro or rule uses something that is deprecated.") \
	D(WARNING_EXTENSION, false, "Warning in extension item", "An extension item has a warning.") \
	D(APPEND_NO_VALUES, false, "Overriding/appending with no values", \
	    "An exception is appended or overridden without values.") \
	D(EXCEPTION_NAME_NOT_UNIQUE, false, "Multiple exceptions defined with the same name", \
	    "A rule defines several exceptions of the same name.") \
	D(INVALID_MACRO_NAME, false, "Invalid macro name", \
	    "A macro has a name that conditions cannot refer to.") \
	D(INVALID_LIST_NAME, false, "Invalid list name", \
	    "A list has a name that conditions cannot refer to.") \
	D(COMPILE_CONDITION, false, "Warning in rule condition", \
	    "A condition is valid but probably does not mean what it says.") \
	D(UNKNOWN_KEY, false, "Unknown key in item definition", \
	    "An item has a key that means nothing there: a typing error, or a property of another kind of item. It is left out.")
/* clang-format on */

enum diag_place {
#define DIAG_PLACE_ENUM(id, text) PLACE_##id,
	DIAG_PLACES(DIAG_PLACE_ENUM)
#undef DIAG_PLACE_ENUM
};

enum diag_code {
#define DIAG_CODE_ENUM(id, error, text, longer) DIAG_##id,
	DIAG_CODES(DIAG_CODE_ENUM)
#undef DIAG_CODE_ENUM
	DIAG_N,
};

struct diag_context {
	enum diag_place place;
	const char *item; /* name of the item; "" when it has none */
	const char *name; /* of the file, or the beginning of the condition in quotes */
	struct yaml_mark at;
	struct ast_str condition; /* what snippets are cut from; s NULL: the file */
	const struct diag_context *parent; /* NULL: the whole file */
};

/* The whole file. name must outlive the context, as every text given below. */
struct diag_context diag_file(const char *name);
struct diag_context diag_at(struct yaml_mark at, enum diag_place place, const char *item,
    const struct diag_context *parent);
/*
 * A place inside a condition. Falco adds the parser's position (line and column from 1)
 * to the mark of the parent, and so do we. The name is made in the arena.
 */
struct diag_context diag_expression(struct arena *arena, const struct ast_pos *pos,
    struct ast_str condition, const struct diag_context *parent);
/* A copy of the chain. When the arena is full: NULL. */
const struct diag_context *diag_keep(
    struct arena *arena, const struct diag_context *context);

struct diag {
	enum diag_code code;
	const char *text;
	const struct diag_context *context;
	const char *deprecated_field; /* or NULL */
	struct diag *next;
};

struct diag_list {
	struct diag *first, *last;
	uint32_t n;
};

/* Adds a copy. False only when the arena is full. */
bool diag_add(struct arena *arena, struct diag_list *list, enum diag_code code,
    const char *text, const struct diag_context *context);

const char *diag_place_text(enum diag_place place);
const char *diag_code_text(enum diag_code code); /* "LOAD_…" */
const char *diag_code_short(enum diag_code code);
const char *diag_code_long(enum diag_code code);
bool diag_code_is_error(enum diag_code code);

/* The line that holds a place and a mark under it; content is the file's (NULL: not
 * there). */
void diag_snippet(
    const struct diag_context *context, const char *content, size_t len, struct buf *out);
/* "In rules content: (file:0:0)\n    rule 'x': …". */
void diag_locations_text(const struct diag_context *context, struct buf *out);

#endif
