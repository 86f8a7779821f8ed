/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Injects events from a thread of its own, and extracts from them.
 *
 * Falco takes them from the moment that the source is open until it closes: the event
 * gets the id of the source's plugin, the next number, and, without a time of its own,
 * that of the last event; it is delivered when the source returns. Here a source that
 * blocks holds nothing up. What Falco refuses is refused with its words:
 * init_config "bad" tries that and logs the answers.
 *
 * dump_state tells so many events of its state, at the head of a capture file.
 *
 * init_config: n=EVENTS,wait_us=BEFORE,pause_us=AFTER_EACH,ts=NS (0: none),
 * dump=EVENTS (1),dump_us=AFTER_EACH
 */
#ifndef KIT_NAME
#define KIT_NAME "async"
#endif
#define KIT_OWN_get_id
#define KIT_OWN_get_event_source
#define KIT_OWN_open
#define KIT_OWN_close
#define KIT_OWN_next_batch
#define KIT_OWN_init
#define KIT_OWN_extract_fields
#define KIT_FIELDS                                                                       \
	"[{\"type\":\"string\",\"name\":\"" KIT_NAME                                     \
	".data\",\"desc\":\"data of an injected event\"},"                               \
	"{\"type\":\"uint64\",\"name\":\"" KIT_NAME                                      \
	".id\",\"desc\":\"the plugin id in it\"},"                                       \
	"{\"type\":\"uint64\",\"name\":\"" KIT_NAME                                      \
	".parsed\",\"desc\":\"events parsed so far\"}]"
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include "tests/plugins/kit.h"

enum {
	EVENT_BYTES = 42 + 64 + 64
};

struct state {
	plugin_owner *log_owner;
	plugin_log_fn log;
	unsigned long n, wait_us, pause_us, dump, dump_us;
	uint64_t ts, parsed;
	bool bad;
	pthread_t thread;
	bool has_thread;
	_Atomic bool stop;
	plugin_owner *owner;
	plugin_async_handler handler;
	char data[65];
	const char *str;
	uint64_t id;
};

static void
say(struct state *s, const char *what, int32_t rc, const char *text)
{
	char line[1200];

	snprintf(line, sizeof(line), "%s: %d '%s'", what, rc, text);
	s->log(s->log_owner, NULL, line, PLUGIN_LOG_INFO);
}

static uint32_t
make(unsigned char *m, uint64_t ts, uint64_t tid, const char *name, const char *data)
{
	uint32_t n[3] = {4, (uint32_t)strlen(name) + 1, (uint32_t)strlen(data)};
	uint32_t len = 26 + sizeof(n) + n[0] + n[1] + n[2], params = 3, id = 77;
	uint16_t type = PLUGIN_ASYNC_EVENT_TYPE;

	memcpy(m, &ts, 8);
	memcpy(m + 8, &tid, 8);
	memcpy(m + 16, &len, 4);
	memcpy(m + 20, &type, 2);
	memcpy(m + 22, &params, 4);
	memcpy(m + 26, n, sizeof(n));
	memcpy(m + 38, &id, 4);
	memcpy(m + 42, name, n[1]);
	memcpy(m + 42 + n[1], data, n[2]);
	return len;
}

static int32_t
emit(struct state *s, plugin_async_handler handler, plugin_owner *owner, uint64_t ts,
    uint64_t tid, const char *name, const char *data, char *err)
{
	unsigned char m[EVENT_BYTES];

	make(m, ts, tid, name, data);
	return handler(owner, (struct plugin_event *)m, err);
}

static void
try_bad(struct state *s)
{
	unsigned char m[EVENT_BYTES];
	char err[1024] = "";
	int32_t rc;

	rc = emit(s, s->handler, s->owner, UINT64_MAX, UINT64_MAX, "unheard", "x", err);
	say(s, "unknown name", rc, err);
	err[0] = '\0';
	rc = emit(s, s->handler, s->owner, UINT64_MAX, 5, KIT_NAME ".tick", "x", err);
	say(s, "with thread", rc, err);
	make(m, UINT64_MAX, UINT64_MAX, KIT_NAME ".tick", "x");
	m[22] = 2;
	err[0] = '\0';
	rc = s->handler(s->owner, (struct plugin_event *)m, err);
	say(s, "two parameters", rc, err);
	make(m, UINT64_MAX, UINT64_MAX, KIT_NAME ".tick", "x");
	m[20] = 66;
	rc = s->handler(s->owner, (struct plugin_event *)m, NULL);
	say(s, "another type, no room for words", rc, "");
	err[0] = '\0';
	rc = emit(s, s->handler, s->owner, ((uint64_t)time(NULL) + 60) * 1000000000u,
	    UINT64_MAX, KIT_NAME ".tick", "future", err);
	say(s, "a minute ahead", rc, err);
}

static void *
run(void *arg)
{
	struct state *s = arg;
	char data[32];

	if (s->bad)
		try_bad(s);
	if (s->wait_us)
		usleep((useconds_t)s->wait_us);
	for (unsigned long i = 0; i < s->n && !atomic_load(&s->stop); i++) {
		snprintf(data, sizeof(data), "event %lu", i);
		emit(s, s->handler, s->owner, s->ts ? s->ts + i : UINT64_MAX, UINT64_MAX,
		    KIT_NAME ".tick", data, NULL);
		if (s->pause_us)
			usleep((useconds_t)s->pause_us);
	}
	return NULL;
}

plugin_state *
plugin_init(const struct plugin_init_input *in, int32_t *rc)
{
	struct state *s = calloc(1, sizeof(*s));

	s->log_owner = in->owner;
	s->log = in->log_fn;
	s->n = kit_param(in->config, "n=", 3);
	s->wait_us = kit_param(in->config, "wait_us=", 0);
	s->pause_us = kit_param(in->config, "pause_us=", 0);
	s->ts = kit_param(in->config, "ts=", 0);
	s->dump = kit_param(in->config, "dump=", 1);
	s->dump_us = kit_param(in->config, "dump_us=", 0);
	s->bad = strstr(in->config, "bad") != NULL;
	*rc = PLUGIN_SUCCESS;
	return s;
}

const char *
plugin_get_async_events(void)
{
	return "[\"" KIT_NAME ".tick\"]";
}

#ifdef ASYNC_SOURCES
const char *
plugin_get_async_event_sources(void)
{
	return ASYNC_SOURCES;
}
#endif

int32_t
plugin_set_async_event_handler(
    plugin_state *sv, plugin_owner *owner, plugin_async_handler handler)
{
	struct state *s = sv;

	if (!handler) {
		char err[1024] = "";
		atomic_store(&s->stop, true);
		if (s->has_thread)
			pthread_join(s->thread, NULL);
		s->has_thread = false;
		say(s, "handler taken away", 0, err);
		return PLUGIN_SUCCESS;
	}
	s->owner = owner;
	s->handler = handler;
#ifdef ASYNC_REFUSES
	return PLUGIN_FAILURE;
#endif
	s->has_thread = pthread_create(&s->thread, NULL, run, s) == 0;
	return s->has_thread ? PLUGIN_SUCCESS : PLUGIN_FAILURE;
}

int32_t
plugin_dump_state(plugin_state *sv, plugin_owner *owner, plugin_async_handler handler)
{
	struct state *s = sv;
	int32_t rc = PLUGIN_SUCCESS;

	for (unsigned long i = 0; rc == PLUGIN_SUCCESS && i < s->dump; i++) {
		rc = emit(
		    s, handler, owner, 5, UINT64_MAX, KIT_NAME ".tick", "state", NULL);
		usleep((useconds_t)s->dump_us);
	}
	return rc;
}

uint16_t *
plugin_get_extract_event_types(uint32_t *n, plugin_state *s)
{
	static uint16_t types[] = {PLUGIN_EVENT_TYPE, PLUGIN_ASYNC_EVENT_TYPE};

	(void)s;
	*n = 2;
	return types;
}

uint16_t *
plugin_get_parse_event_types(uint32_t *n, plugin_state *s)
{
	return plugin_get_extract_event_types(n, s);
}

int32_t
plugin_parse_event(plugin_state *sv, const struct plugin_event_input *event,
    const struct plugin_parse_input *in)
{
	struct state *s = sv;

	(void)event;
	(void)in;
	s->parsed++;
	return PLUGIN_SUCCESS;
}

int32_t
plugin_extract_fields(plugin_state *sv, const struct plugin_event_input *event,
    const struct plugin_extract_input *in)
{
	struct state *s = sv;
	const unsigned char *m = (const unsigned char *)event->evt;
	bool injected = event->evt->type == PLUGIN_ASYNC_EVENT_TYPE;
	uint32_t n[3], id;

	memcpy(n, m + 26, sizeof(n));
	if (injected) {
		memcpy(&id, m + 38, 4);
		s->id = id;
		snprintf(s->data, sizeof(s->data), "%.*s", (int)n[2], m + 42 + n[1]);
	}
	s->str = s->data;
	for (uint32_t i = 0; i < in->num_fields; i++) {
		struct plugin_extract_field *x = &in->fields[i];
		x->res_len = injected || x->field_id == 2;
		if (x->field_id == 0)
			x->res.str = &s->str;
		else
			x->res.u64 = x->field_id == 1 ? &s->id : &s->parsed;
	}
	return PLUGIN_SUCCESS;
}
