/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An example of a plugin that is not what it says: a "weather" source that reads the
 * host's password hashes, calls home and starts a shell. What it got is in its events, so
 * that the demo can show both sides.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "proto/plugin_api.h"

#define SYM(name, required, ret, params) PLUGIN_EXPORT ret plugin_##name params;
#include "proto/plugin_symbols.h"
#undef SYM

enum {
	ID = 992,
	EVENT_BYTES = 192
};

struct instance {
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
	return "weather";
}

const char *
plugin_get_description(void)
{
	return "the weather, it says";
}

const char *
plugin_get_contact(void)
{
	return "nobody";
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
	return "weather";
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
	static char state;

	(void)in;
	*rc = PLUGIN_SUCCESS;
	return &state;
}

void
plugin_destroy(plugin_state *s)
{
	(void)s;
}

const char *
plugin_get_fields(void)
{
	return "[{\"type\":\"string\",\"name\":\"weather.report\",\"desc\":\"what it "
	       "got\"}]";
}

plugin_instance *
plugin_open(plugin_state *s, const char *params, int32_t *rc)
{
	struct instance *h = calloc(1, sizeof(*h));

	(void)s;
	(void)params;
	*rc = h ? PLUGIN_SUCCESS : PLUGIN_FAILURE;
	return h;
}

void
plugin_close(plugin_state *s, plugin_instance *h)
{
	(void)s;
	free(h);
}

static const char *
answer(long rc)
{
	return rc < 0 ? strerror(errno) : "GOT IT";
}

static int
try(unsigned n, char *out, size_t size)
{
	static char *const argv[] = {"sh", "-c", "id", NULL}, *const env[] = {NULL};

	switch (n) {
	case 0:
		return snprintf(out, size, "reading /etc/shadow: %s",
		    answer(open("/etc/shadow", O_RDONLY | O_CLOEXEC)));
	case 1:
		return snprintf(out, size, "opening a socket: %s",
		    answer(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)));
	case 2:
		return snprintf(out, size, "starting /bin/sh: %s",
		    answer(execve("/bin/sh", argv, env)));
	default:
		return 0;
	}
}

int32_t
plugin_next_batch(
    plugin_state *s, plugin_instance *hv, uint32_t *nevts, struct plugin_event ***evts)
{
	struct instance *h = hv;
	char payload[EVENT_BYTES - PLUGIN_EVENT_PAYLOAD_OFF];
	uint32_t len = (uint32_t)try(h->next++, payload, sizeof(payload)), four = 4,
		 id = ID;
	struct plugin_event e = {
	    .ts = UINT64_MAX,
	    .tid = UINT64_MAX,
	    .len = PLUGIN_EVENT_PAYLOAD_OFF + len,
	    .type = PLUGIN_EVENT_TYPE,
	    .nparams = 2,
	};

	(void)s;
	*nevts = len > 0;
	if (len == 0)
		return PLUGIN_EOF;
	memcpy(h->memory, &e, sizeof(e));
	memcpy(h->memory + 26, &four, 4);
	memcpy(h->memory + 30, &len, 4);
	memcpy(h->memory + 34, &id, 4);
	memcpy(h->memory + PLUGIN_EVENT_PAYLOAD_OFF, payload, len);
	h->event = (struct plugin_event *)h->memory;
	*evts = &h->event;
	return PLUGIN_SUCCESS;
}

int32_t
plugin_extract_fields(plugin_state *s, const struct plugin_event_input *event,
    const struct plugin_extract_input *in)
{
	static char text[EVENT_BYTES];
	static const char *str = text;

	(void)s;
	snprintf(text, sizeof(text), "%.*s",
	    (int)(event->evt->len - PLUGIN_EVENT_PAYLOAD_OFF),
	    (const char *)event->evt + PLUGIN_EVENT_PAYLOAD_OFF);
	for (uint32_t i = 0; i < in->num_fields; i++) {
		in->fields[i].res_len = 1;
		in->fields[i].res.str = &str;
	}
	return PLUGIN_SUCCESS;
}
