/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/field.h"

#include <string.h>

#include "base/limits.h"
#include "rules/builtin.h"

enum class_scope {
	ALL,
	SYSCALL
};

struct builtin_field {
	const char *name;
	enum value_type type;
	uint32_t flags;
};

static const struct builtin_field builtin_fields[] = {
#define CLASS(name, short_desc, scope)
#define FIELD(name, type, flags) {name, type, flags},
#include "rules/builtin_fields.h"
#undef CLASS
#undef FIELD
};

enum {
	N_BUILTIN_FIELDS = sizeof(builtin_fields) / sizeof(*builtin_fields)
};

static const char *const evt_names[EVT_FIELD_N] = {
#define EVT_NAME(id, name) [EVT_FIELD_##id] = name,
    EVT_FIELDS(EVT_NAME)
#undef EVT_NAME
};

static enum evt_field
evt_field_of(const char *name)
{
	for (int i = 0; i < EVT_FIELD_N; i++) {
		if (evt_names[i] && strcmp(evt_names[i], name) == 0)
			return (enum evt_field)i;
	}
	return EVT_FIELD_NONE;
}

struct class_row {
	const char *name, *short_desc;
	enum class_scope scope;
	uint32_t n;
};

/* Rows of classes with the number of their fields. */
static uint32_t
class_rows(struct class_row *row, uint32_t cap)
{
	uint32_t n = 0;
	static const struct {
		const char *name, *short_desc;
		int scope; /* -1: a field */
	} items[] = {
#define CLASS(name, short_desc, scope) {name, short_desc, scope},
#define FIELD(name, type, flags)       {NULL, NULL, -1},
#include "rules/builtin_fields.h"
#undef CLASS
#undef FIELD
	};

	for (size_t i = 0; i < sizeof(items) / sizeof(*items); i++) {
		if (items[i].scope < 0)
			row[n - 1].n++;
		else if (n < cap)
			row[n++] = (struct class_row){items[i].name, items[i].short_desc,
			    (enum class_scope)items[i].scope, 0};
	}
	return n;
}

static bool
add_builtins(
    struct field_catalog *c, struct field_source *s, bool syscall, struct err *err)
{
	struct class_row row[16];
	struct field field[N_BUILTIN_FIELDS];
	uint32_t n = class_rows(row, 16), at = 0;

	for (uint32_t i = 0; i < n; at += row[i++].n) {
		if (row[i].scope == SYSCALL && !syscall)
			continue;
		for (uint32_t k = 0; k < row[i].n; k++) {
			const struct builtin_field *b = &builtin_fields[at + k];
			enum evt_field id = evt_field_of(b->name);
			field[k] = (struct field){
			    .name = b->name,
			    .desc = builtin_description(b->name),
			    .type = b->type,
			    .flags = b->flags,
			    .provider = id == EVT_FIELD_PLUGININFO ? PROVIDER_EVENT_TEXT
								   : PROVIDER_BUILTIN,
			    .field_id = id,
			};
		}
		const struct field_class klass = {
		    .name = row[i].name,
		    .short_desc = row[i].short_desc,
		    .desc = builtin_description(
			row[i].scope == ALL ? "class evt" : row[i].name),
		    .field = field,
		    .n = row[i].n,
		};
		if (!field_source_add_class(c, s, &klass, err))
			return false;
	}
	return true;
}

bool
field_catalog_init(struct field_catalog *c, struct err *err)
{
	*c = (struct field_catalog){0};
	arena_init(&c->arena, LIMIT_RULES_MEMORY);
	if (!field_catalog_add_source(c, "syscall")) {
		field_catalog_release(c);
		return err_nomem(err);
	}
	return true;
}

void
field_catalog_release(struct field_catalog *c)
{
	arena_release(&c->arena);
	*c = (struct field_catalog){0};
}

struct field_source *
field_catalog_source(const struct field_catalog *c, const char *name)
{
	for (uint32_t i = 0; i < c->n_source; i++) {
		if (strcmp(c->source[i].name, name) == 0)
			return &c->source[i];
	}
	return NULL;
}

struct field_source *
field_catalog_add_source(struct field_catalog *c, const char *name)
{
	struct field_source *s = field_catalog_source(c, name);
	struct err err;

	if (s)
		return s;
	/* Sources are handed out by pointer: the array has its final size from the start.
	 */
	if (!c->source &&
	    !(c->source = arena_array(&c->arena, LIMIT_PLUGINS + 1, sizeof(*c->source))))
		return NULL;
	if (c->n_source > LIMIT_PLUGINS)
		return NULL;
	s = &c->source[c->n_source];
	s->index = c->n_source;
	s->name = arena_strdup(&c->arena, name);
	if (!s->name || !add_builtins(c, s, s->index == 0, &err))
		return NULL;
	c->n_source++;
	return s;
}

static const char *
copy(struct field_catalog *c, const char *s)
{
	return arena_strdup(&c->arena, s ? s : "");
}

bool
field_source_add_class(struct field_catalog *c, struct field_source *s,
    const struct field_class *klass, struct err *err)
{
	struct field_class *k = arena_alloc(&c->arena, sizeof(*k));
	const struct field_class **list =
	    arena_array(&c->arena, s->n_class + 1, sizeof(*list));

	if (!k || !list)
		return err_nomem(err);
	*k = *klass;
	k->name = copy(c, klass->name);
	k->short_desc = copy(c, klass->short_desc);
	k->desc = copy(c, klass->desc);
	k->field = arena_array(&c->arena, klass->n, sizeof(*k->field));
	if (!k->name || !k->short_desc || !k->desc || !k->field)
		return err_nomem(err);
	for (uint32_t i = 0; i < klass->n; i++) {
		k->field[i] = klass->field[i];
		k->field[i].name = copy(c, klass->field[i].name);
		k->field[i].desc = copy(c, klass->field[i].desc);
		k->field[i].display = copy(c, klass->field[i].display);
		k->field[i].constant =
		    klass->field[i].constant ? copy(c, klass->field[i].constant) : NULL;
		if (!k->field[i].name || !k->field[i].desc)
			return err_nomem(err);
	}
	if (s->n_class)
		memcpy(list, s->klass, s->n_class * sizeof(*list));
	list[s->n_class] = k;
	s->klass = list;
	s->n_class++;
	return true;
}

const struct field *
field_source_find(const struct field_source *s, const char *name)
{
	for (uint32_t i = 0; i < s->n_class; i++) {
		for (uint32_t k = 0; k < s->klass[i]->n; k++) {
			if (strcmp(s->klass[i]->field[k].name, name) == 0)
				return &s->klass[i]->field[k];
		}
	}
	return NULL;
}

static bool
nonexistent(const char *text, struct err *err)
{
	return err_set(
	    err, ERR_SYNTAX, "filter_check called with nonexistent field %s", text);
}

/* Decimal digits, no leading zero unless "0", in 64 bits. */
static bool
parse_index(
    const char *text, const char *field, const char *arg, uint64_t *ret, struct err *err)
{
	uint64_t v = 0;

	if (arg[0] == '0' && arg[1])
		return err_set(err, ERR_SYNTAX,
		    "filter %s %s has an invalid index argument starting with 0: %s",
		    text, field, arg);
	for (const char *p = arg; *p || p == arg; p++) {
		if (*p < '0' || *p > '9')
			return err_set(err, ERR_SYNTAX,
			    "filter %s %s has an invalid index argument not composed "
			    "only by digits: %s",
			    text, field, arg);
		if (__builtin_mul_overflow(v, 10, &v) ||
		    __builtin_add_overflow(v, (uint64_t)(*p - '0'), &v))
			return err_set(err, ERR_SYNTAX,
			    "filter %s %s has an invalid index argument not "
			    "representable on 64 bit: %s",
			    text, field, arg);
	}
	*ret = v;
	return true;
}

/* What follows a plugin field's name: nothing or [arg]. */
static bool
plugin_argument(struct field_ref *ref, struct arena *arena, const char *full,
    size_t name_len, struct err *err)
{
	const struct field *f = ref->field;
	struct err ignored;

	/* Everything from the first space on is cut: Falco's own reading. */
	size_t len = strcspn(full, " ");
	char *text = arena_strndup(arena, full, len);
	if (!text)
		return err_nomem(err);
	const char *rest = text + name_len;
	if (*rest != '[') {
		if (*rest || len != strlen(full))
			return nonexistent(full, err);
		if (f->flags & FIELD_ARG_REQUIRED)
			return err_set(err, ERR_SYNTAX,
			    "filter '%s': %s requires an argument but none provided",
			    text, f->name);
		return true;
	}
	if (!rest[1])
		return err_set(err, ERR_SYNTAX,
		    "filter '%s': %s terminates with incomplete argument brackets", text,
		    f->name);
	const char *end = strchr(rest, ']');
	if (!end)
		return err_set(err, ERR_SYNTAX,
		    "filter '%s': %s has unbalanced argument brackets", text, f->name);
	const char *arg = arena_strndup(arena, rest + 1, (size_t)(end - rest - 1));
	if (!arg)
		return err_nomem(err);
	if (!(f->flags & (FIELD_ARG_ALLOWED | FIELD_ARG_KEY | FIELD_ARG_INDEX)))
		return err_set(err, ERR_SYNTAX,
		    "filter '%s': %s does not allow nor require an argument but one is "
		    "provided: %s",
		    text, f->name, arg);
	if (f->flags & FIELD_ARG_INDEX) {
		struct err *e = f->flags & FIELD_ARG_KEY ? &ignored : err;
		if (!parse_index(text, f->name, arg, &ref->arg_index, e) && e == err)
			return false;
	}
	if (f->flags & FIELD_ARG_KEY)
		ref->arg_key = arg;
	ref->arg_present = true;
	if (end[1] || len != strlen(full))
		return nonexistent(full, err);
	return true;
}

/* Built-in fields take [arg], and some ".arg" (evt.arg.path). */
static bool
builtin_argument(
    struct field_ref *ref, const char *full, size_t name_len, struct err *err)
{
	const struct field *f = ref->field;
	const char *rest = full + name_len;
	size_t n = strlen(rest);

	if (n == 0) {
		if (f->flags & FIELD_ARG_REQUIRED)
			return err_set(err, ERR_SYNTAX,
			    "filter '%s': %s requires an argument but none provided",
			    full, f->name);
		return true;
	}
	if (!(f->flags & FIELD_ARG_ALLOWED))
		return nonexistent(full, err);
	if (!(rest[0] == '[' && rest[n - 1] == ']' && n > 2) &&
	    !(rest[0] == '.' && n > 1))
		return nonexistent(full, err);
	ref->arg_present = true;
	ref->arg_key = rest + 1;
	return true;
}

bool
field_resolve(const struct field_source *s, struct arena *arena, const char *name,
    size_t name_len, const char *arg, size_t arg_len, bool has_arg,
    struct field_ref *ret_ref, struct err *err)
{
	char *full = arena_alloc(arena, name_len + arg_len + 3);
	struct field_ref ref = {.arg_index = UINT64_MAX};

	if (!full)
		return err_nomem(err);
	memcpy(full, name, name_len);
	if (has_arg) {
		full[name_len] = '[';
		memcpy(full + name_len + 1, arg, arg_len);
		full[name_len + 1 + arg_len] = ']';
	}
	ref.text = full;
	for (uint32_t i = 0; i < s->n_class; i++) {
		const struct field_class *k = s->klass[i];
		size_t best = 0;
		for (uint32_t f = 0; f < k->n; f++) {
			const char *field = k->field[f].name;
			size_t n = 0;
			while (field[n] && field[n] == full[n])
				n++;
			if (!field[n] && n > best) {
				best = n;
				ref.field = &k->field[f];
			}
		}
		if (best == 0)
			continue;
		if (!(k->plugin ? plugin_argument(&ref, arena, full, best, err)
				: builtin_argument(&ref, full, best, err)))
			return false;
		*ret_ref = ref;
		return true;
	}
	return nonexistent(full, err);
}
