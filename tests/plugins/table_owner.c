/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns a state table, which it fills as it parses events: "owner.counts", by the last
 * digit of the payload (uint64): hits (uint64), label (string), nested (a table by
 * uint64 with one field, value). Others may add fields of uint64.
 *
 * Falco keeps such a table for all plugins loaded after this one, in one process; an
 * operation is a call of these functions on the event's thread. A plugin of a minor
 * version from 1 on must give both forms of the vtables, the same.
 *
 * init_config: "again" adds it twice; "broken" leaves a function out; "slow" answers
 * reads after ten seconds; "endless" iterates for ever; "dies" crashes in a read.
 */
#define KIT_NAME "owner"
#define KIT_API  "3.11.0"
#define KIT_OWN_get_id
#define KIT_OWN_get_event_source
#define KIT_OWN_open
#define KIT_OWN_close
#define KIT_OWN_next_batch
#define KIT_OWN_init
#define KIT_OWN_extract_fields
#define KIT_OWN_get_last_error
#define KIT_FIELDS                                                                       \
	"[{\"type\":\"uint64\",\"name\":\"owner.hits\",\"desc\":\"of its digit\"},"      \
	"{\"type\":\"uint64\",\"name\":\"owner.held\",\"desc\":\"entries that users "    \
	"hold\"},{\"type\":\"uint64\",\"name\":\"owner.own\",\"desc\":\"hits, through "  \
	"a handle of its own\"}]"
#include "tests/plugins/kit.h"

enum {
	ROWS = 64,
	EXTRA = 4,
	NESTED = 2
};

enum field {
	HITS = 1,
	LABEL,
	TABLE,
	FIRST_EXTRA,
	VALUE = 100
};

struct row {
	bool used;
	uint64_t key, hits, extra[EXTRA], value;
	char label[32];
	struct row *nested; /* NESTED rows */
	struct plugin_table_input input;
};

struct state {
	struct row row[ROWS];
	char extra[EXTRA][32];
	uint32_t n_extra;
	long held;
	bool slow, endless, dies;
	plugin_table *own;
	plugin_field_handle *own_hits;
	struct plugin_table_reader_ext *reader;
	uint64_t value[3];
};

static char error[128] = "owner: nothing wrong";
static struct state *the_state;

const char *
plugin_get_last_error(plugin_state *s)
{
	(void)s;
	return error;
}

static struct row *
rows_of(plugin_table *t, int *n)
{
	*n = t == the_state ? ROWS : NESTED;
	return t == the_state ? the_state->row : t;
}

static const char *
get_table_name(plugin_table *t)
{
	(void)t;
	return "owner.counts";
}

static uint64_t
get_table_size(plugin_table *t)
{
	int n;
	struct row *r = rows_of(t, &n);
	uint64_t used = 0;

	for (int i = 0; i < n; i++)
		used += r[i].used;
	return used;
}

static struct row *
find(plugin_table *t, uint64_t key)
{
	int n;
	struct row *r = rows_of(t, &n);

	for (int i = 0; i < n; i++) {
		if (r[i].used && r[i].key == key)
			return &r[i];
	}
	snprintf(error, sizeof(error), "owner: no row %llu", (unsigned long long)key);
	return NULL;
}

static plugin_entry *
get_table_entry(plugin_table *t, const union plugin_state_data *key)
{
	struct row *r = find(t, key->u64);

	the_state->held += r != NULL;
	return r;
}

static struct plugin_table_reader_ext reader_ext;
static struct plugin_table_writer writer_ext;
static struct plugin_table_fields fields_ext;

static void
describe(struct plugin_table_input *in, const char *name, plugin_table *t)
{
	*in = (struct plugin_table_input){
	    .name = name,
	    .key_type = PLUGIN_STATE_UINT64,
	    .table = t,
	    .reader = {reader_ext.get_table_name, reader_ext.get_table_size,
		reader_ext.get_table_entry, reader_ext.read_entry_field},
	    .writer = writer_ext,
	    .fields = fields_ext,
	    .reader_ext = &reader_ext,
	    .writer_ext = &writer_ext,
	    .fields_ext = &fields_ext,
	};
}

static int32_t
read_entry_field(plugin_table *t, plugin_entry *e, const plugin_field_handle *f,
    union plugin_state_data *out)
{
	struct row *r = e;
	enum field field = (enum field)(uintptr_t)f;

	if (the_state->slow && field == LABEL)
		sleep(10);
	if (the_state->dies && field == LABEL)
		__builtin_trap();
	if (t != the_state) {
		out->u64 = r->value;
		return field == VALUE ? PLUGIN_SUCCESS : PLUGIN_FAILURE;
	}
	switch (field) {
	case HITS:
		out->u64 = r->hits;
		return PLUGIN_SUCCESS;
	case LABEL:
		out->str = r->label;
		return PLUGIN_SUCCESS;
	case TABLE:
		if (!r->nested)
			r->nested = calloc(NESTED, sizeof(*r));
		describe(&r->input, "nested", r->nested);
		out->table = &r->input;
		return PLUGIN_SUCCESS;
	default:
		out->u64 = r->extra[field - FIRST_EXTRA];
		return PLUGIN_SUCCESS;
	}
}

static void
release_table_entry(plugin_table *t, plugin_entry *e)
{
	(void)t;
	(void)e;
	the_state->held--;
}

static uint32_t
iterate_entries(plugin_table *t, uint32_t (*it)(void *, plugin_entry *), void *state)
{
	int n;
	struct row *r = rows_of(t, &n);

	do {
		for (int i = 0; i < n; i++) {
			if (r[i].used && !it(state, &r[i]))
				return 0;
		}
	} while (the_state->endless);
	return 1;
}

static int32_t
clear_table(plugin_table *t)
{
	int n;
	struct row *r = rows_of(t, &n);

	for (int i = 0; i < n; i++)
		r[i].used = false;
	return PLUGIN_SUCCESS;
}

static int32_t
erase_table_entry(plugin_table *t, const union plugin_state_data *key)
{
	struct row *r = find(t, key->u64);

	if (r)
		r->used = false;
	return r ? PLUGIN_SUCCESS : PLUGIN_FAILURE;
}

static plugin_entry *
create_table_entry(plugin_table *t)
{
	(void)t;
	the_state->held++;
	return calloc(1, sizeof(struct row));
}

static void
destroy_table_entry(plugin_table *t, plugin_entry *e)
{
	(void)t;
	the_state->held--;
	free(e);
}

static plugin_entry *
add_table_entry(plugin_table *t, const union plugin_state_data *key, plugin_entry *e)
{
	int n;
	struct row *r = rows_of(t, &n);

	for (int i = 0; i < n; i++) {
		if (r[i].used)
			continue;
		r[i] = *(struct row *)e;
		r[i].used = true;
		r[i].key = key->u64;
		free(e);
		return &r[i];
	}
	snprintf(error, sizeof(error), "owner: full");
	return NULL;
}

static int32_t
write_entry_field(plugin_table *t, plugin_entry *e, const plugin_field_handle *f,
    const union plugin_state_data *in)
{
	struct row *r = e;
	enum field field = (enum field)(uintptr_t)f;

	if (t != the_state) {
		r->value = in->u64;
		return PLUGIN_SUCCESS;
	}
	if (field == HITS) {
		snprintf(error, sizeof(error), "owner: hits are not yours to write");
		return PLUGIN_FAILURE;
	}
	if (field == LABEL)
		snprintf(r->label, sizeof(r->label), "%s", in->str);
	else
		r->extra[field - FIRST_EXTRA] = in->u64;
	return PLUGIN_SUCCESS;
}

static const struct plugin_table_fieldinfo *
list_table_fields(plugin_table *t, uint32_t *n)
{
	static struct plugin_table_fieldinfo info[3 + EXTRA] = {
	    {"hits", PLUGIN_STATE_UINT64, 1},
	    {"label", PLUGIN_STATE_STRING, 0},
	    {"nested", PLUGIN_STATE_TABLE, 1},
	};
	static const struct plugin_table_fieldinfo nested = {
	    "value", PLUGIN_STATE_UINT64, 0};

	*n = 1;
	if (t != the_state)
		return &nested;
	*n = 3 + the_state->n_extra;
	for (uint32_t i = 0; i < the_state->n_extra; i++)
		info[3 + i] = (struct plugin_table_fieldinfo){
		    the_state->extra[i], PLUGIN_STATE_UINT64, 0};
	return info;
}

static plugin_field_handle *
get_table_field(plugin_table *t, const char *name, int32_t type)
{
	uint32_t n;
	const struct plugin_table_fieldinfo *f = list_table_fields(t, &n);

	for (uint32_t i = 0; i < n; i++) {
		if (strcmp(f[i].name, name) == 0 && f[i].field_type == type)
			return (void *)(uintptr_t)(t == the_state ? HITS + i : VALUE);
	}
	snprintf(error, sizeof(error), "owner: no field %s", name);
	return NULL;
}

static plugin_field_handle *
add_table_field(plugin_table *t, const char *name, int32_t type)
{
	plugin_field_handle *f = get_table_field(t, name, type);

	if (f || t != the_state || type != PLUGIN_STATE_UINT64 ||
	    the_state->n_extra == EXTRA)
		return f;
	snprintf(the_state->extra[the_state->n_extra++], 32, "%s", name);
	return get_table_field(t, name, type);
}

static struct plugin_table_reader_ext reader_ext = {get_table_name, get_table_size,
    get_table_entry, read_entry_field, release_table_entry, iterate_entries};
static struct plugin_table_writer writer_ext = {clear_table, erase_table_entry,
    create_table_entry, destroy_table_entry, add_table_entry, write_entry_field};
static struct plugin_table_fields fields_ext = {
    list_table_fields, get_table_field, add_table_field};

static void
say(const struct plugin_init_input *in, const char *what, int32_t rc)
{
	const char *why = in->get_owner_last_error(in->owner);
	char line[512];

	snprintf(line, sizeof(line), "%s: %d '%s'", what, rc, why ? why : "");
	in->log_fn(in->owner, NULL, line, PLUGIN_LOG_INFO);
}

plugin_state *
plugin_init(const struct plugin_init_input *in, int32_t *rc)
{
	struct state *s = the_state = calloc(1, sizeof(*s));
	struct plugin_table_input table;

	s->slow = strstr(in->config, "slow") != NULL;
	s->endless = strstr(in->config, "endless") != NULL;
	s->dies = strstr(in->config, "dies") != NULL;
	describe(&table, "owner.counts", s);
	if (strstr(in->config, "broken")) {
		table.writer.clear_table = NULL;
		say(in, "broken", in->tables->add_table(in->owner, &table));
		say(in, "null", in->tables->add_table(in->owner, NULL));
		table.reader_ext = NULL;
		say(in, "plain", in->tables->add_table(in->owner, &table));
		describe(&table, NULL, s);
		say(in, "nameless", in->tables->add_table(in->owner, &table));
		describe(&table, "owner.counts", s);
	}
	*rc = in->tables->add_table(in->owner, &table);
	if (strstr(in->config, "again"))
		say(in, "again", in->tables->add_table(in->owner, &table));
	s->own = in->tables->get_table(in->owner, "owner.counts", PLUGIN_STATE_UINT64);
	s->reader = in->tables->reader_ext;
	if (s->own)
		s->own_hits = in->tables->fields_ext->get_table_field(
		    s->own, "hits", PLUGIN_STATE_UINT64);
	return s;
}

static uint64_t
digit_of(const struct plugin_event_input *event)
{
	char text[KIT_PAYLOAD + 1];

	kit_payload(event, text, sizeof(text));
	return strtoull(text, NULL, 10) % 10;
}

int32_t
plugin_parse_event(plugin_state *sv, const struct plugin_event_input *event,
    const struct plugin_parse_input *in)
{
	struct state *s = sv;
	struct row *r = find(s, digit_of(event));

	(void)in;
	for (int i = 0; !r && i < ROWS; i++) {
		if (s->row[i].used)
			continue;
		r = &s->row[i];
		*r = (struct row){.used = true, .key = digit_of(event)};
	}
	r->hits++;
	snprintf(
	    r->label, sizeof(r->label), "event %llu", (unsigned long long)event->evtnum);
	return PLUGIN_SUCCESS;
}

int32_t
plugin_extract_fields(plugin_state *sv, const struct plugin_event_input *event,
    const struct plugin_extract_input *in)
{
	struct state *s = sv;
	union plugin_state_data key = {.u64 = digit_of(event)}, hits = {0};
	struct row *r = find(s, key.u64);

	s->value[0] = r ? r->hits : 0;
	s->value[1] = (uint64_t)s->held;
	if (s->own) {
		plugin_entry *e = s->reader->get_table_entry(s->own, &key);
		if (e)
			s->reader->read_entry_field(s->own, e, s->own_hits, &hits);
		s->reader->release_table_entry(s->own, e);
	}
	s->value[2] = hits.u64;
	for (uint32_t i = 0; i < in->num_fields; i++) {
		in->fields[i].res_len = 1;
		in->fields[i].res.u64 = &s->value[in->fields[i].field_id];
	}
	return PLUGIN_SUCCESS;
}
