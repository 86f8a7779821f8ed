/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of threads and its sub-tables, as engine.md 6.10 has them. Long, because
 * rows, their fields and the operations on them share the handles that are checked here.
 */
#include "broker/tables/builtin_tables.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/limits.h"
#include "proto/table_slots.h"

enum kind {
#define TABLE(id, key) KIND_##id,
#define FIELD(name, type, read_only)
#define SUB(name, id)
#include "broker/tables/builtin_table_fields.h"
#undef TABLE
#undef FIELD
#undef SUB
	KIND_N,
};

enum {
	TID_FIELD = 0, /* of threads, and PID_FIELD: what the key is */
	FD_FIELD = 10, /* of file descriptors */
	ROOT = 1,      /* number of threads; those of sub-tables have TABLE_SLOT_MARK */
	ALONG_BYTES = 32 << 10,
};

struct field {
	char *name;
	uint32_t type, sub; /* sub: the kind of a sub-table */
	bool read_only, dynamic;
	uint64_t users[LIMIT_PLUGINS / 64];
};

/* All tables of a kind have the same fields. */
struct klass {
	uint32_t key_type, n;
	struct field field[LIMIT_TABLE_FIELDS];
};

struct table;

union value {
	uint64_t num;
	char *str; /* NULL: "" */
	struct table *sub;
};

struct entry {
	struct entry *next; /* in its bucket */
	uint64_t key;
	uint32_t refs, n_value;
	enum kind kind;
	union value *value;
};

struct table {
	enum kind kind;
	uint32_t refs, n, n_bucket;
	struct entry **bucket;
};

struct handle {
	struct table_slot slot;
	struct table *table; /* of the entry, or the sub-table itself */
	struct entry *entry; /* NULL: a sub-table */
	bool is_new;
	uint32_t of; /* number of the entry's table */
};

struct builtin_tables {
	struct klass klass[KIND_N];
	struct table *root;
	struct table_slots handles;
	uint32_t n_entry;
	uint64_t bytes;
};

/* Memory, counted. */

static bool
take_bytes(struct builtin_tables *b, size_t n)
{
	if (b->bytes + n > LIMIT_TABLE_BYTES)
		return false;
	b->bytes += n;
	return true;
}

static void table_drop(struct builtin_tables *b, struct table *t);

static void
string_free(struct builtin_tables *b, char *s)
{
	if (s)
		b->bytes -= strlen(s) + 1;
	free(s);
}

static void
entry_drop(struct builtin_tables *b, struct entry *e)
{
	if (--e->refs > 0)
		return;
	for (uint32_t i = 0; i < e->n_value; i++) {
		uint32_t type = b->klass[e->kind].field[i].type;
		if (type == PLUGIN_STATE_STRING)
			string_free(b, e->value[i].str);
		else if (type == PLUGIN_STATE_TABLE && e->value[i].sub)
			table_drop(b, e->value[i].sub);
	}
	b->bytes -= sizeof(*e) + e->n_value * sizeof(*e->value);
	b->n_entry--;
	free(e->value);
	free(e);
}

static void
table_clear(struct builtin_tables *b, struct table *t)
{
	for (uint32_t i = 0; i < t->n_bucket; i++) {
		struct entry *e;
		while ((e = t->bucket[i])) {
			t->bucket[i] = e->next;
			entry_drop(b, e);
		}
	}
	t->n = 0;
}

/* Sub-tables lie in entries of tables: the depth is that of the kinds, two. */
static void
table_drop(struct builtin_tables *b, struct table *t)
{
	if (--t->refs > 0)
		return;
	table_clear(b, t);
	free(t->bucket);
	free(t);
}

static struct table *
table_new(enum kind kind)
{
	struct table *t = calloc(1, sizeof(*t));

	if (t)
		*t = (struct table){.kind = kind, .refs = 1};
	return t;
}

static struct entry *
entry_new(struct builtin_tables *b, enum kind kind)
{
	struct entry *e;

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

/* The place of a value, which is there from the first time on that it is wanted. */
static union value *
value_at(struct builtin_tables *b, struct entry *e, uint32_t i)
{
	uint32_t n = b->klass[e->kind].n;

	if (i >= e->n_value) {
		if (!take_bytes(b, (n - e->n_value) * sizeof(*e->value)))
			return NULL;
		union value *v = reallocarray(e->value, n, sizeof(*v));
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

/* Look-up. */

static struct entry **
slot_of(const struct table *t, uint64_t key)
{
	struct entry **at = &t->bucket[hash_bytes(&key, sizeof(key)) % t->n_bucket];

	while (*at && (*at)->key != key)
		at = &(*at)->next;
	return at;
}

static struct entry *
find(const struct table *t, uint64_t key)
{
	return t->n_bucket ? *slot_of(t, key) : NULL;
}

static bool
grow(struct table *t)
{
	uint32_t n = t->n_bucket ? 2 * t->n_bucket : 16;
	struct entry **old = t->bucket;
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
		struct entry *e;
		while ((e = old[i])) {
			old[i] = e->next;
			struct entry **at = slot_of(t, e->key);
			e->next = NULL;
			*at = e;
		}
	}
	free(old);
	return true;
}

/* Handles. */

static void
handle_free(struct builtin_tables *b, struct handle *h)
{
	if (h->entry)
		entry_drop(b, h->entry);
	table_drop(b, h->table);
	table_slot_give_back(&b->handles, h);
}

static struct table *
find_table(struct builtin_tables *b, uint32_t user, uint32_t number)
{
	if (number == ROOT)
		return b->root;
	struct handle *h =
	    number & TABLE_SLOT_MARK ? table_slot_find(&b->handles, user, number) : NULL;
	return h && !h->entry ? h->table : NULL;
}

static struct handle *
find_entry(struct builtin_tables *b, uint32_t user, const struct table_head *head)
{
	struct handle *h = head->entry & TABLE_SLOT_MARK
			       ? NULL
			       : table_slot_find(&b->handles, user, head->entry);

	return h && h->entry && h->of == head->table ? h : NULL;
}

/* A handle of an entry of the table; the entry's reference is the handle's. */
static bool
hold_entry(struct builtin_tables *b, uint32_t user, struct table *t, uint32_t table,
    struct entry *e, bool is_new, uint32_t *ret_number)
{
	struct handle *h = table_slot_take(&b->handles, user, ret_number);

	if (!h)
		return false;
	h->table = t;
	t->refs++;
	h->entry = e;
	h->of = table;
	h->is_new = is_new;
	return true;
}

/* Fields: a number is a kind and a place. */

static uint32_t
field_number(enum kind kind, uint32_t i)
{
	return (uint32_t)kind * (LIMIT_TABLE_FIELDS + 1) + i + 1;
}

static struct field *
find_field(
    struct builtin_tables *b, const struct table *t, uint32_t number, uint32_t *ret_i)
{
	uint32_t place = number % (LIMIT_TABLE_FIELDS + 1);
	struct klass *k = &b->klass[t->kind];

	if (number / (LIMIT_TABLE_FIELDS + 1) != (uint32_t)t->kind || place == 0 ||
	    place > k->n)
		return NULL;
	*ret_i = place - 1;
	return &k->field[place - 1];
}

static void refuse(const struct table_view *v, struct table_frame *answer,
    const char *fmt, ...) __attribute__((format(printf, 3, 4)));

static void
refuse(const struct table_view *v, struct table_frame *answer, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	table_frame_fail(answer, &v->head, text);
}

static void
serve_fields(
    const struct klass *k, const struct table_view *v, struct table_frame *answer)
{
	table_frame_answer(answer, &v->head, PLUGIN_SUCCESS);
	for (uint32_t i = 0; i < k->n; i++)
		table_frame_str(answer,
		    k->field[i].type |
			(k->field[i].read_only ? (uint32_t)TABLE_READ_ONLY : 0),
		    k->field[i].name);
}

static void
serve_field(struct builtin_tables *b, const struct table *t, uint32_t user,
    const struct table_view *v, struct table_frame *answer)
{
	const char *name = table_view_str(v, 0);
	uint32_t type = (uint32_t)v->head.number, i = 0;
	struct klass *k = &b->klass[t->kind];
	bool add = v->head.op == TABLE_ADD_FIELD;

	while (i < k->n && strcmp(k->field[i].name, name) != 0)
		i++;
	if (i == k->n) {
		char *copy;
		if (!add) {
			refuse(v, answer, "unknown field '%.200s' in table", name);
			return;
		}
		if (type == PLUGIN_STATE_TABLE) {
			refuse(v, answer, "can't add dynamic field of type table: %.200s",
			    name);
			return;
		}
		if (!state_type_is_valid(type) || !*name || k->n == LIMIT_TABLE_FIELDS ||
		    !(copy = strdup(name))) {
			refuse(v, answer, "can't add dynamic field: %.200s", name);
			return;
		}
		k->field[k->n++] =
		    (struct field){.name = copy, .type = type, .dynamic = true};
	} else if (k->field[i].type != type) {
		refuse(v, answer,
		    "multiple definitions of dynamic field with different types in "
		    "struct: %.200s, prevtype=%s, newtype=%s",
		    name, state_type_name(k->field[i].type), state_type_name(type));
		return;
	}
	k->field[i].users[user / 64] |= 1ull << user % 64;
	table_frame_answer(answer, &v->head, PLUGIN_SUCCESS);
	answer->head.field = field_number(t->kind, i);
}

/* Entries. */

/* Values of the fields that the user has asked for. */
static void
put_along(const struct builtin_tables *b, const struct entry *e, uint32_t user,
    struct table_frame *f)
{
	const struct klass *k = &b->klass[e->kind];

	for (uint32_t i = 0; i < k->n && f->head.n_bytes < ALONG_BYTES; i++) {
		const struct field *p = &k->field[i];
		const union value v = i < e->n_value ? e->value[i] : (union value){0};
		if (p->type == PLUGIN_STATE_TABLE ||
		    !(p->users[user / 64] >> user % 64 & 1))
			continue;
		if (p->type != PLUGIN_STATE_STRING)
			table_frame_num(f, field_number(e->kind, i), p->type, v.num);
		else if (!v.str || strlen(v.str) < ALONG_BYTES)
			table_frame_str(f, field_number(e->kind, i), v.str ? v.str : "");
	}
}

static void
answer_entry(struct builtin_tables *b, struct table *t, uint32_t user,
    const struct table_view *v, struct entry *e, bool is_new, struct table_frame *answer)
{
	uint32_t number;

	/* The handle's reference; a new entry comes with it. */
	e->refs += !is_new;
	if (!hold_entry(b, user, t, v->head.table, e, is_new, &number)) {
		entry_drop(b, e);
		refuse(v, answer, "too many entries of tables are held");
		return;
	}
	table_frame_answer(answer, &v->head, PLUGIN_SUCCESS);
	answer->head.entry = number;
	if (!is_new)
		put_along(b, e, user, answer);
}

static void
set_number(struct builtin_tables *b, struct entry *e, uint32_t i, uint64_t num)
{
	union value *v = value_at(b, e, i);

	if (v)
		v->num = num;
}

static void
serve_insert(struct builtin_tables *b, struct table *t, uint32_t user,
    const struct table_view *v, struct handle *h, uint64_t key,
    struct table_frame *answer)
{
	struct entry *e = h->entry, *old;

	if (!h->is_new || !grow(t)) {
		refuse(v, answer, "the entry cannot be added to the table");
		return;
	}
	/* One with the same key goes. */
	struct entry **at = slot_of(t, key);
	if ((old = *at)) {
		*at = old->next;
		entry_drop(b, old);
		t->n--;
		at = slot_of(t, key);
	}
	e->key = key;
	e->refs++;
	e->next = NULL;
	*at = e;
	t->n++;
	if (e->kind == KIND_THREADS)
		set_number(b, e, TID_FIELD, key);
	else if (e->kind == KIND_FDS)
		set_number(b, e, FD_FIELD, key);
	handle_free(b, h);
	answer_entry(b, t, user, v, e, false, answer);
}

static void
serve_erase(struct builtin_tables *b, struct table *t, uint64_t key,
    const struct table_view *v, struct table_frame *answer)
{
	struct entry **at, *e = find(t, key);

	if (!e) {
		refuse(v, answer, "no entry with that key");
		return;
	}
	at = slot_of(t, key);
	*at = e->next;
	t->n--;
	entry_drop(b, e);
	table_frame_answer(answer, &v->head, PLUGIN_SUCCESS);
}

static void
answer_sub_table(struct builtin_tables *b, struct entry *e, uint32_t i,
    const struct field *f, uint32_t user, const struct table_view *v,
    struct table_frame *answer)
{
	union value *at = value_at(b, e, i);
	uint32_t number;
	struct handle *h;

	if (at && !at->sub)
		at->sub = table_new((enum kind)f->sub);
	struct table *sub = at ? at->sub : NULL;
	if (!sub || !(h = table_slot_take(&b->handles, user, &number))) {
		refuse(v, answer, "a sub-table cannot be had");
		return;
	}
	h->table = sub;
	h->entry = NULL;
	sub->refs++;
	table_frame_answer(answer, &v->head, PLUGIN_SUCCESS);
	table_frame_num(answer, b->klass[f->sub].key_type, PLUGIN_STATE_TABLE,
	    number | TABLE_SLOT_MARK);
}

static void
serve_read(struct builtin_tables *b, const struct table *t, uint32_t user,
    const struct table_view *v, struct entry *e, struct table_frame *answer)
{
	uint32_t i;
	const struct field *f = find_field(b, t, v->head.field, &i);

	if (!f) {
		refuse(v, answer, "a field that the table does not have");
		return;
	}
	if (f->type == PLUGIN_STATE_TABLE) {
		answer_sub_table(b, e, i, f, user, v, answer);
		return;
	}
	const union value value = i < e->n_value ? e->value[i] : (union value){0};
	table_frame_answer(answer, &v->head, PLUGIN_SUCCESS);
	if (f->type == PLUGIN_STATE_STRING)
		table_frame_str(answer, v->head.field, value.str ? value.str : "");
	else
		table_frame_num(answer, v->head.field, f->type, value.num);
}

static void
serve_write(struct builtin_tables *b, const struct table *t, const struct table_view *v,
    struct entry *e, struct table_frame *answer)
{
	uint32_t i;
	const struct field *f = find_field(b, t, v->head.field, &i);
	union value *at;

	if (!f || v->head.n_values != 1 || v->value[0].type != f->type ||
	    f->type == PLUGIN_STATE_TABLE) {
		refuse(v, answer, "a field that the table does not have");
		return;
	}
	if (f->read_only) {
		refuse(v, answer, "attempt to write to read-only static struct field: %s",
		    f->name);
		return;
	}
	at = value_at(b, e, i);
	if (at && f->type == PLUGIN_STATE_STRING) {
		char *copy = take_bytes(b, v->value[0].len + 1ul)
				 ? strdup(table_view_str(v, 0))
				 : NULL;
		if (copy) {
			string_free(b, at->str);
			at->str = copy;
		} else {
			at = NULL;
		}
	} else if (at) {
		at->num = v->value[0].num;
	}
	if (at)
		table_frame_answer(answer, &v->head, PLUGIN_SUCCESS);
	else
		refuse(v, answer, "the built-in tables are full");
}

static void
forget(struct builtin_tables *b, uint32_t user)
{
	struct handle *h;

	for (uint32_t i = 0; b->handles.held[user] > 0 && i < b->handles.n; i++) {
		if ((h = table_slot_at(&b->handles, user, i)))
			handle_free(b, h);
	}
}

void
builtin_serve(struct builtin_tables *b, uint32_t user, const struct table_view *v,
    struct table_frame *answer)
{
	const struct table_head *head = &v->head;
	struct table *t = find_table(b, user, head->table);
	union plugin_state_data key = {0};
	struct handle *h = NULL;
	struct entry *e;

	if (head->op == TABLE_FORGET) {
		forget(b, user);
		table_frame_answer(answer, head, PLUGIN_SUCCESS);
		return;
	}
	if (!t) {
		refuse(v, answer, "a table that is not there");
		return;
	}
	if (table_op_takes_entry(head->op) && !(h = find_entry(b, user, head))) {
		refuse(v, answer, "an entry that is not there");
		return;
	}
	if (table_op_takes_key(head->op) &&
	    !table_view_data(v, 0, b->klass[t->kind].key_type, &key)) {
		refuse(v, answer, "a key of another type than the table's");
		return;
	}
	switch (head->op) {
	case TABLE_SIZE:
		table_frame_answer(answer, head, PLUGIN_SUCCESS);
		answer->head.number = t->n;
		break;
	case TABLE_FIELDS:
		serve_fields(&b->klass[t->kind], v, answer);
		break;
	case TABLE_FIELD:
	case TABLE_ADD_FIELD:
		serve_field(b, t, user, v, answer);
		break;
	case TABLE_ENTRY:
		e = find(t, key.u64);
		if (e)
			answer_entry(b, t, user, v, e, false, answer);
		else
			refuse(v, answer, "no entry with that key");
		break;
	case TABLE_CREATE:
		e = entry_new(b, t->kind);
		if (e)
			answer_entry(b, t, user, v, e, true, answer);
		else
			refuse(v, answer, "the built-in tables are full");
		break;
	case TABLE_RELEASE:
	case TABLE_DESTROY:
		handle_free(b, h);
		table_frame_answer(answer, head, PLUGIN_SUCCESS);
		break;
	case TABLE_INSERT:
		serve_insert(b, t, user, v, h, key.u64, answer);
		break;
	case TABLE_ERASE:
		serve_erase(b, t, key.u64, v, answer);
		break;
	case TABLE_CLEAR:
		table_clear(b, t);
		table_frame_answer(answer, head, PLUGIN_SUCCESS);
		break;
	case TABLE_READ:
		serve_read(b, t, user, v, h->entry, answer);
		break;
	case TABLE_WRITE:
		serve_write(b, t, v, h->entry, answer);
		break;
	default:
		refuse(v, answer, "an operation that no table has");
	}
}

/* Walks. */

struct builtin_walk {
	struct builtin_tables *tables;
	struct table *table;
	uint32_t user, number, n, at;
	uint32_t lent_number;
	struct entry *entry[];
};

struct builtin_walk *
builtin_walk_new(struct builtin_tables *b, uint32_t user, uint32_t number)
{
	struct table *t = find_table(b, user, number);
	struct builtin_walk *w =
	    t ? malloc(sizeof(*w) + t->n * sizeof(struct entry *)) : NULL;

	if (!w)
		return NULL;
	*w = (struct builtin_walk){
	    .tables = b, .table = t, .user = user, .number = number};
	t->refs++;
	for (uint32_t i = 0; i < t->n_bucket; i++) {
		for (struct entry *e = t->bucket[i]; e; e = e->next) {
			e->refs++;
			w->entry[w->n++] = e;
		}
	}
	return w;
}

static void
take_back(struct builtin_walk *w)
{
	struct handle *h =
	    w->lent_number ? table_slot_find(&w->tables->handles, w->user, w->lent_number)
			   : NULL;

	if (h)
		handle_free(w->tables, h);
	w->lent_number = 0;
}

bool
builtin_walk_next(struct builtin_walk *w, struct table_frame *visit)
{
	struct builtin_tables *b = w->tables;

	take_back(w);
	if (w->at == w->n)
		return false;
	struct entry *e = w->entry[w->at++];
	/* The walk's reference becomes the handle's. */
	if (!hold_entry(b, w->user, w->table, w->number, e, false, &w->lent_number)) {
		entry_drop(b, e);
		w->lent_number = 0;
		return false;
	}
	table_frame_begin(visit, TABLE_VISIT, 0);
	visit->head.entry = w->lent_number;
	put_along(b, e, w->user, visit);
	return true;
}

void
builtin_walk_free(struct builtin_walk *w)
{
	if (!w)
		return;
	take_back(w);
	while (w->at < w->n)
		entry_drop(w->tables, w->entry[w->at++]);
	table_drop(w->tables, w->table);
	free(w);
}

/* Life. */

const char *
builtin_table_name(uint32_t i, uint32_t *ret_number, uint32_t *ret_key_type)
{
	*ret_number = ROOT;
	*ret_key_type = PLUGIN_STATE_INT64;
	return i == 0 ? "threads" : NULL;
}

static bool
add_static(struct klass *k, const char *name, uint32_t type, bool read_only, uint32_t sub)
{
	char *copy = strdup(name);

	if (!copy)
		return false;
	k->field[k->n++] = (struct field){
	    .name = copy, .type = type, .read_only = read_only, .sub = sub};
	return true;
}

static bool
make_classes(struct builtin_tables *b)
{
	struct klass *k = NULL;
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

struct builtin_tables *
builtin_tables_new(struct err *err)
{
	struct builtin_tables *b = calloc(1, sizeof(*b));

	if (b)
		b->handles.slot_bytes = sizeof(struct handle);
	if (!b || !make_classes(b) || !(b->root = table_new(KIND_THREADS))) {
		builtin_tables_free(b);
		err_nomem(err);
		return NULL;
	}
	return b;
}

void
builtin_tables_free(struct builtin_tables *b)
{
	if (!b)
		return;
	for (uint32_t user = 0; user < LIMIT_PLUGINS; user++)
		forget(b, user);
	if (b->root)
		table_drop(b, b->root);
	table_slots_release(&b->handles);
	for (uint32_t i = 0; i < KIND_N; i++) {
		for (uint32_t f = 0; f < b->klass[i].n; f++)
			free(b->klass[i].field[f].name);
	}
	free(b);
}
