/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/table.h"

#include <string.h>

enum table_op_kind {
	OP_ONE_WAY = 1, /* nobody waits for an answer */
	OP_TAKES_ENTRY = 2,
	OP_TAKES_KEY = 4,
};

static const struct {
	const char *name;
	unsigned kind;
} ops[TABLE_OP_N] = {[TABLE_OP_NONE] = {"none", 0},
#define TABLE_OP_ROW(id, kind) [TABLE_##id] = {#id, kind},
    TABLE_OPS(TABLE_OP_ROW)
#undef TABLE_OP_ROW
};

static bool
is_of_kind(enum table_op op, enum table_op_kind kind)
{
	return (unsigned)op < TABLE_OP_N && (ops[op].kind & kind);
}

bool
table_op_is_one_way(enum table_op op)
{
	return is_of_kind(op, OP_ONE_WAY);
}

bool
table_op_takes_entry(enum table_op op)
{
	return is_of_kind(op, OP_TAKES_ENTRY);
}

bool
table_op_takes_key(enum table_op op)
{
	return is_of_kind(op, OP_TAKES_KEY);
}

const char *
table_op_name(enum table_op op)
{
	return (unsigned)op < TABLE_OP_N ? ops[op].name : "unknown";
}

/* Types. */

static const struct {
	const char *name; /* NULL: no type */
	bool is_signed;
	uint8_t bits;
} types[PLUGIN_STATE_BOOL + 1] = {
    [PLUGIN_STATE_INT8] = {"int8", true, 8},
    [PLUGIN_STATE_INT16] = {"int16", true, 16},
    [PLUGIN_STATE_INT32] = {"int32", true, 32},
    [PLUGIN_STATE_INT64] = {"int64", true, 64},
    [PLUGIN_STATE_UINT8] = {"uint8", false, 8},
    [PLUGIN_STATE_UINT16] = {"uint16", false, 16},
    [PLUGIN_STATE_UINT32] = {"uint32", false, 32},
    [PLUGIN_STATE_UINT64] = {"uint64", false, 64},
    [PLUGIN_STATE_STRING] = {"string", false, 0},
    [PLUGIN_STATE_TABLE] = {"table", false, 32},
    [PLUGIN_STATE_BOOL] = {"bool", false, 1},
};

bool
state_type_is_valid(uint32_t type)
{
	return type <= PLUGIN_STATE_BOOL && types[type].name;
}

const char *
state_type_name(uint32_t type)
{
	return state_type_is_valid(type) ? types[type].name : "unknown";
}

static bool
fits(uint32_t type, uint64_t num)
{
	unsigned bits = types[type].bits;

	if (bits == 64)
		return true;
	if (!types[type].is_signed)
		return num >> bits == 0;
	int64_t v = (int64_t)num, most = (int64_t)(1ull << (bits - 1));
	return v >= -most && v < most;
}

/* Building. */

void
table_frame_begin(struct table_frame *f, enum table_op op, uint32_t call)
{
	f->head = (struct table_head){.op = op, .call = call};
	f->full = false;
}

void
table_frame_answer(struct table_frame *f, const struct table_head *to, int32_t rc)
{
	f->head = (struct table_head){
	    .op = to->op, .call = to->call, .flags = TABLE_REPLY, .rc = rc};
	f->full = false;
}

static struct table_value *
add(struct table_frame *f, uint32_t field, uint32_t type)
{
	struct table_value *v = &f->value[f->head.n_values];

	if (f->head.n_values == TABLE_VALUES) {
		f->full = true;
		return NULL;
	}
	f->head.n_values++;
	*v = (struct table_value){.type = type, .field = field};
	return v;
}

void
table_frame_num(struct table_frame *f, uint32_t field, uint32_t type, uint64_t num)
{
	struct table_value *v = add(f, field, type);

	if (v)
		v->num = num;
}

void
table_frame_str(struct table_frame *f, uint32_t field, const char *s)
{
	size_t n = strnlen(s, TABLE_STRING_BYTES + 1);

	if (n > TABLE_STRING_BYTES || n + 1 > sizeof(f->bytes) - f->head.n_bytes) {
		f->full = true;
		return;
	}
	struct table_value *v = add(f, field, PLUGIN_STATE_STRING);
	if (!v)
		return;
	v->off = f->head.n_bytes;
	v->len = (uint32_t)n;
	memcpy(f->bytes + v->off, s, n + 1);
	f->head.n_bytes += (uint32_t)n + 1;
}

static uint64_t
number_of(uint32_t type, const union plugin_state_data *d)
{
	switch (type) {
	case PLUGIN_STATE_INT8:
		return (uint64_t)(int64_t)d->s8;
	case PLUGIN_STATE_INT16:
		return (uint64_t)(int64_t)d->s16;
	case PLUGIN_STATE_INT32:
		return (uint64_t)(int64_t)d->s32;
	case PLUGIN_STATE_INT64:
		return (uint64_t)d->s64;
	case PLUGIN_STATE_UINT8:
		return d->u8;
	case PLUGIN_STATE_UINT16:
		return d->u16;
	case PLUGIN_STATE_UINT32:
		return d->u32;
	case PLUGIN_STATE_BOOL:
		return d->boolean != 0;
	default:
		return d->u64;
	}
}

void
table_frame_data(struct table_frame *f, uint32_t field, uint32_t type,
    const union plugin_state_data *data)
{
	if (type == PLUGIN_STATE_STRING)
		table_frame_str(f, field, data->str ? data->str : "");
	else
		table_frame_num(f, field, type, number_of(type, data));
}

void
table_frame_fail(struct table_frame *f, const struct table_head *to, const char *words)
{
	char cut[1024];
	size_t n = strnlen(words, sizeof(cut) - 1);

	table_frame_answer(f, to, PLUGIN_FAILURE);
	memcpy(cut, words, n);
	cut[n] = '\0';
	table_frame_str(f, 0, cut);
}

static uint32_t
pad8(uint32_t n)
{
	return (n + 7) & ~7u;
}

uint32_t
table_frame_write(const struct table_frame *f, uint8_t *p, uint32_t cap)
{
	uint32_t values = f->head.n_values * (uint32_t)sizeof(*f->value);
	uint32_t len = (uint32_t)sizeof(f->head) + values + pad8(f->head.n_bytes);

	if (f->full || len > cap)
		return 0;
	memcpy(p, &f->head, sizeof(f->head));
	memcpy(p + sizeof(f->head), f->value, values);
	memcpy(p + sizeof(f->head) + values, f->bytes, f->head.n_bytes);
	memset(p + sizeof(f->head) + values + f->head.n_bytes, 0,
	    pad8(f->head.n_bytes) - f->head.n_bytes);
	return len;
}

/* Checking. */

static bool
breach(struct err *err, const char *what)
{
	return err_set(err, ERR_PEER, "table operation: %s", what);
}

/* Strings follow one another from the start of the bytes to their end. */
static bool
check_values(const struct table_view *v, struct err *err)
{
	uint32_t at = 0;

	for (uint32_t i = 0; i < v->head.n_values; i++) {
		const struct table_value *x = &v->value[i];

		if (!state_type_is_valid(x->type))
			return breach(err, "a value of unknown type");
		if (x->type != PLUGIN_STATE_STRING) {
			if (x->off || x->len || !fits(x->type, x->num))
				return breach(err, "a number that cannot be");
			continue;
		}
		if (x->num || x->off != at || x->len > TABLE_STRING_BYTES ||
		    x->len >= v->head.n_bytes - at ||
		    strnlen(v->bytes + at, x->len + 1) != x->len)
			return breach(err, "a string that cannot be");
		at += x->len + 1;
	}
	return at == v->head.n_bytes || breach(err, "bytes left over");
}

bool
table_check(struct table_view *v, const void *p, uint32_t len, struct err *err)
{
	const uint8_t *bytes = p;
	struct table_head *h = &v->head;

	if (len < sizeof(*h) || len > TABLE_FRAME_BYTES)
		return breach(err, "of a size that cannot be");
	memcpy(h, p, sizeof(*h));
	if (h->op == TABLE_OP_NONE || h->op >= TABLE_OP_N ||
	    h->flags & ~(uint32_t)(TABLE_REPLY | TABLE_ROUTINE))
		return breach(err, "of an unknown kind");
	if (h->n_values > TABLE_VALUES || h->n_bytes > TABLE_FRAME_BYTES ||
	    sizeof(*h) + h->n_values * sizeof(*v->value) + pad8(h->n_bytes) != len)
		return breach(err, "of another length than it says");
	v->value = (const struct table_value *)(const void *)(bytes + sizeof(*h));
	v->bytes = (const char *)(v->value + h->n_values);
	return check_values(v, err);
}

const char *
table_view_str(const struct table_view *v, uint32_t i)
{
	return i < v->head.n_values && v->value[i].type == PLUGIN_STATE_STRING
		   ? v->bytes + v->value[i].off
		   : "";
}

bool
table_view_data(const struct table_view *v, uint32_t i, uint32_t type,
    union plugin_state_data *ret_data)
{
	if (i >= v->head.n_values || v->value[i].type != type)
		return false;
	/* Little end first: the narrow members see their part of the number. */
	memset(ret_data, 0, sizeof(*ret_data));
	if (type == PLUGIN_STATE_STRING)
		ret_data->str = v->bytes + v->value[i].off;
	else
		ret_data->u64 = v->value[i].num;
	return true;
}

const char *
table_view_words(const struct table_view *v)
{
	return v->head.n_values ? table_view_str(v, v->head.n_values - 1) : "";
}

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "numbers in union members");
