/* SPDX-License-Identifier: Apache-2.0 */
/* Events of a case, as a plugin gets them. */
#include <string.h>

#include "worker/fuzz/layout.h"
#include "worker/fuzz/target.h"

#define EVENT_TS 1700000000000000000ull

static bool
wants(const struct target *t, uint16_t type)
{
	const struct plugin *p = &t->plugin;

	return (t->kind != FUZZ_EXTRACT && p->info.capabilities & PLUGIN_PARSING &&
		   type_set_has(&p->parse_types, type)) ||
	       (p->info.capabilities & PLUGIN_EXTRACTION &&
		   type_set_has(&p->extract_types, type));
}

void
event_note_types(struct target *t)
{
	t->n_types = 0;
	for (uint32_t type = 0; type < PLUGIN_EVENT_TYPES_N; type++)
		if (layout_has(type) && wants(t, (uint16_t)type))
			t->type[t->n_types++] = (uint16_t)type;
}

static struct plugin_event *
make_system_event(struct target *t, const struct case_part *p)
{
	static uint8_t body[CASE_BYTES];
	struct layout l;

	layout_read(&l, p->id, p->bytes, p->len);
	uint32_t n = layout_write(&l, p->bytes, p->len, body, sizeof(body));
	struct plugin_event head = {
	    .ts = EVENT_TS,
	    .tid = p->flags,
	    .len = (uint32_t)sizeof(head) + n,
	    .type = p->id,
	    .nparams = n > 0 ? l.n : 0,
	};
	uint8_t *e = t->end - head.len;
	memcpy(e, &head, sizeof(head));
	memcpy(e + sizeof(head), body, n);
	return (struct plugin_event *)e;
}

struct plugin_event *
event_make(struct target *t, const struct case_part *p)
{
	if (p->id && layout_has(p->id))
		return make_system_event(t, p);
	const bool async = p->id == PLUGIN_ASYNC_EVENT_TYPE;
	const uint8_t *nul = async ? memchr(p->bytes, '\0', p->len) : NULL;
	uint32_t len[3] = {sizeof(uint32_t)}, n = 2, id = t->plugin.info.id;

	len[1] = p->len;
	if (async) {
		len[1] = nul ? (uint32_t)(nul - p->bytes) + 1 : p->len;
		len[2] = p->len - len[1];
		n = 3;
	}
	struct plugin_event head = {
	    .ts = EVENT_TS,
	    .tid = UINT64_MAX,
	    .len = (uint32_t)(sizeof(head) + n * sizeof(uint32_t) + sizeof(id) + p->len),
	    .type = async ? PLUGIN_ASYNC_EVENT_TYPE : PLUGIN_EVENT_TYPE,
	    .nparams = n,
	};
	uint8_t *e = t->end - head.len, *at = e;
	memcpy(at, &head, sizeof(head));
	memcpy(at += sizeof(head), len, n * sizeof(uint32_t));
	memcpy(at += n * sizeof(uint32_t), &id, sizeof(id));
	if (p->len > 0)
		memcpy(at + sizeof(id), p->bytes, p->len);
	return (struct plugin_event *)e;
}
