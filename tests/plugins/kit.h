/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the test plugins have in common. A plugin's file says what is different about it
 * and includes this header; all else is a small, well-behaved source with two fields:
 *
 *   KIT_NAME      its name, its source, the prefix of its fields ("kit")
 *   KIT_ID, KIT_API, KIT_VERSION, KIT_SOURCE, KIT_FIELDS, KIT_SCHEMA
 *   KIT_HOOK      the file defines kit_at(step, number), called first thing in each step
 *   KIT_OWN_x     the file defines plugin_x itself, or leaves it out
 *
 * Open parameters: "n=EVENTS,pause_us=MICROSECONDS"; event i (from 0) is at 1700000000 s
 * + i ms and its payload is i in decimal digits.
 */
#ifndef TESTS_PLUGINS_KIT_H
#define TESTS_PLUGINS_KIT_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proto/plugin_api.h"

#ifndef KIT_NAME
#define KIT_NAME "kit"
#endif
#ifndef KIT_ID
#define KIT_ID 4242
#endif
#ifndef KIT_API
#define KIT_API "3.0.0"
#endif
#ifndef KIT_VERSION
#define KIT_VERSION "0.1.0"
#endif
#ifndef KIT_SOURCE
#define KIT_SOURCE KIT_NAME
#endif
#ifndef KIT_FIELDS
#define KIT_FIELDS                                                                       \
	"[{\"type\":\"uint64\",\"name\":\"" KIT_NAME ".num\",\"desc\":\"its number\"},"  \
	"{\"type\":\"string\",\"name\":\"" KIT_NAME ".text\",\"desc\":\"its payload\"}]"
#endif

#ifdef __cplusplus
extern "C" {
#endif
#define SYM(name, required, ret, params) PLUGIN_EXPORT ret plugin_##name params;
#include "proto/plugin_symbols.h"
#undef SYM
#ifdef __cplusplus
}
#endif

enum kit_step {
	KIT_CONSTRUCTOR,
	KIT_INIT,
	KIT_OPEN,
	KIT_NEXT_BATCH, /* once per event, with its number */
	KIT_EXTRACT,    /* once per event, with its number */
	KIT_CLOSE,
	KIT_DESTROY,
};

#ifdef KIT_HOOK
static void kit_at(enum kit_step step, uint64_t number);
#else
static void
kit_at(enum kit_step step, uint64_t number)
{
	(void)step;
	(void)number;
}
#endif

enum {
	KIT_BATCH = 32,
	KIT_PAYLOAD = 64
};

struct kit_state {
	uint64_t number;
	char text[KIT_PAYLOAD + 1];
	const char *str;
};

struct kit_instance {
	uint64_t n, next;
	unsigned long pause_us;
	char params[128];
	unsigned char memory[KIT_BATCH][PLUGIN_EVENT_PAYLOAD_OFF + KIT_PAYLOAD];
	struct plugin_event *event[KIT_BATCH];
};

__attribute__((constructor)) static void
kit_constructor(void)
{
	kit_at(KIT_CONSTRUCTOR, 0);
}

/* The number behind "name=" in text; without it, or without text, none. */
__attribute__((unused)) static unsigned long
kit_param(const char *text, const char *name, unsigned long none)
{
	const char *p = text ? strstr(text, name) : NULL;

	return p ? strtoul(p + strlen(name), NULL, 10) : none;
}

/* A plugin event at m, which has room for the payload; returns it. */
__attribute__((unused)) static struct plugin_event *
kit_event(unsigned char *m, uint64_t ts_ns, uint32_t id, const void *payload, uint32_t n)
{
	uint32_t four = 4, len = PLUGIN_EVENT_PAYLOAD_OFF + n, params = 2;
	uint16_t type = PLUGIN_EVENT_TYPE;
	uint64_t tid = UINT64_MAX;

	memcpy(m, &ts_ns, 8);
	memcpy(m + 8, &tid, 8);
	memcpy(m + 16, &len, 4);
	memcpy(m + 20, &type, 2);
	memcpy(m + 22, &params, 4);
	memcpy(m + 26, &four, 4);
	memcpy(m + 30, &n, 4);
	memcpy(m + 34, &id, 4);
	memcpy(m + PLUGIN_EVENT_PAYLOAD_OFF, payload, n);
	return (struct plugin_event *)m;
}

__attribute__((unused)) static struct plugin_event *
kit_numbered_event(struct kit_instance *h, uint32_t slot, uint32_t id, uint64_t number)
{
	char text[24];
	int n = snprintf(text, sizeof(text), "%llu", (unsigned long long)number);

	return kit_event(h->memory[slot], 1700000000000000000ull + number * 1000000ull,
	    id, text, (uint32_t)n);
}

/* Copies an event's payload as text, cut to size. */
__attribute__((unused)) static void
kit_payload(const struct plugin_event_input *in, char *out, size_t size)
{
	size_t n = in->evt->len - PLUGIN_EVENT_PAYLOAD_OFF;

	if (n >= size)
		n = size - 1;
	memcpy(out, (const char *)in->evt + PLUGIN_EVENT_PAYLOAD_OFF, n);
	out[n] = '\0';
}

#ifndef KIT_OWN_get_required_api_version
const char *
plugin_get_required_api_version(void)
{
	return KIT_API;
}
#endif

#ifndef KIT_OWN_get_name
const char *
plugin_get_name(void)
{
	return KIT_NAME;
}
#endif

#ifndef KIT_OWN_get_description
const char *
plugin_get_description(void)
{
	return "a plugin of the tests";
}
#endif

#ifndef KIT_OWN_get_contact
const char *
plugin_get_contact(void)
{
	return "none";
}
#endif

#ifndef KIT_OWN_get_version
const char *
plugin_get_version(void)
{
	return KIT_VERSION;
}
#endif

#ifndef KIT_OWN_get_last_error
const char *
plugin_get_last_error(plugin_state *s)
{
	(void)s;
	return KIT_NAME ": out of order";
}
#endif

#ifdef KIT_SCHEMA
const char *
plugin_get_init_schema(uint32_t *type)
{
	*type = PLUGIN_SCHEMA_JSON;
	return KIT_SCHEMA;
}
#endif

#ifndef KIT_OWN_init
plugin_state *
plugin_init(const struct plugin_init_input *in, int32_t *rc)
{
	void *s = calloc(1, sizeof(struct kit_state));

	(void)in;
	kit_at(KIT_INIT, 0);
	*rc = s ? PLUGIN_SUCCESS : PLUGIN_FAILURE;
	return s;
}
#endif

#ifndef KIT_OWN_destroy
void
plugin_destroy(plugin_state *s)
{
	kit_at(KIT_DESTROY, 0);
	free(s);
}
#endif

#ifndef KIT_OWN_get_id
uint32_t
plugin_get_id(void)
{
	return KIT_ID;
}
#endif

#ifndef KIT_OWN_get_event_source
const char *
plugin_get_event_source(void)
{
	return KIT_SOURCE;
}
#endif

#ifndef KIT_OWN_open
plugin_instance *
plugin_open(plugin_state *s, const char *params, int32_t *rc)
{
	struct kit_instance *h = (struct kit_instance *)calloc(1, sizeof(*h));

	(void)s;
	kit_at(KIT_OPEN, 0);
	*rc = h ? PLUGIN_SUCCESS : PLUGIN_FAILURE;
	if (h) {
		h->n = kit_param(params, "n=", 10);
		h->pause_us = kit_param(params, "pause_us=", 0);
		snprintf(h->params, sizeof(h->params), "%s", params ? params : "");
	}
	return h;
}
#endif

#ifndef KIT_OWN_close
void
plugin_close(plugin_state *s, plugin_instance *h)
{
	(void)s;
	kit_at(KIT_CLOSE, 0);
	free(h);
}
#endif

#ifndef KIT_OWN_next_batch
int32_t
plugin_next_batch(
    plugin_state *s, plugin_instance *hv, uint32_t *nevts, struct plugin_event ***evts)
{
	struct kit_instance *h = (struct kit_instance *)hv;
	/* A source that pauses gives its events one by one, as they come. */
	uint32_t k = 0, most = h->pause_us ? 1 : KIT_BATCH;

	(void)s;
	for (; k < most && h->next < h->n; k++, h->next++) {
		if (h->pause_us)
			usleep((useconds_t)h->pause_us);
		kit_at(KIT_NEXT_BATCH, h->next);
		h->event[k] = kit_numbered_event(h, k, KIT_ID, h->next);
	}
	*nevts = k;
	*evts = h->event;
	return k ? PLUGIN_SUCCESS : PLUGIN_EOF;
}
#endif

#ifndef KIT_OWN_get_fields
const char *
plugin_get_fields(void)
{
	return KIT_FIELDS;
}
#endif

#ifndef KIT_OWN_extract_fields
int32_t
plugin_extract_fields(plugin_state *sv, const struct plugin_event_input *event,
    const struct plugin_extract_input *in)
{
	struct kit_state *s = (struct kit_state *)sv;

	kit_payload(event, s->text, sizeof(s->text));
	s->number = strtoull(s->text, NULL, 10);
	kit_at(KIT_EXTRACT, s->number);
	for (uint32_t i = 0; i < in->num_fields; i++) {
		struct plugin_extract_field *x = &in->fields[i];
		x->res_len = 1;
		if (x->field_id == 0) {
			x->res.u64 = &s->number;
		} else {
			s->str = s->text;
			x->res.str = &s->str;
		}
	}
	return PLUGIN_SUCCESS;
}
#endif

#endif
