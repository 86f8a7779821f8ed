/* SPDX-License-Identifier: Apache-2.0 */
/* Fields of built-in tables: those that Falco has, and those that plugins add. */
#include "broker/tables/builtin_internal.h"

#include <stdlib.h>
#include <string.h>

enum {
	/* What comes along with an entry is not to fill the frame. */
	ALONG_BYTES = 32 << 10,
};

static bool
add_static(struct builtin_class *k, const char *name, uint32_t type, bool read_only,
    uint32_t sub)
{
	char *copy = strdup(name);

	if (!copy)
		return false;
	k->field[k->n++] = (struct builtin_field){
	    .name = copy, .type = type, .read_only = read_only, .sub = sub};
	return true;
}

bool
builtin_classes_make(struct builtin_tables *b)
{
	struct builtin_class *k = NULL;
	bool ok = true;

#define TABLE(id, key)                                                                   \
	k = &b->klass[KIND_##id];                                                        \
	k->key_type = PLUGIN_STATE_##key;
#define FIELD(name, type, read_only)                                                     \
	ok = ok && add_static(k, name, PLUGIN_STATE_##type, read_only, 0);
#define SUB(name, id) ok = ok && add_static(k, name, PLUGIN_STATE_TABLE, true, KIND_##id);
#include "broker/tables/builtin_table_fields.h"
#undef TABLE
#undef FIELD
#undef SUB
	return ok;
}

void
builtin_classes_free(struct builtin_tables *b)
{
	for (uint32_t i = 0; i < KIND_N; i++) {
		for (uint32_t f = 0; f < b->klass[i].n; f++)
			free(b->klass[i].field[f].name);
	}
}

/* The number of a field is a kind and a place. */

static uint32_t
field_number(enum builtin_kind kind, uint32_t i)
{
	return (uint32_t)kind * (LIMIT_TABLE_FIELDS + 1) + i + 1;
}

struct builtin_field *
builtin_find_field(struct builtin_tables *b, const struct builtin_table *t,
    uint32_t number, uint32_t *ret_i)
{
	uint32_t place = number % (LIMIT_TABLE_FIELDS + 1);
	struct builtin_class *k = &b->klass[t->kind];

	if (number / (LIMIT_TABLE_FIELDS + 1) != (uint32_t)t->kind || place == 0 ||
	    place > k->n)
		return NULL;
	*ret_i = place - 1;
	return &k->field[place - 1];
}

void
builtin_serve_fields(
    const struct builtin_class *k, const struct table_view *v, struct table_frame *answer)
{
	table_frame_answer(answer, &v->head, PLUGIN_SUCCESS);
	for (uint32_t i = 0; i < k->n; i++)
		table_frame_str(answer,
		    k->field[i].type |
			(k->field[i].read_only ? (uint32_t)TABLE_READ_ONLY : 0),
		    k->field[i].name);
}

void
builtin_serve_field(struct builtin_tables *b, const struct builtin_table *t,
    uint32_t user, const struct table_view *v, struct table_frame *answer)
{
	const char *name = table_view_str(v, 0);
	uint32_t type = (uint32_t)v->head.number, i = 0;
	struct builtin_class *k = &b->klass[t->kind];
	bool add = v->head.op == TABLE_ADD_FIELD;

	while (i < k->n && strcmp(k->field[i].name, name) != 0)
		i++;
	if (i == k->n) {
		char *copy;
		if (!add) {
			builtin_refuse(
			    v, answer, "unknown field '%.200s' in table", name);
			return;
		}
		if (type == PLUGIN_STATE_TABLE) {
			builtin_refuse(v, answer,
			    "can't add dynamic field of type table: %.200s", name);
			return;
		}
		if (!state_type_is_valid(type) || !*name || k->n == LIMIT_TABLE_FIELDS ||
		    !(copy = strdup(name))) {
			builtin_refuse(
			    v, answer, "can't add dynamic field: %.200s", name);
			return;
		}
		k->field[k->n++] =
		    (struct builtin_field){.name = copy, .type = type, .dynamic = true};
	} else if (k->field[i].type != type) {
		builtin_refuse(v, answer,
		    "multiple definitions of dynamic field with different types in "
		    "struct: %.200s, prevtype=%s, newtype=%s",
		    name, state_type_name(k->field[i].type), state_type_name(type));
		return;
	}
	k->field[i].users[user / 64] |= 1ull << user % 64;
	table_frame_answer(answer, &v->head, PLUGIN_SUCCESS);
	answer->head.field = field_number(t->kind, i);
}

void
builtin_put_along(const struct builtin_tables *b, const struct builtin_entry *e,
    uint32_t user, struct table_frame *f)
{
	const struct builtin_class *k = &b->klass[e->kind];

	for (uint32_t i = 0; i < k->n && f->head.n_bytes < ALONG_BYTES; i++) {
		const struct builtin_field *p = &k->field[i];
		const union builtin_value v =
		    i < e->n_value ? e->value[i] : (union builtin_value){0};
		if (p->type == PLUGIN_STATE_TABLE ||
		    !(p->users[user / 64] >> user % 64 & 1))
			continue;
		if (p->type != PLUGIN_STATE_STRING)
			table_frame_num(f, field_number(e->kind, i), p->type, v.num);
		else if (!v.str || strlen(v.str) < ALONG_BYTES)
			table_frame_str(f, field_number(e->kind, i), v.str ? v.str : "");
	}
}
