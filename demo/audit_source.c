/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An example plugin: audit records from a file, one JSON object a line, as events, with
 * their members as fields. It needs to read one file and nothing else; its sandbox block
 * in falco.yaml says just that.
 *
 * Open parameters: the file's path. The records are flat: strings, numbers, no nesting.
 * Configuration: {"pause_ms": N} gives one record every N ms, as a live source would.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proto/plugin_api.h"

/* Declares what a plugin may export, visibly. */
#define SYM(name, required, ret, params) PLUGIN_EXPORT ret plugin_##name params;
#include "proto/plugin_symbols.h"
#undef SYM

enum {
	ID = 990,
	BATCH = 16,
	LINE_BYTES = 2048,
	VALUE_BYTES = 256
};

enum field {
	USER,
	VERB,
	RESOURCE,
	NAME,
	SPACE,
	ADDRESS,
	STATUS,
	AGENT,
	N_FIELDS
};

static const char *const members[N_FIELDS] = {
    "user", "verb", "resource", "name", "namespace", "address", "status", "agent"};

struct state {
	unsigned long pause_ms;
	char error[256];
	char text[N_FIELDS][VALUE_BYTES];
	const char *str[N_FIELDS];
	uint64_t number;
	unsigned char address[4];
	struct plugin_byte_buffer buffer;
	char shown[LINE_BYTES];
};

struct instance {
	FILE *file;
	uint8_t memory[BATCH][LINE_BYTES + 64];
	struct plugin_event *event[BATCH];
};

const char *
plugin_get_required_api_version(void)
{
	return "3.0.0";
}

const char *
plugin_get_name(void)
{
	return "audit";
}

const char *
plugin_get_description(void)
{
	return "audit records of a cluster, read from a file of JSON lines";
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
	return "audit";
}

const char *
plugin_get_last_error(plugin_state *sv)
{
	struct state *s = sv;
	return s->error;
}

/* The value of a member of the flat object at line; false when it is absent. */
static int
member(const char *line, size_t n, const char *name, char *out, size_t size)
{
	char key[64];
	int k = snprintf(key, sizeof(key), "\"%s\":", name);
	const char *p = memmem(line, n, key, (size_t)k), *end = line + n;
	size_t len = 0;

	if (!p)
		return 0;
	p += k;
	if (p < end && *p == '"') {
		for (p++; p < end && *p != '"' && len + 1 < size; p++) {
			if (*p == '\\' && p + 1 < end)
				p++;
			out[len++] = *p;
		}
	} else {
		for (; p < end && *p != ',' && *p != '}' && len + 1 < size; p++)
			out[len++] = *p;
	}
	out[len] = '\0';
	return 1;
}

plugin_state *
plugin_init(const struct plugin_init_input *in, int32_t *rc)
{
	struct state *s = calloc(1, sizeof(*s));
	const char *config = in->config ? in->config : "";
	char number[16];

	*rc = s ? PLUGIN_SUCCESS : PLUGIN_FAILURE;
	if (s && member(config, strlen(config), "pause_ms", number, sizeof(number)))
		s->pause_ms = strtoul(number, NULL, 10);
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
	return "[{\"type\":\"string\",\"name\":\"audit.user\",\"desc\":\"who asked\"},"
	       "{\"type\":\"string\",\"name\":\"audit.verb\",\"desc\":\"what was "
	       "asked\"},"
	       "{\"type\":\"string\",\"name\":\"audit.resource\",\"desc\":\"kind of "
	       "object\"},"
	       "{\"type\":\"string\",\"name\":\"audit.name\",\"desc\":\"name of the "
	       "object\"},"
	       "{\"type\":\"string\",\"name\":\"audit.namespace\",\"desc\":\"where it "
	       "lives\"},"
	       "{\"type\":\"ipaddr\",\"name\":\"audit.address\",\"desc\":\"where the "
	       "request came from\"},"
	       "{\"type\":\"uint64\",\"name\":\"audit.status\",\"desc\":\"HTTP status of "
	       "the answer\"},"
	       "{\"type\":\"string\",\"name\":\"audit.agent\",\"desc\":\"the client "
	       "program\"}]";
}

plugin_instance *
plugin_open(plugin_state *sv, const char *params, int32_t *rc)
{
	struct state *s = sv;
	struct instance *h = calloc(1, sizeof(*h));

	*rc = PLUGIN_FAILURE;
	if (!h || !(h->file = fopen(params ? params : "", "re"))) {
		snprintf(s->error, sizeof(s->error), "cannot read %s: %s",
		    params ? params : "(no path)", strerror(errno));
		free(h);
		return NULL;
	}
	*rc = PLUGIN_SUCCESS;
	return h;
}

void
plugin_close(plugin_state *s, plugin_instance *hv)
{
	struct instance *h = hv;

	(void)s;
	fclose(h->file);
	free(h);
}

static void
make_event(struct instance *h, uint32_t i, const char *line, uint32_t n)
{
	uint8_t *m = h->memory[i];
	uint32_t four = 4, id = ID;
	char ts[32] = "";
	struct plugin_event e = {
	    .tid = UINT64_MAX,
	    .len = PLUGIN_EVENT_PAYLOAD_OFF + n,
	    .type = PLUGIN_EVENT_TYPE,
	    .nparams = 2,
	};

	e.ts =
	    member(line, n, "ts", ts, sizeof(ts)) ? strtoull(ts, NULL, 10) : UINT64_MAX;
	memcpy(m, &e, sizeof(e));
	memcpy(m + 26, &four, 4);
	memcpy(m + 30, &n, 4);
	memcpy(m + 34, &id, 4);
	memcpy(m + PLUGIN_EVENT_PAYLOAD_OFF, line, n);
	h->event[i] = (struct plugin_event *)m;
}

int32_t
plugin_next_batch(
    plugin_state *sv, plugin_instance *hv, uint32_t *nevts, struct plugin_event ***evts)
{
	struct state *s = sv;
	struct instance *h = hv;
	char line[LINE_BYTES];
	uint32_t n = 0, most = s->pause_ms ? 1 : BATCH;

	if (s->pause_ms)
		usleep((useconds_t)s->pause_ms * 1000);
	while (n < most && fgets(line, sizeof(line), h->file)) {
		size_t len = strcspn(line, "\n");
		if (len > 0)
			make_event(h, n++, line, (uint32_t)len);
	}
	*nevts = n;
	*evts = h->event;
	return n == most ? PLUGIN_SUCCESS : PLUGIN_EOF;
}

const char *
plugin_event_to_string(plugin_state *sv, const struct plugin_event_input *in)
{
	struct state *s = sv;

	snprintf(s->shown, sizeof(s->shown), "%.*s",
	    (int)(in->evt->len - PLUGIN_EVENT_PAYLOAD_OFF),
	    (const char *)in->evt + PLUGIN_EVENT_PAYLOAD_OFF);
	return s->shown;
}

static uint64_t
extract_one(
    struct state *s, struct plugin_extract_field *x, const char *payload, size_t n)
{
	char *text = s->text[x->field_id];

	if (!member(payload, n, members[x->field_id], text, VALUE_BYTES))
		return 0;
	switch ((enum field)x->field_id) {
	case STATUS:
		s->number = strtoull(text, NULL, 10);
		x->res.u64 = &s->number;
		return 1;
	case ADDRESS:
		if (sscanf(text, "%hhu.%hhu.%hhu.%hhu", &s->address[0], &s->address[1],
			&s->address[2], &s->address[3]) != 4)
			return 0;
		s->buffer = (struct plugin_byte_buffer){4, s->address};
		x->res.buf = &s->buffer;
		return 1;
	default:
		s->str[x->field_id] = text;
		x->res.str = &s->str[x->field_id];
		return 1;
	}
}

int32_t
plugin_extract_fields(plugin_state *sv, const struct plugin_event_input *event,
    const struct plugin_extract_input *in)
{
	const char *payload = (const char *)event->evt + PLUGIN_EVENT_PAYLOAD_OFF;
	size_t n = event->evt->len - PLUGIN_EVENT_PAYLOAD_OFF;

	for (uint32_t i = 0; i < in->num_fields; i++) {
		struct plugin_extract_field *x = &in->fields[i];
		if (x->field_id >= N_FIELDS)
			return PLUGIN_FAILURE;
		x->res_len = extract_one(sv, x, payload, n);
	}
	return PLUGIN_SUCCESS;
}
