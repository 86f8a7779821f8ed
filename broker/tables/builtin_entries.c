/* SPDX-License-Identifier: Apache-2.0 */
/* Entries of built-in tables, where they lie, and what they weigh. */
#include "broker/tables/builtin_internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

static bool
take_bytes(struct builtin_tables *b, size_t n)
{
	if (b->bytes + n > LIMIT_TABLE_BYTES)
		return false;
	b->bytes += n;
	return true;
}

static void
string_free(struct builtin_tables *b, char *s)
{
	if (s)
		b->bytes -= strlen(s) + 1;
	free(s);
}

void
builtin_entry_drop(struct builtin_tables *b, struct builtin_entry *e)
{
	if (--e->refs > 0)
		return;
	for (uint32_t i = 0; i < e->n_value; i++) {
		uint32_t type = b->klass[e->kind].field[i].type;
		if (type == PLUGIN_STATE_STRING)
			string_free(b, e->value[i].str);
		else if (type == PLUGIN_STATE_TABLE && e->value[i].sub)
			builtin_table_drop(b, e->value[i].sub);
	}
	b->bytes -= sizeof(*e) + e->n_value * sizeof(*e->value);
	b->n_entry--;
	free(e->value);
	free(e);
}

void
builtin_table_clear(struct builtin_tables *b, struct builtin_table *t)
{
	for (uint32_t i = 0; i < t->n_bucket; i++) {
		struct builtin_entry *e;
		while ((e = t->bucket[i])) {
			t->bucket[i] = e->next;
			builtin_entry_drop(b, e);
		}
	}
	t->n = 0;
}

/* Sub-tables lie in entries of tables: the depth is that of the kinds, two. */
void
builtin_table_drop(struct builtin_tables *b, struct builtin_table *t)
{
	if (--t->refs > 0)
		return;
	builtin_table_clear(b, t);
	free(t->bucket);
	free(t);
}

struct builtin_table *
builtin_table_new(enum builtin_kind kind)
{
	struct builtin_table *t = calloc(1, sizeof(*t));

	if (t)
		*t = (struct builtin_table){.kind = kind, .refs = 1};
	return t;
}

struct builtin_entry *
builtin_entry_new(struct builtin_tables *b, enum builtin_kind kind)
{
	struct builtin_entry *e;

	if (b->n_entry == LIMIT_TABLE_ENTRIES || !take_bytes(b, sizeof(*e)))
		return NULL;
	e = calloc(1, sizeof(*e));
	if (!e) {
		b->bytes -= sizeof(*e);
		return NULL;
	}
	e->kind = kind;
	e->refs = 1;
	b->n_entry++;
	return e;
}

union builtin_value *
builtin_entry_value(struct builtin_tables *b, struct builtin_entry *e, uint32_t i)
{
	uint32_t n = b->klass[e->kind].n;

	if (i >= e->n_value) {
		if (!take_bytes(b, (n - e->n_value) * sizeof(*e->value)))
			return NULL;
		union builtin_value *v = reallocarray(e->value, n, sizeof(*v));
		if (!v) {
			b->bytes -= (n - e->n_value) * sizeof(*e->value);
			return NULL;
		}
		memset(v + e->n_value, 0, (n - e->n_value) * sizeof(*v));
		e->value = v;
		e->n_value = n;
	}
	return &e->value[i];
}

bool
builtin_value_set_str(struct builtin_tables *b, union builtin_value *v, const char *s)
{
	char *copy = take_bytes(b, strlen(s) + 1) ? strdup(s) : NULL;

	if (!copy)
		return false;
	string_free(b, v->str);
	v->str = copy;
	return true;
}

/* Where they lie. */

static struct builtin_entry **
slot_of(const struct builtin_table *t, uint64_t key)
{
	struct builtin_entry **at =
	    &t->bucket[hash_bytes(&key, sizeof(key)) % t->n_bucket];

	while (*at && (*at)->key != key)
		at = &(*at)->next;
	return at;
}

struct builtin_entry *
builtin_table_find(const struct builtin_table *t, uint64_t key)
{
	return t->n_bucket ? *slot_of(t, key) : NULL;
}

static bool
grow(struct builtin_table *t)
{
	uint32_t n = t->n_bucket ? 2 * t->n_bucket : 16;
	struct builtin_entry **old = t->bucket;
	uint32_t n_old = t->n_bucket;

	if (t->n < t->n_bucket)
		return true;
	t->bucket = calloc(n, sizeof(*t->bucket));
	if (!t->bucket) {
		t->bucket = old;
		return n_old > 0;
	}
	t->n_bucket = n;
	for (uint32_t i = 0; i < n_old; i++) {
		struct builtin_entry *e;
		while ((e = old[i])) {
			old[i] = e->next;
			struct builtin_entry **at = slot_of(t, e->key);
			e->next = NULL;
			*at = e;
		}
	}
	free(old);
	return true;
}

bool
builtin_table_put(struct builtin_tables *b, struct builtin_table *t,
    struct builtin_entry *e, uint64_t key)
{
	struct builtin_entry *old;

	if (!grow(t))
		return false;
	/* One with the same key goes. */
	struct builtin_entry **at = slot_of(t, key);
	if ((old = *at)) {
		*at = old->next;
		builtin_entry_drop(b, old);
		t->n--;
		at = slot_of(t, key);
	}
	e->key = key;
	e->refs++;
	e->next = NULL;
	*at = e;
	t->n++;
	return true;
}

bool
builtin_table_erase(struct builtin_tables *b, struct builtin_table *t, uint64_t key)
{
	struct builtin_entry *e = builtin_table_find(t, key);

	if (!e)
		return false;
	*slot_of(t, key) = e->next;
	t->n--;
	builtin_entry_drop(b, e);
	return true;
}
