/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Logs every call it gets, in order: "call init", "call extract 3 (2 fields)", …
 *
 * Falco makes the same calls in the same order, but one of extract_fields for each
 * field.
 */
#define KIT_NAME "recorder"
#define KIT_ID   4309
#define KIT_OWN_init
#define KIT_OWN_destroy
#define KIT_OWN_open
#define KIT_OWN_close
#define KIT_OWN_next_batch
#define KIT_OWN_extract_fields
#include <stdarg.h>

#include "tests/plugins/kit.h"

struct recorder {
	struct kit_state kit;
	plugin_owner *owner;
	plugin_log_fn log;
};

__attribute__((format(printf, 2, 3))) static void
called(struct recorder *r, const char *fmt, ...)
{
	char text[128];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	r->log(r->owner, NULL, text, PLUGIN_LOG_INFO);
}

plugin_state *
plugin_init(const struct plugin_init_input *in, int32_t *rc)
{
	struct recorder *r = calloc(1, sizeof(*r));

	r->owner = in->owner;
	r->log = in->log_fn;
	called(r, "call init '%s'", in->config ? in->config : "(null)");
	*rc = PLUGIN_SUCCESS;
	return r;
}

void
plugin_destroy(plugin_state *s)
{
	called(s, "call destroy");
	free(s);
}

plugin_instance *
plugin_open(plugin_state *s, const char *params, int32_t *rc)
{
	struct kit_instance *h = calloc(1, sizeof(*h));

	called(s, "call open '%s'", params ? params : "(null)");
	h->n = 2;
	*rc = PLUGIN_SUCCESS;
	return h;
}

void
plugin_close(plugin_state *s, plugin_instance *h)
{
	called(s, "call close");
	free(h);
}

/* One event per call: the order of next_batch and extract_fields shows. */
int32_t
plugin_next_batch(
    plugin_state *s, plugin_instance *hv, uint32_t *nevts, struct plugin_event ***evts)
{
	struct kit_instance *h = hv;

	called(s, "call next_batch");
	*nevts = 0;
	if (h->next == h->n)
		return PLUGIN_EOF;
	h->event[0] = kit_numbered_event(h, 0, KIT_ID, h->next++);
	*nevts = 1;
	*evts = h->event;
	return PLUGIN_SUCCESS;
}

int32_t
plugin_extract_fields(plugin_state *sv, const struct plugin_event_input *event,
    const struct plugin_extract_input *in)
{
	struct recorder *r = sv;

	called(r, "call extract %llu (%u fields)", (unsigned long long)event->evtnum,
	    in->num_fields);
	kit_payload(event, r->kit.text, sizeof(r->kit.text));
	r->kit.number = strtoull(r->kit.text, NULL, 10);
	r->kit.str = r->kit.text;
	for (uint32_t i = 0; i < in->num_fields; i++) {
		in->fields[i].res_len = 1;
		if (in->fields[i].field_id == 0)
			in->fields[i].res.u64 = &r->kit.number;
		else
			in->fields[i].res.str = &r->kit.str;
	}
	return PLUGIN_SUCCESS;
}
