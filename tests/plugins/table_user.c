/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Uses the tables of others as it parses and extracts: "owner.counts" of table_owner.c,
 * and the built-in "threads", where it puts a thread for each event.
 *
 * In Falco a table is seen by plugins loaded after its owner, fields of other types and
 * tables of other key types are refused, and operations give what the owner has at that
 * event: .hits counts like the owner's own field. Entries that are not released are
 * collected after the call.
 *
 * init_config: "leaks" releases nothing; "quiet" says nothing of what it finds in init;
 * "tidy" erases and clears at event 20, by the vtables that plugins of 3.0 knew.
 */
#ifndef KIT_NAME
#define KIT_NAME "user"
#endif
#define KIT_API "3.11.0"
#define KIT_OWN_get_id
#define KIT_OWN_get_event_source
#define KIT_OWN_open
#define KIT_OWN_close
#define KIT_OWN_next_batch
#define KIT_OWN_init
#define KIT_OWN_extract_fields
#define FIELD(type, name)                                                                \
	"{\"type\":\"" type "\",\"name\":\"" KIT_NAME "." name "\",\"desc\":\"d\"}"
#define KIT_FIELDS                                                                       \
	"[" FIELD("uint64", "hits") "," FIELD("string", "label") "," FIELD(              \
	    "uint64", "seen") "," FIELD("uint64", "size") "," FIELD("uint64",            \
	    "sum") "," FIELD("uint64", "threads") "," FIELD("string",                    \
	    "comm") "," FIELD("uint64", "nested") "," FIELD("string", "error") "]"
#include "tests/plugins/kit.h"

enum {
	F_HITS,
	F_LABEL,
	F_SEEN,
	F_SIZE,
	F_SUM,
	F_THREADS,
	F_COMM,
	F_NESTED,
	F_ERROR,
	N_FIELDS
};

struct state {
	plugin_owner *owner;
	plugin_owner_error_fn last_error;
	plugin_log_fn log;
	bool leaks, tidies;
	plugin_table *counts, *threads;
	plugin_field_handle *hits, *label, *seen, *nested, *value, *comm, *container,
	    *fds, *fd_name;
	struct plugin_table_reader_ext *reader;
	struct plugin_table_writer *writer;
	uint64_t number[N_FIELDS], sum;
	char text[N_FIELDS][256];
	const char *str[N_FIELDS];
};

static void
say(struct state *s, const char *what, bool got)
{
	const char *why = s->last_error(s->owner);
	char line[512];

	snprintf(
	    line, sizeof(line), "%s: %s '%s'", what, got ? "yes" : "no", why ? why : "");
	s->log(s->owner, NULL, line, PLUGIN_LOG_INFO);
}

/* The field of a sub-table, as SDKs find it: by the sub-table of an entry in the air. */
static plugin_field_handle *
nested_field(struct state *s, const struct plugin_init_tables *t, plugin_table *table,
    plugin_field_handle *field, const char *name, int32_t type)
{
	union plugin_state_data sub = {0};
	plugin_field_handle *f = NULL;
	plugin_entry *e = t->writer_ext->create_table_entry(table);

	if (e && t->reader_ext->read_entry_field(table, e, field, &sub) == PLUGIN_SUCCESS)
		f = t->fields_ext->get_table_field(sub.table, name, type);
	if (e)
		t->writer_ext->destroy_table_entry(table, e);
	(void)s;
	return f;
}

static void
find_fields(struct state *s, const struct plugin_init_tables *t)
{
	struct plugin_table_fields *f = t->fields_ext;

	s->hits = f->get_table_field(s->counts, "hits", PLUGIN_STATE_UINT64);
	s->label = f->get_table_field(s->counts, "label", PLUGIN_STATE_STRING);
	s->nested = f->get_table_field(s->counts, "nested", PLUGIN_STATE_TABLE);
	s->seen = f->add_table_field(s->counts, KIT_NAME "_seen", PLUGIN_STATE_UINT64);
	s->value = nested_field(s, t, s->counts, s->nested, "value", PLUGIN_STATE_UINT64);
}

static void
find_thread_fields(struct state *s, const struct plugin_init_tables *t)
{
	struct plugin_table_fields *f = t->fields_ext;

	s->comm = f->get_table_field(s->threads, "comm", PLUGIN_STATE_STRING);
	s->container =
	    f->add_table_field(s->threads, "container_id", PLUGIN_STATE_STRING);
	s->fds = f->get_table_field(s->threads, "file_descriptors", PLUGIN_STATE_TABLE);
	s->fd_name = nested_field(s, t, s->threads, s->fds, "name", PLUGIN_STATE_STRING);
}

static void
look_around(struct state *s, const struct plugin_init_input *in)
{
	const struct plugin_init_tables *t = in->tables;
	uint32_t n = 0;
	const struct plugin_table_info *list = t->list_tables(in->owner, &n);
	const struct plugin_table_fieldinfo *fields;
	char line[512] = "tables:";

	for (uint32_t i = 0; i < n; i++)
		snprintf(line + strlen(line), sizeof(line) - strlen(line), " %s/%d",
		    list[i].name, list[i].key_type);
	s->log(s->owner, NULL, line, PLUGIN_LOG_INFO);
	say(s, "unknown table", t->get_table(in->owner, "no.such", 1) != NULL);
	say(s, "wrong key",
	    t->get_table(in->owner, "threads", PLUGIN_STATE_STRING) != NULL);
	if (s->counts) {
		fields = t->fields_ext->list_table_fields(s->counts, &n);
		snprintf(line, sizeof(line), "fields:");
		for (uint32_t i = 0; i < n; i++)
			snprintf(line + strlen(line), sizeof(line) - strlen(line),
			    " %s/%d/%u", fields[i].name, fields[i].field_type,
			    fields[i].read_only);
		s->log(s->owner, NULL, line, PLUGIN_LOG_INFO);
		say(s, "unknown field",
		    t->fields_ext->get_table_field(
			s->counts, "no_such", PLUGIN_STATE_UINT64) != NULL);
		/* A handle is a table_input: an SDK reads it. */
		snprintf(line, sizeof(line), "handle: %s/%d",
		    ((struct plugin_table_input *)s->counts)->name,
		    ((struct plugin_table_input *)s->counts)->key_type);
		s->log(s->owner, NULL, line, PLUGIN_LOG_INFO);
	}
	say(s, "another type",
	    t->fields_ext->add_table_field(
		s->threads, "container_id", PLUGIN_STATE_UINT64) != NULL);
	say(s, "a table field",
	    t->fields_ext->add_table_field(s->threads, "x", PLUGIN_STATE_TABLE) != NULL);
}

plugin_state *
plugin_init(const struct plugin_init_input *in, int32_t *rc)
{
	struct state *s = calloc(1, sizeof(*s));
	const struct plugin_init_tables *t = in->tables;

	s->owner = in->owner;
	s->last_error = in->get_owner_last_error;
	s->log = in->log_fn;
	s->leaks = strstr(in->config, "leaks") != NULL;
	s->tidies = strstr(in->config, "tidy") != NULL;
	s->reader = t->reader_ext;
	s->writer = t->writer_ext;
	s->counts = t->get_table(in->owner, "owner.counts", PLUGIN_STATE_UINT64);
	s->threads = t->get_table(in->owner, "threads", PLUGIN_STATE_INT64);
	if (s->counts)
		find_fields(s, t);
	if (s->threads)
		find_thread_fields(s, t);
	if (!strstr(in->config, "quiet"))
		look_around(s, in);
	*rc = s->threads && s->comm && s->container && s->fd_name ? PLUGIN_SUCCESS
								  : PLUGIN_FAILURE;
	return s;
}

static void
release(struct state *s, plugin_table *t, plugin_entry *e)
{
	if (e && !s->leaks)
		s->reader->release_table_entry(t, e);
}

static uint64_t
digit_of(const struct plugin_event_input *event)
{
	char text[KIT_PAYLOAD + 1];

	kit_payload(event, text, sizeof(text));
	return strtoull(text, NULL, 10) % 10;
}

/* A thread by the event's number, with a file. */
static void
put_thread(struct state *s, const struct plugin_parse_input *in, uint64_t number)
{
	struct plugin_table_writer *w = in->table_writer_ext;
	union plugin_state_data key = {.s64 = (int64_t)number}, v, sub = {0};
	plugin_entry *e = w->create_table_entry(s->threads), *file;
	char comm[32];

	snprintf(comm, sizeof(comm), "comm-%llu", (unsigned long long)number);
	v.str = comm;
	w->write_entry_field(s->threads, e, s->comm, &v);
	v.str = "abc";
	w->write_entry_field(s->threads, e, s->container, &v);
	e = w->add_table_entry(s->threads, &key, e);
	if (in->table_reader_ext->read_entry_field(s->threads, e, s->fds, &sub) ==
	    PLUGIN_SUCCESS) {
		key.s64 = 3;
		file = w->create_table_entry(sub.table);
		v.str = "/etc/passwd";
		w->write_entry_field(sub.table, file, s->fd_name, &v);
		file = w->add_table_entry(sub.table, &key, file);
		release(s, sub.table, file);
	}
	release(s, s->threads, e);
}

static void
tidy(struct state *s, const struct plugin_parse_input *in)
{
	const union plugin_state_data digit = {.u64 = 3}, thread = {.s64 = 5};
	const struct plugin_table_reader *r = &in->table_reader;
	const struct plugin_table_writer *w = &in->table_writer;
	char line[256];

	say(s, "erase", w->erase_table_entry(s->counts, &digit) == PLUGIN_SUCCESS);
	say(s, "erase again", w->erase_table_entry(s->counts, &digit) == PLUGIN_SUCCESS);
	say(s, "entry", r->get_table_entry(s->counts, &digit) != NULL);
	say(s, "erase thread",
	    w->erase_table_entry(s->threads, &thread) == PLUGIN_SUCCESS);
	say(s, "thread", r->get_table_entry(s->threads, &thread) != NULL);
	snprintf(line, sizeof(line), "sizes: %s %llu, %s %llu",
	    r->get_table_name(s->counts),
	    (unsigned long long)r->get_table_size(s->counts),
	    r->get_table_name(s->threads),
	    (unsigned long long)r->get_table_size(s->threads));
	s->log(s->owner, NULL, line, PLUGIN_LOG_INFO);
	say(s, "clear", w->clear_table(s->counts) == PLUGIN_SUCCESS);
	say(s, "clear threads", w->clear_table(s->threads) == PLUGIN_SUCCESS);
	snprintf(line, sizeof(line), "cleared: %llu %llu",
	    (unsigned long long)r->get_table_size(s->counts),
	    (unsigned long long)r->get_table_size(s->threads));
	s->log(s->owner, NULL, line, PLUGIN_LOG_INFO);
}

int32_t
plugin_parse_event(plugin_state *sv, const struct plugin_event_input *event,
    const struct plugin_parse_input *in)
{
	struct state *s = sv;
	union plugin_state_data key = {.u64 = digit_of(event)}, v = {0}, sub = {0};
	plugin_entry *e =
	    s->counts ? in->table_reader_ext->get_table_entry(s->counts, &key) : NULL;

	if (e) {
		in->table_reader_ext->read_entry_field(s->counts, e, s->hits, &v);
		v.u64 *= 10;
		in->table_writer_ext->write_entry_field(s->counts, e, s->seen, &v);
		if (in->table_reader_ext->read_entry_field(
			s->counts, e, s->nested, &sub) == PLUGIN_SUCCESS) {
			key.u64 = 7;
			plugin_entry *n =
			    in->table_reader_ext->get_table_entry(sub.table, &key);
			if (!n) {
				n = in->table_writer_ext->create_table_entry(sub.table);
				n = in->table_writer_ext->add_table_entry(
				    sub.table, &key, n);
			}
			in->table_writer_ext->write_entry_field(
			    sub.table, n, s->value, &v);
			release(s, sub.table, n);
		}
		/* Not ours to write: the words are the owner's. */
		s->text[F_ERROR][0] = '\0';
		if (in->table_writer_ext->write_entry_field(s->counts, e, s->hits, &v) !=
		    PLUGIN_SUCCESS)
			snprintf(s->text[F_ERROR], sizeof(s->text[F_ERROR]), "%s",
			    s->last_error(s->owner));
		release(s, s->counts, e);
	}
	put_thread(s, in, event->evtnum);
	if (s->tidies && event->evtnum == 20)
		tidy(s, in);
	return PLUGIN_SUCCESS;
}

static uint32_t
add_up(void *sv, plugin_entry *e)
{
	struct state *s = sv;
	union plugin_state_data v = {0};

	if (s->reader->read_entry_field(s->counts, e, s->hits, &v) != PLUGIN_SUCCESS)
		return 0;
	s->sum += v.u64;
	return 1;
}

static void
look(struct state *s, const struct plugin_event_input *event)
{
	union plugin_state_data key = {.u64 = digit_of(event)}, v = {0}, sub = {0};
	plugin_entry *e = s->counts ? s->reader->get_table_entry(s->counts, &key) : NULL;

	if (e) {
		s->reader->read_entry_field(s->counts, e, s->hits, &v);
		s->number[F_HITS] = v.u64;
		s->reader->read_entry_field(s->counts, e, s->seen, &v);
		s->number[F_SEEN] = v.u64;
		if (s->reader->read_entry_field(s->counts, e, s->label, &v) ==
		    PLUGIN_SUCCESS)
			snprintf(s->text[F_LABEL], sizeof(s->text[F_LABEL]), "%s", v.str);
		if (s->reader->read_entry_field(s->counts, e, s->nested, &sub) ==
		    PLUGIN_SUCCESS) {
			key.u64 = 7;
			plugin_entry *n = s->reader->get_table_entry(sub.table, &key);
			if (n && s->reader->read_entry_field(
				     sub.table, n, s->value, &v) == PLUGIN_SUCCESS)
				s->number[F_NESTED] = v.u64;
			release(s, sub.table, n);
		}
		release(s, s->counts, e);
	} else {
		const char *why = s->last_error(s->owner);
		snprintf(
		    s->text[F_ERROR], sizeof(s->text[F_ERROR]), "%s", why ? why : "");
	}
	s->number[F_SIZE] = s->counts ? s->reader->get_table_size(s->counts) : 0;
	s->sum = 0;
	if (s->counts && !s->reader->iterate_entries(s->counts, add_up, s))
		s->sum = 999999;
	s->number[F_SUM] = s->sum;
	s->number[F_THREADS] = s->reader->get_table_size(s->threads);
	key.s64 = (int64_t)event->evtnum;
	e = s->reader->get_table_entry(s->threads, &key);
	if (e &&
	    s->reader->read_entry_field(s->threads, e, s->comm, &v) == PLUGIN_SUCCESS)
		snprintf(s->text[F_COMM], sizeof(s->text[F_COMM]), "%s", v.str);
	release(s, s->threads, e);
}

int32_t
plugin_extract_fields(plugin_state *sv, const struct plugin_event_input *event,
    const struct plugin_extract_input *in)
{
	struct state *s = sv;

	look(s, event);
	for (uint32_t i = 0; i < in->num_fields; i++) {
		struct plugin_extract_field *x = &in->fields[i];
		x->res_len = 1;
		s->str[x->field_id] = s->text[x->field_id];
		if (x->ftype == PLUGIN_FIELD_STRING)
			x->res.str = &s->str[x->field_id];
		else
			x->res.u64 = &s->number[x->field_id];
	}
	return PLUGIN_SUCCESS;
}
