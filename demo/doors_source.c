/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An example plugin with a mistake in it: doors of a building, each opening an event. The
 * reader of door 7 sends a record without a badge, and the code that takes the badge
 * apart does not expect that: it crashes, as published plugins do on records of that
 * kind.
 *
 * The feed is live: record i exists from "start=MILLISECONDS" + i × 100 ms on, whether
 * somebody listens or not, and after 2.5 s there are no more.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "proto/plugin_api.h"

#define SYM(name, required, ret, params) PLUGIN_EXPORT ret plugin_##name params;
#include "proto/plugin_symbols.h"
#undef SYM

enum {
	ID = 991,
	RECORDS = 25,
	EVERY_MS = 100,
	BAD_RECORD = 7,
	EVENT_BYTES = 64,
	BADGE_BYTES = 16
};

enum field {
	DOOR,
	BADGE
};

struct state {
	uint64_t door;
	char badge[BADGE_BYTES];
	const char *str;
};

struct instance {
	uint64_t start_ms;
	unsigned next;
	unsigned char memory[EVENT_BYTES];
	struct plugin_event *event;
};

const char *
plugin_get_required_api_version(void)
{
	return "3.0.0";
}

const char *
plugin_get_name(void)
{
	return "doors";
}

const char *
plugin_get_description(void)
{
	return "doors of a building, from a reader that sends a bad record";
}

const char *
plugin_get_contact(void)
{
	return "the mews authors";
}

const char *
plugin_get_version(void)
{
	return "0.1.0";
}

uint32_t
plugin_get_id(void)
{
	return ID;
}

const char *
plugin_get_event_source(void)
{
	return "doors";
}

const char *
plugin_get_last_error(plugin_state *s)
{
	(void)s;
	return "";
}

plugin_state *
plugin_init(const struct plugin_init_input *in, int32_t *rc)
{
	struct state *s = calloc(1, sizeof(*s));

	(void)in;
	*rc = s ? PLUGIN_SUCCESS : PLUGIN_FAILURE;
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
	return "[{\"type\":\"uint64\",\"name\":\"door.number\",\"desc\":\"which door\"},"
	       "{\"type\":\"string\",\"name\":\"door.badge\",\"desc\":\"whose badge\"}]";
}

static uint64_t
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* Whoever opens the feed hears what comes from now on. */
plugin_instance *
plugin_open(plugin_state *s, const char *params, int32_t *rc)
{
	struct instance *h = calloc(1, sizeof(*h));
	const char *start = params ? strstr(params, "start=") : NULL;
	uint64_t now = now_ms();

	(void)s;
	*rc = h ? PLUGIN_SUCCESS : PLUGIN_FAILURE;
	if (!h)
		return NULL;
	h->start_ms = start ? strtoull(start + 6, NULL, 10) : now;
	h->next = now > h->start_ms ? (unsigned)((now - h->start_ms) / EVERY_MS) + 1 : 0;
	return h;
}

void
plugin_close(plugin_state *s, plugin_instance *h)
{
	(void)s;
	free(h);
}

/* The badge's holder, behind the colon; every record has one. (No: that is the mistake.)
 */
static size_t
badge_holder(const char *record, char *out)
{
	const char *colon = strchr(record, ':');
	size_t n = strlen(colon + 1);

	memcpy(out, colon + 1, n);
	return n;
}

int32_t
plugin_next_batch(
    plugin_state *s, plugin_instance *hv, uint32_t *nevts, struct plugin_event ***evts)
{
	static const char *const records[] = {"12:maria", "3:tomasz", "3:maria", "8:lena",
	    "12:tomasz", "1:guest", "8:maria"};
	struct instance *h = hv;
	uint64_t due = h->start_ms + h->next * EVERY_MS, now = now_ms();
	uint32_t len, four = 4, id = ID;
	char payload[BADGE_BYTES];
	struct plugin_event e;

	(void)s;
	*nevts = 0;
	if (h->next >= RECORDS)
		return PLUGIN_EOF;
	if (due > now)
		usleep((useconds_t)(due - now) * 1000);
	payload[0] = (char)strtoul(records[h->next % 7], NULL, 10);
	len = 1 + (uint32_t)badge_holder(
		      h->next == BAD_RECORD ? "7" : records[h->next % 7], payload + 1);
	h->next++;
	e = (struct plugin_event){
	    .ts = due * 1000000,
	    .tid = UINT64_MAX,
	    .len = PLUGIN_EVENT_PAYLOAD_OFF + len,
	    .type = PLUGIN_EVENT_TYPE,
	    .nparams = 2,
	};
	memcpy(h->memory, &e, sizeof(e));
	memcpy(h->memory + 26, &four, 4);
	memcpy(h->memory + 30, &len, 4);
	memcpy(h->memory + 34, &id, 4);
	memcpy(h->memory + PLUGIN_EVENT_PAYLOAD_OFF, payload, len);
	h->event = (struct plugin_event *)h->memory;
	*nevts = 1;
	*evts = &h->event;
	return PLUGIN_SUCCESS;
}

int32_t
plugin_extract_fields(plugin_state *sv, const struct plugin_event_input *event,
    const struct plugin_extract_input *in)
{
	const char *payload = (const char *)event->evt + PLUGIN_EVENT_PAYLOAD_OFF;
	size_t n = event->evt->len - PLUGIN_EVENT_PAYLOAD_OFF;
	struct state *s = sv;

	s->door = (unsigned char)payload[0];
	snprintf(s->badge, sizeof(s->badge), "%.*s", (int)(n - 1), payload + 1);
	s->str = s->badge;
	for (uint32_t i = 0; i < in->num_fields; i++) {
		struct plugin_extract_field *x = &in->fields[i];
		x->res_len = 1;
		if (x->field_id == DOOR)
			x->res.u64 = &s->door;
		else
			x->res.str = &s->str;
	}
	return PLUGIN_SUCCESS;
}
