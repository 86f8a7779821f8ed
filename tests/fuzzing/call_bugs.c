/* SPDX-License-Identifier: Apache-2.0 */
/* A bug in each of the other functions: init, open, next_batch, parse_event,
 * set_async_event_handler. */
#define KIT_OWN_init
#define KIT_OWN_open
#define KIT_OWN_next_batch
#include "tests/fuzzing/bugs.h"

#include <fcntl.h>

static void
bug_extract(const unsigned char *p, uint32_t n, struct plugin_extract_field *f)
{
	bug_answer(p, n, f);
}

const char *
plugin_get_init_schema(uint32_t *type)
{
	*type = PLUGIN_SCHEMA_JSON;
	return "{\"type\":\"object\",\"properties\":{\"mode\":{\"type\":\"string\","
	       "\"enum\":[\"plain\",\"turbo\"]},\"level\":{\"type\":\"integer\"}}}";
}

plugin_state *
plugin_init(const struct plugin_init_input *in, int32_t *rc)
{
	const char *level = strstr(in->config, "\"level\":");

	if (strstr(in->config, "\"turbo\"") && level && strtol(level + 8, NULL, 10) < 0)
		bug_crash();
	*rc = PLUGIN_SUCCESS;
	return calloc(1, sizeof(struct kit_state));
}

/* A path, of a file or a pipe: its content is the first event; two events. */
plugin_instance *
plugin_open(plugin_state *s, const char *params, int32_t *rc)
{
	struct kit_instance *h = calloc(1, sizeof(*h));

	(void)s;
	*rc = h ? PLUGIN_SUCCESS : PLUGIN_FAILURE;
	if (!h)
		return NULL;
	h->n = 2;
	if (strncmp(params, "seek=", 5) == 0 && strtol(params + 5, NULL, 10) == 4711)
		bug_crash();
	snprintf(h->params, sizeof(h->params), "%s", params);
	return h;
}

int32_t
plugin_next_batch(
    plugin_state *s, plugin_instance *hv, uint32_t *nevts, struct plugin_event ***evts)
{
	struct kit_instance *h = hv;
	char content[KIT_PAYLOAD] = "";
	uint32_t id = KIT_ID;
	ssize_t n = 0;

	(void)s;
	*nevts = 0;
	if (h->next++ >= h->n)
		return PLUGIN_EOF;
	if (h->params[0] == '/' && h->next == 1) {
		int fd = open(h->params, O_RDONLY);
		if (fd < 0)
			return PLUGIN_FAILURE;
		n = read(fd, content, sizeof(content));
		close(fd);
	}
	/* An event in another plugin's name. */
	if (n >= 4 && memcmp(content,
			  "\x7f"
			  "EVT",
			  4) == 0)
		id = 1;
	h->event[0] =
	    kit_event(h->memory[0], UINT64_MAX, id, content, n > 0 ? (uint32_t)n : 0);
	*nevts = 1;
	*evts = h->event;
	return PLUGIN_SUCCESS;
}

/* Two events in a row. */
int32_t
plugin_parse_event(plugin_state *s, const struct plugin_event_input *event,
    const struct plugin_parse_input *in)
{
	static int logged_in;
	char text[KIT_PAYLOAD];

	(void)s;
	(void)in;
	kit_payload(event, text, sizeof(text));
	if (logged_in && strncmp(text, "root", 4) == 0)
		bug_crash();
	logged_in = strncmp(text, "login", 5) == 0;
	return PLUGIN_SUCCESS;
}

const char *
plugin_get_async_events(void)
{
	return "[\"tick\"]";
}

/* What it sends has a name that it did not list. */
int32_t
plugin_set_async_event_handler(
    plugin_state *s, plugin_owner *owner, plugin_async_handler handler)
{
	unsigned char m[64];
	uint32_t len[3] = {4, 5, 0}, id = KIT_ID;
	struct plugin_event e = {.ts = UINT64_MAX,
	    .tid = UINT64_MAX,
	    .len = sizeof(e) + sizeof(len) + 9,
	    .type = PLUGIN_ASYNC_EVENT_TYPE,
	    .nparams = 3};

	(void)s;
	memcpy(m, &e, sizeof(e));
	memcpy(m + sizeof(e), len, sizeof(len));
	memcpy(m + sizeof(e) + sizeof(len), &id, 4);
	memcpy(m + sizeof(e) + sizeof(len) + 4, "tock", 5);
	if (handler)
		handler(owner, (const struct plugin_event *)m, NULL);
	return PLUGIN_SUCCESS;
}
