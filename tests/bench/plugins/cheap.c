/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A source that costs next to nothing, so that what is measured is the way of its events:
 * ten fields at fixed places of the payload, texts copied out and numbers read from
 * digits, as plugins commonly do. What it gives depends on its open parameters alone:
 *
 *   n=      events; after the last one (user "mark", as the first) it is at its end, or
 *   then=1  waits instead, without a word
 *   size=   bytes of payload, 288 at least       batch=  events per next_batch, at most
 *   match=  of thousand events match a rule      kinds=  of so many rules, 1 + 10 * k
 *   rate=   events per second; they bear the wall clock of their next_batch's return
 *   probe=  every so many events one of user "probe"
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PLUGIN_IMPLEMENTS
#include "proto/plugin_api.h"

#ifndef CHEAP_NAME
#define CHEAP_NAME "cheap"
#endif
#ifndef CHEAP_ID
#define CHEAP_ID 4500
#endif

enum {
	TEMPLATES = 256,
	/* Where name and path of a template differ from event to event. */
	NAME_HEX = 0,
	PATH_HEX = sizeof("/api/core/") - 1,
	MAX_BATCH = 1024,
	TIMEOUT_NS = 30000000, /* what the SDKs use */
};

/* clang-format off */
#define TEXTS(T) \
	T(verb, 16) T(user, 48) T(ns, 24) T(resource, 24) T(name, 40) T(path, 64) T(agent, 48)
#define NUMBERS(N) N(code) N(size) N(seq)
/* clang-format on */

enum field {
#define ENUM(name, ...) F_##name,
	TEXTS(ENUM) NUMBERS(ENUM) FIELDS,
	TEXT_FIELDS = F_code,
#undef ENUM
};

struct payload {
#define NUMBER(name) char name[8]; /* digits, without leading zeros */
	NUMBERS(NUMBER)
#undef NUMBER
#define TEXT(name, bytes) char name[bytes];
	TEXTS(TEXT)
#undef TEXT
};

_Static_assert(sizeof(struct payload) == 288, "said above");

struct state {
	uint64_t number[FIELDS];
	const char *str[TEXT_FIELDS];
	char text[TEXT_FIELDS][64];
};

struct instance {
	uint64_t n, next, size, batch, match, kinds, rate, probe, then;
	uint64_t seed, start_ns;
	uint32_t event_bytes;
	unsigned char *template; /* TEMPLATES events */
	unsigned char *memory;   /* batch events */
	struct plugin_event *event[MAX_BATCH];
};

static const uint32_t offset[] = {
#define OFFSET(name, ...) offsetof(struct payload, name),
    TEXTS(OFFSET) NUMBERS(OFFSET)
#undef OFFSET
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
plugin_get_last_error(plugin_state *s)
{
	return "out of memory";
}

const char *
plugin_get_name(void)
{
	return CHEAP_NAME;
}

const char *
plugin_get_description(void)
{
	return "events for measurements";
}

const char *
plugin_get_contact(void)
{
	return "none";
}

plugin_state *
plugin_init(const struct plugin_init_input *in, int32_t *rc)
{
	struct state *s = calloc(1, sizeof(*s));

	*rc = s ? PLUGIN_SUCCESS : PLUGIN_FAILURE;
	for (int i = 0; s && i < TEXT_FIELDS; i++)
		s->str[i] = s->text[i];
	return s;
}

void
plugin_destroy(plugin_state *s)
{
	free(s);
}

uint32_t
plugin_get_id(void)
{
	return CHEAP_ID;
}

const char *
plugin_get_event_source(void)
{
	return CHEAP_NAME;
}

const char *
plugin_get_fields(void)
{
#define TEXT(field, bytes)                                                               \
	"{\"type\":\"string\",\"name\":\"" CHEAP_NAME "." #field "\",\"desc\":\"-\"},"
#define NUMBER(field)                                                                    \
	"{\"type\":\"uint64\",\"name\":\"" CHEAP_NAME "." #field "\",\"desc\":\"-\"},"
	static const char fields[] = "[" TEXTS(TEXT) NUMBERS(NUMBER);
#undef TEXT
#undef NUMBER
	static char text[sizeof(fields) + 1];

	/* The last comma becomes the end. */
	memcpy(text, fields, sizeof(fields));
	text[sizeof(fields) - 2] = ']';
	return text;
}

/* Events. */

static uint32_t
draw(uint64_t *seed, uint32_t below)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)((*seed >> 33) % below);
}

#define SET(p, field, ...) snprintf((p)->field, sizeof((p)->field), __VA_ARGS__)

/* What happens all day, and matches nothing. */
static void
background(struct payload *p, uint64_t *seed)
{
	static const char *const verbs[] = {
	    "get", "list", "watch", "create", "update", "patch", "delete"};
	static const char *const resources[] = {
	    "pods", "secrets", "configmaps", "services", "deployments", "jobs", "nodes"};
	const char *resource = resources[draw(seed, 7)];
	uint32_t ns = draw(seed, 50), name = draw(seed, 1u << 30);

	SET(p, verb, "%s", verbs[draw(seed, 7)]);
	if (draw(seed, 5) < 2)
		SET(p, user, "system:serviceaccount:kube-system:c-%u", draw(seed, 30));
	else
		SET(p, user, "user-%u@example.com", draw(seed, 200));
	SET(p, ns, "team-%u", ns);
	SET(p, resource, "%s", resource);
	SET(p, name, "%08x-%s", name, resource);
	SET(p, path, "/api/core/%08x/namespaces/team-%u/%s", name, ns, resource);
	SET(p, agent, "kubectl/v1.%u (linux/amd64) kubernetes/%06x", draw(seed, 30),
	    draw(seed, 40) * 77777);
	SET(p, code, "%u", draw(seed, 6) ? 200 : 404);
	SET(p, size, "%u", draw(seed, 1000000));
}

static void
make_template(const struct instance *h, unsigned char *m, uint64_t *seed)
{
	struct payload p = {0};
	uint32_t four = 4, n = (uint32_t)h->size, id = CHEAP_ID;
	const struct plugin_event head = {
	    .tid = UINT64_MAX,
	    .len = PLUGIN_EVENT_PAYLOAD_OFF + n,
	    .type = PLUGIN_EVENT_TYPE,
	    .nparams = 2,
	};

	background(&p, seed);
	memset(m, '.', h->event_bytes);
	memcpy(m, &head, sizeof(head));
	memcpy(m + 26, &four, 4);
	memcpy(m + 30, &n, 4);
	memcpy(m + 34, &id, 4);
	memcpy(m + PLUGIN_EVENT_PAYLOAD_OFF, &p, sizeof(p));
}

static uint64_t
param(const char *params, const char *name, uint64_t none, uint64_t least, uint64_t most)
{
	const char *at = params ? strstr(params, name) : NULL;
	uint64_t v = at ? strtoull(at + strlen(name), NULL, 10) : none;

	return v < least ? least : v > most ? most : v;
}

plugin_instance *
plugin_open(plugin_state *s, const char *params, int32_t *rc)
{
	struct instance *h = calloc(1, sizeof(*h));
	uint64_t seed = 1;

	*rc = PLUGIN_FAILURE;
	if (!h)
		return NULL;
	h->n = param(params, "n=", 10, 1, UINT64_MAX);
	h->size = param(params, "size=", 300, sizeof(struct payload), 1 << 20);
	h->batch = param(params, "batch=", 128, 1, MAX_BATCH);
	h->match = param(params, "match=", 0, 0, 1000);
	h->kinds = param(params, "kinds=", 1, 1, 1 << 20);
	h->rate = param(params, "rate=", 0, 0, 1000000000);
	h->probe = param(params, "probe=", 0, 0, UINT64_MAX);
	h->then = param(params, "then=", 0, 0, 1);
	h->event_bytes = (uint32_t)((PLUGIN_EVENT_PAYLOAD_OFF + h->size + 63) / 64 * 64);
	h->template = malloc((size_t)TEMPLATES * h->event_bytes);
	h->memory = malloc(h->batch * h->event_bytes);
	if (!h->template || !h->memory)
		return h;
	for (uint32_t i = 0; i < TEMPLATES; i++)
		make_template(h, h->template + (size_t)i * h->event_bytes, &seed);
	for (uint32_t i = 0; i < h->batch; i++)
		h->event[i] = (void *)(h->memory + (size_t)i * h->event_bytes);
	*rc = PLUGIN_SUCCESS;
	return h;
}

void
plugin_close(plugin_state *s, plugin_instance *hv)
{
	struct instance *h = hv;

	free(h->template);
	free(h->memory);
	free(h);
}

static uint64_t
now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void
pause_ns(uint64_t ns)
{
	const struct timespec t = {
	    .tv_sec = (time_t)(ns / 1000000000u), .tv_nsec = (long)(ns % 1000000000u)};

	nanosleep(&t, NULL);
}

/* How many events are due at the rate; waits for one, but not for ever. */
static uint64_t
due(struct instance *h)
{
	uint64_t now = now_ns(), n;

	if (!h->start_ns)
		h->start_ns = now;
	for (uint64_t end = now + TIMEOUT_NS; now < end; now = now_ns()) {
		n = (uint64_t)((double)(now - h->start_ns) * (double)h->rate / 1e9) + 1;
		if (n > h->next)
			return n - h->next;
		uint64_t at =
		    h->start_ns + (uint64_t)((double)h->next * 1e9 / (double)h->rate) + 1;
		pause_ns((at < end ? at : end) - now);
	}
	return 0;
}

/* Eight hex digits that no other event near has. */
static void
write_hex(char *out, uint64_t seq)
{
	uint32_t v = (uint32_t)(seq * 2654435761u);

	for (int i = 0; i < 8; i++, v >>= 4)
		out[i] = "0123456789abcdef"[v & 15];
}

/* The last ones, where there is no room for all. */
static void
write_digits(char *out, size_t size, uint64_t v)
{
	char digits[20];
	size_t n = 0;

	do
		digits[n++] = (char)('0' + v % 10);
	while ((v /= 10) > 0 && n + 1 < size);
	for (size_t i = 0; i < n; i++)
		out[i] = digits[n - 1 - i];
	out[n] = '\0';
}

static void
make_event(struct instance *h, unsigned char *m)
{
	uint64_t seq = h->next++, ts = 1700000000000000000ull + seq * 1000;
	struct payload *p = (void *)(m + PLUGIN_EVENT_PAYLOAD_OFF);
	const unsigned char *from =
	    h->template + (size_t)(seq % TEMPLATES) * h->event_bytes;

	memcpy(m, from, PLUGIN_EVENT_PAYLOAD_OFF + h->size);
	memcpy(m, &ts, sizeof(ts));
	write_digits(p->seq, sizeof(p->seq), seq);
	write_hex(p->name + NAME_HEX, seq);
	write_hex(p->path + PATH_HEX, seq);
	if (seq == 0 || seq + 1 == h->n) {
		SET(p, user, "mark");
	} else if (h->probe && seq % h->probe == 0) {
		SET(p, user, "probe");
	} else if (h->match && draw(&h->seed, 1000) < h->match) {
		SET(p, user, "mallory");
		SET(p, verb, "delete");
		SET(p, ns, "ns-%u", 1 + 10 * draw(&h->seed, (uint32_t)h->kinds));
	}
}

int32_t
plugin_next_batch(
    plugin_state *s, plugin_instance *hv, uint32_t *nevts, struct plugin_event ***evts)
{
	struct instance *h = hv;
	uint64_t n = h->n - h->next;

	*nevts = 0;
	*evts = h->event;
	if (n == 0 && !h->then)
		return PLUGIN_EOF;
	if (n == 0) {
		pause_ns(TIMEOUT_NS);
		return PLUGIN_TIMEOUT;
	}
	if (h->rate) {
		uint64_t k = due(h);
		n = n < k ? n : k;
	}
	if (n == 0)
		return PLUGIN_TIMEOUT;
	if (n > h->batch)
		n = h->batch;
	for (uint64_t i = 0; i < n; i++)
		make_event(h, (void *)h->event[i]);
	*nevts = (uint32_t)n;
	if (h->rate) {
		uint64_t now = now_ns();
		for (uint64_t i = 0; i < n; i++)
			h->event[i]->ts = now;
	}
	return PLUGIN_SUCCESS;
}

int32_t
plugin_extract_fields(plugin_state *sv, const struct plugin_event_input *event,
    const struct plugin_extract_input *in)
{
	const char *payload = (const char *)event->evt + PLUGIN_EVENT_PAYLOAD_OFF;
	struct state *s = sv;

	for (uint32_t i = 0; i < in->num_fields; i++) {
		struct plugin_extract_field *x = &in->fields[i];
		const char *from = payload + offset[x->field_id];
		x->res_len = 1;
		if (x->field_id < TEXT_FIELDS) {
			memcpy(s->text[x->field_id], from, strlen(from) + 1);
			x->res.str = &s->str[x->field_id];
		} else {
			s->number[x->field_id] = strtoull(from, NULL, 10);
			x->res.u64 = &s->number[x->field_id];
		}
	}
	return PLUGIN_SUCCESS;
}
