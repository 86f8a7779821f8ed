/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/sample.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "rules/compile.h"
#include "rules/slot.h"

enum {
	FIRST_TIME_S = 1700000000, /* of the first event, unless it says so itself */
	STEP_NS = 1000000,         /* from one to the next */
	EVENT_PLUGIN = 322,
};

static const struct yaml_node *
fields_of(const struct yaml_node *event)
{
	const struct yaml_node *fields = yaml_find(event, "fields");

	return fields && fields->kind == YAML_MAP ? fields : event;
}

static const struct yaml_node *
value_of(const struct sample *s, uint32_t event, const char *text)
{
	const struct yaml_node *v = yaml_find(fields_of(s->event[event]), text);

	return v && v->kind == YAML_NULL ? NULL : v;
}

static bool
check_name(
    struct sample *s, uint32_t event, const struct yaml_node *name, struct err *err)
{
	const char *bracket, *arg = NULL;
	struct field_ref ref;
	size_t n, n_arg = 0;
	struct err why;

	if (name->kind != YAML_SCALAR)
		return err_set(
		    err, ERR_SYNTAX, "event %u: a name of a field is no text", event + 1);
	n = name->len;
	bracket = memchr(name->text, '[', n);
	if (bracket && name->text[n - 1] == ']') {
		arg = bracket + 1;
		n_arg = n - (size_t)(arg - name->text) - 1;
		n = (size_t)(bracket - name->text);
	}
	if (!field_resolve(
		s->source, s->arena, name->text, n, arg, n_arg, arg != NULL, &ref, &why))
		return err_set(err, ERR_SYNTAX, "event %u: '%.100s': %s", event + 1,
		    name->text, why.msg);
	if (strcmp(ref.text, name->text) == 0)
		return true;
	return err_set(err, ERR_SYNTAX, "event %u: there is no field '%.100s'", event + 1,
	    name->text);
}

static bool
check_event(struct sample *s, uint32_t event, struct err *err)
{
	const struct yaml_node *fields = fields_of(s->event[event]);

	if (fields->kind != YAML_MAP)
		return err_set(err, ERR_SYNTAX,
		    "event %u is no map of fields to their values", event + 1);
	for (uint32_t i = 0; i < fields->n; i++) {
		if (!check_name(s, event, fields->child[2 * i], err))
			return false;
	}
	return true;
}

/* Decimal, with a sign where the type has one. */
static bool
parse_number(const char *s, bool is_signed, uint64_t *ret)
{
	char *end;

	if (*s != '-' && (*s < '0' || *s > '9'))
		return false;
	if (*s == '-' && !is_signed)
		return false;
	errno = 0;
	*ret = is_signed ? (uint64_t)strtoll(s, &end, 10) : strtoull(s, &end, 10);
	return !errno && end != s && !*end;
}

bool
sample_init(struct sample *s, struct arena *arena, const struct field_source *source,
    const struct yaml_node *const *event, uint32_t n, struct err *err)
{
	uint64_t ts = FIRST_TIME_S * 1000000000ull;

	*s = (struct sample){.arena = arena, .source = source, .event = event, .n = n};
	s->meta = arena_array(arena, n, sizeof(*s->meta));
	if (!s->meta)
		return err_nomem(err);
	for (uint32_t e = 0; e < n; e++, ts += STEP_NS) {
		const struct yaml_node *at;
		if (!check_event(s, e, err))
			return false;
		at = value_of(s, e, "evt.rawtime");
		if (at &&
		    (at->kind != YAML_SCALAR || !parse_number(at->text, false, &ts)))
			return err_set(err, ERR_SYNTAX,
			    "event %u: evt.rawtime is a number of nanoseconds", e + 1);
		s->meta[e] = (struct event_meta){
		    .num = e + 1,
		    .ts_ns = ts,
		    .first_ts_ns = e ? s->meta[0].ts_ns : ts,
		    .type = EVENT_PLUGIN,
		    .plugin_name = "case",
		};
	}
	return true;
}

static bool
put_value(const struct field *f, const struct yaml_node *value, struct column *col,
    uint32_t at, char **bytes)
{
	uint64_t *num = (uint64_t *)col->num;
	struct span *str = (struct span *)col->str;
	char address[16];
	const char *s = value->text;
	size_t n = value->len;
	bool flag;

	if (value->kind != YAML_SCALAR)
		return false;
	if (f->type == VALUE_BOOL) {
		if (!yaml_bool(value, &flag))
			return false;
		num[at] = flag;
		return true;
	}
	if (value_type_is_number(f->type))
		return parse_number(s, value_type_is_signed(f->type), &num[at]);
	if (f->type == VALUE_IPADDR || f->type == VALUE_IPNET) {
		n = strchr(s, ':') ? 16 : 4;
		if (inet_pton(n == 16 ? AF_INET6 : AF_INET, s, address) != 1)
			return false;
		s = address;
	}
	memcpy(*bytes, s, n);
	(*bytes)[n] = '\0';
	str[at] = (struct span){(uint32_t)(*bytes - col->bytes), (uint32_t)n};
	*bytes += n + 1;
	return true;
}

static uint32_t
n_values(const struct yaml_node *v)
{
	return !v ? 0 : v->kind == YAML_SEQUENCE ? v->n : 1;
}

static const struct yaml_node *
element(const struct yaml_node *v, uint32_t i)
{
	return v->kind == YAML_SEQUENCE ? v->child[i] : v;
}

/* The values that the events give for one slot, by the text that rules ask with. */
static bool
make_column(
    struct sample *s, const struct field_ref *ref, struct column *ret, struct err *err)
{
	uint32_t *first = arena_array(s->arena, s->n + 1, sizeof(*first)), n_value = 0;
	size_t n_bytes = 1;
	char *bytes;

	for (uint32_t e = 0; e < s->n; e++) {
		const struct yaml_node *v = value_of(s, e, ref->text);
		for (uint32_t i = 0; i < n_values(v); i++)
			n_bytes += element(v, i)->len + 17;
		n_value += n_values(v);
	}
	*ret = (struct column){.n = s->n,
	    .first = first,
	    .num = arena_array(s->arena, n_value + 1, sizeof(*ret->num)),
	    .str = arena_array(s->arena, n_value + 1, sizeof(*ret->str)),
	    .bytes = arena_alloc(s->arena, n_bytes)};
	if (!first || !ret->num || !ret->str || !ret->bytes)
		return err_nomem(err);
	bytes = (char *)ret->bytes;
	n_value = 0;
	for (uint32_t e = 0; e < s->n; e++) {
		const struct yaml_node *v = value_of(s, e, ref->text);
		bool fits =
		    !v || v->kind != YAML_SEQUENCE || ref->field->flags & FIELD_LIST;
		first[e] = n_value;
		for (uint32_t i = 0; fits && i < n_values(v); i++)
			fits =
			    put_value(ref->field, element(v, i), ret, n_value++, &bytes);
		if (!fits)
			return err_set(err, ERR_SYNTAX, "'%.100s' of event %u is no %s%s",
			    ref->text, e + 1, value_type_name(ref->field->type),
			    ref->field->flags & FIELD_LIST ? " list" : "");
	}
	first[s->n] = n_value;
	return true;
}

static bool
supply(struct sample *s, struct evaluator *ev, const struct eval_need *need, uint32_t n,
    struct err *err)
{
	for (uint32_t i = 0; i < n; i++) {
		const struct slot *slot = &evaluator_slots(ev)->slot[need[i].slot];
		struct column *col = arena_alloc(s->arena, sizeof(*col));
		if (!col)
			return err_nomem(err);
		if (!make_column(s, &slot->ref, col, err))
			return false;
		evaluator_supply(ev, need[i].slot, col, &need[i].events);
	}
	return true;
}

static bool
supply_stage0(struct sample *s, struct evaluator *ev, struct err *err)
{
	struct eval_need need;
	const uint32_t *slot;
	uint32_t n;

	memset(&need.events, 0xff, sizeof(need.events));
	slot = evaluator_stage0_slots(ev, &n);
	for (uint32_t i = 0; i < n; i++) {
		need.slot = slot[i];
		if (!supply(s, ev, &need, 1, err))
			return false;
	}
	return true;
}

bool
sample_evaluate(struct sample *s, struct evaluator *ev, struct err *err)
{
	const struct eval_need *need;
	uint32_t n;

	evaluator_begin(ev, s->n, s->meta);
	if (!supply_stage0(s, ev, err))
		return false;
	while (evaluator_run(ev) == EVAL_NEED) {
		need = evaluator_needs(ev, &n);
		if (!supply(s, ev, need, n, err))
			return false;
	}
	need = evaluator_output_needs(ev, &n);
	return supply(s, ev, need, n, err);
}

static void
write_element(
    struct json_writer *w, enum value_type type, const struct value_view *v, uint32_t i)
{
	char address[INET6_ADDRSTRLEN];
	const char *s;
	uint32_t n;

	if (type == VALUE_BOOL) {
		json_bool(w, v->num[i] != 0);
		return;
	}
	if (value_type_is_number(type)) {
		if (value_type_is_signed(type))
			json_i64(w, (int64_t)v->num[i]);
		else
			json_u64(w, v->num[i]);
		return;
	}
	s = value_view_str(v, i, &n);
	if (!value_type_is_ip(type))
		json_str_n(w, s, strnlen(s, n));
	else if ((n == 4 || n == 16) &&
		 inet_ntop(n == 4 ? AF_INET : AF_INET6, s, address, sizeof(address)))
		json_str(w, address);
	else
		json_write_null(w);
}

void
sample_write_value(
    struct json_writer *w, enum value_type type, bool list, const struct value_view *v)
{
	if (!v->present) {
		json_write_null(w);
	} else if (!list) {
		write_element(w, type, v, 0);
	} else {
		json_begin_array(w);
		for (uint32_t i = 0; i < v->n; i++)
			write_element(w, type, v, i);
		json_end_array(w);
	}
}
