/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A source for the tests of the worker: numbered events, and fields that tell how they
 * were asked for. What next_batch does is the open parameter, words with a number or not:
 *
 *   n=6 batch=4     six events, four at a time
 *   end=eof         what follows them: eof (with the last of them: last=1), timeout,
 * fail, zero (success without events) size=100        bytes of each payload; huge=2:
 * event 2 is too large to be delivered bad=3           event 3 has a plugin id that is
 * not ours wait=1          time-outs take a while
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proto/plugin_api.h"

#define SYM(name, required, type, params) PLUGIN_EXPORT type plugin_##name params;
#include "proto/plugin_symbols.h"
#undef SYM

enum {
	ID = 31,
	BATCH = 64,
	N_FIELDS = 10,
	HUGE_BYTES = 2 << 20
};

struct state {
	char error[64];
	uint32_t batches; /* next_batch calls so far */
	uint64_t last_number;
	uint32_t calls; /* extract_fields calls on the event at hand */
	uint32_t shared;
	char text[64], key[64], source[64];
	const char *str[N_FIELDS][3];
	uint64_t num[N_FIELDS][2];
	uint32_t flag;
	struct plugin_byte_buffer buffer;
	pthread_t talker;
};

struct instance {
	uint32_t n, batch, size, next, huge, bad, last, wait;
	int32_t end;
	struct plugin_event *event[BATCH];
};

const char *
plugin_get_required_api_version(void)
{
	return "3.0.0";
}

const char *
plugin_get_version(void)
{
	return "0.1.0";
}

const char *
plugin_get_name(void)
{
	return "counter";
}

const char *
plugin_get_description(void)
{
	return "counts";
}

const char *
plugin_get_contact(void)
{
	return "nobody";
}

uint32_t
plugin_get_id(void)
{
	return ID;
}

const char *
plugin_get_event_source(void)
{
	return "counter";
}

const char *
plugin_get_last_error(plugin_state *s)
{
	return ((struct state *)s)->error;
}

static const struct plugin_init_input *init_input;

static void *
talk(void *arg)
{
	for (int i = 0; i < 3; i++)
		init_input->log_fn(
		    init_input->owner, "talker", "a line from a thread", PLUGIN_LOG_INFO);
	return NULL;
}

plugin_state *
plugin_init(const struct plugin_init_input *in, int32_t *rc)
{
	struct state *s = calloc(1, sizeof(*s));
	uint32_t n_tables = 1;

	*rc = PLUGIN_FAILURE;
	snprintf(s->error, sizeof(s->error), "no tables");
	if (!in->tables || !in->tables->list_tables(in->owner, &n_tables) ||
	    n_tables != 0 ||
	    in->tables->get_table(in->owner, "threads", PLUGIN_STATE_INT64))
		return s;
	if (strcmp(in->config, "shout") == 0) {
		init_input = in;
		if (pthread_create(&s->talker, NULL, talk, NULL) != 0)
			return s;
		pthread_join(s->talker, NULL);
	}
	*rc = PLUGIN_SUCCESS;
	return s;
}

void
plugin_destroy(plugin_state *s)
{
	free(s);
}

const char *
plugin_get_fields(void)
{
	return "[{\"type\":\"uint64\",\"name\":\"c.index\",\"desc\":\"counts from 0\"},"
	       "{\"type\":\"uint64\",\"name\":\"c.number\",\"desc\":\"evtnum\"},"
	       "{\"type\":\"uint64\",\"name\":\"c.calls\",\"desc\":\"extract_fields so "
	       "far\"},"
	       "{\"type\":\"uint64\",\"name\":\"c.batches\",\"desc\":\"next_batch so "
	       "far\"},"
	       "{\"type\":\"string\",\"name\":\"c.key\",\"desc\":\"argument and source\","
	       "\"arg\":{\"isRequired\":true,\"isKey\":true}},"
	       "{\"type\":\"string\",\"name\":\"c.list\",\"isList\":true,\"desc\":\"0 to "
	       "2\"},"
	       "{\"type\":\"bool\",\"name\":\"c.odd\",\"desc\":\"is it\"},"
	       "{\"type\":\"ipaddr\",\"name\":\"c.ip\",\"desc\":\"10.0.0.index\"},"
	       "{\"type\":\"string\",\"name\":\"c.fails\",\"desc\":\"never there\"},"
	       "{\"type\":\"string\",\"name\":\"c.two\",\"desc\":\"two of what is no "
	       "list\"}]";
}

enum {
	INDEX,
	NUMBER,
	CALLS,
	BATCHES,
	KEY,
	LIST,
	ODD,
	IP,
	FAILS,
	TWO
};

const char *
plugin_list_open_params(plugin_state *s, int32_t *rc)
{
	*rc = PLUGIN_SUCCESS;
	return "[{\"value\":\"n=1\",\"desc\":\"one\"}, /* or */ {\"value\":\"n=2\"}]";
}

static uint32_t
word(const char *params, const char *name, uint32_t otherwise)
{
	const char *p = strstr(params, name);

	return p ? (uint32_t)strtoul(p + strlen(name), NULL, 10) : otherwise;
}

plugin_instance *
plugin_open(plugin_state *state, const char *params, int32_t *rc)
{
	struct state *s = state;

	if (strcmp(params, "no") == 0) {
		snprintf(s->error, sizeof(s->error), "will not open");
		*rc = PLUGIN_FAILURE;
		return NULL;
	}
	struct instance *h = calloc(1, sizeof(*h));
	h->n = word(params, "n=", 4);
	h->batch = word(params, "batch=", 4);
	h->size = word(params, "size=", 8);
	h->huge = word(params, "huge=", UINT32_MAX);
	h->bad = word(params, "bad=", UINT32_MAX);
	h->last = word(params, "last=", 0);
	h->wait = word(params, "wait=", 0);
	s->shared = word(params, "shared=", 0);
	h->end = strstr(params, "end=timeout") ? PLUGIN_TIMEOUT
		 : strstr(params, "end=fail")  ? PLUGIN_FAILURE
		 : strstr(params, "end=zero")  ? PLUGIN_SUCCESS
					       : PLUGIN_EOF;
	*rc = PLUGIN_SUCCESS;
	return h;
}

static void
drop_events(struct instance *h)
{
	for (int i = 0; i < BATCH; i++) {
		free(h->event[i]);
		h->event[i] = NULL;
	}
}

void
plugin_close(plugin_state *s, plugin_instance *h)
{
	drop_events(h);
	free(h);
}

static struct plugin_event *
make_event(const struct instance *h, uint32_t index)
{
	uint32_t size = index == h->huge ? HUGE_BYTES : h->size, len = 38 + size;
	const uint32_t lens[2] = {4, size}, id = index == h->bad ? ID + 1 : 0;
	char *e = calloc(1, len + 1);
	const struct plugin_event head = {
	    .ts = 1000 + index, .len = len, .type = PLUGIN_EVENT_TYPE, .nparams = 2};

	memcpy(e, &head, sizeof(head));
	memcpy(e + 26, lens, sizeof(lens));
	memcpy(e + 34, &id, sizeof(id));
	snprintf(e + 38, size, "%u", index);
	return (struct plugin_event *)(void *)e;
}

int32_t
plugin_next_batch(plugin_state *state, plugin_instance *instance, uint32_t *nevts,
    struct plugin_event ***evts)
{
	struct state *s = state;
	struct instance *h = instance;
	uint32_t k = 0;

	s->batches++;
	drop_events(h);
	for (; k < h->batch && k < BATCH && h->next < h->n; k++)
		h->event[k] = make_event(h, h->next++);
	*nevts = k;
	*evts = h->event;
	if (k > 0 && !(h->last && h->next == h->n))
		return PLUGIN_SUCCESS;
	if (h->wait)
		usleep(1000);
	snprintf(s->error, sizeof(s->error), "ran dry");
	return h->end;
}

const char *
plugin_event_to_string(plugin_state *state, const struct plugin_event_input *in)
{
	struct state *s = state;

	snprintf(s->text, sizeof(s->text), "event %s", (const char *)in->evt + 38);
	/* Nothing for the first: the worker describes it. */
	return in->evt->ts == 1000 ? NULL : s->text;
}

int32_t
plugin_extract_fields(plugin_state *state, const struct plugin_event_input *event,
    const struct plugin_extract_input *in)
{
	struct state *s = state;
	uint64_t index = strtoul((const char *)event->evt + 38, NULL, 10);
	static unsigned char ip[4] = {10, 0, 0, 0};

	if (event->evtnum != s->last_number)
		s->calls = 0;
	s->last_number = event->evtnum;
	s->calls++;
	for (uint32_t i = 0; i < in->num_fields; i++) {
		struct plugin_extract_field *f = &in->fields[i];
		uint32_t id = f->field_id;
		f->res_len = 1;
		f->res.u64 = s->num[s->shared ? 0 : id];
		switch (id) {
		case INDEX:
			f->res.u64[0] = index;
			break;
		case NUMBER:
			f->res.u64[0] = event->evtnum;
			break;
		case CALLS:
			f->res.u64[0] = s->calls;
			break;
		case BATCHES:
			f->res.u64[0] = s->batches;
			break;
		case KEY:
			snprintf(
			    s->key, sizeof(s->key), "%s@%s", f->arg_key, event->evtsrc);
			s->str[id][0] = s->key;
			f->res.str = s->str[id];
			break;
		case LIST:
		case TWO:
			s->str[id][0] = "a";
			s->str[id][1] = "bc";
			f->res.str = s->str[id];
			f->res_len = id == TWO ? 2 : index % 3;
			break;
		case ODD:
			s->flag = index & 1;
			f->res.boolean = &s->flag;
			break;
		case IP:
			ip[3] = (unsigned char)index;
			s->buffer = (struct plugin_byte_buffer){sizeof(ip), ip};
			f->res.buf = &s->buffer;
			break;
		default:
			snprintf(s->error, sizeof(s->error), "field %u is a bad one", id);
			return PLUGIN_FAILURE;
		}
	}
	return PLUGIN_SUCCESS;
}
