/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/text.h"

#include <stdio.h>
#include <string.h>

/* Of a payload that is shown as it is. */
enum {
	SHOWN_BYTES = 50
};

static bool
is_printable(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (s[i] < 0x20 || s[i] > 0x7e)
			return false;
	}
	return true;
}

static const char *
describe_payload(const char *payload, uint32_t len, char buf[TEXT_BYTES])
{
	int shown = len < SHOWN_BYTES ? (int)len : SHOWN_BYTES;

	if (is_printable(payload, (size_t)shown))
		snprintf(buf, TEXT_BYTES, "datalen=%u data=%.*s%s", len, shown, payload,
		    len > SHOWN_BYTES ? "..." : "");
	else
		snprintf(buf, TEXT_BYTES, "datalen=%u data=<binary>", len);
	return buf;
}

const char *
event_text(
    const struct plugin *p, const struct plugin_event_input *in, char buf[TEXT_BYTES])
{
	const char *event = (const char *)in->evt, *text = NULL;
	uint32_t len;

	if (in->evt->type != PLUGIN_EVENT_TYPE || in->evt->nparams != 2 ||
	    in->evt->len < PLUGIN_EVENT_PAYLOAD_OFF)
		return NULL;
	if (p->sym.event_to_string)
		text = p->sym.event_to_string(p->state, in);
	if (text && *text)
		return text;
	memcpy(&len, event + sizeof(struct plugin_event) + sizeof(len), sizeof(len));
	if (len > in->evt->len - PLUGIN_EVENT_PAYLOAD_OFF)
		return NULL;
	return describe_payload(event + PLUGIN_EVENT_PAYLOAD_OFF, len, buf);
}
