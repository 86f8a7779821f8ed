/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A source without id and name: its events are those of system calls, of whatever types
 * (here 3 and 5, without parameters, by thread 77). In Falco it feeds the source
 * "syscall" where there is no driver, and its own fields are all that such events have.
 */
#define KIT_NAME "system"
#define KIT_OWN_get_id
#define KIT_OWN_get_event_source
#define KIT_OWN_next_batch
#define KIT_OWN_extract_fields
#define KIT_FIELDS                                                                       \
	"[{\"type\":\"uint64\",\"name\":\"system.tid\",\"desc\":\"thread\"},"            \
	"{\"type\":\"uint64\",\"name\":\"system.type\",\"desc\":\"type of event\"}]"
#include "tests/plugins/kit.h"

int32_t
plugin_next_batch(
    plugin_state *s, plugin_instance *hv, uint32_t *nevts, struct plugin_event ***evts)
{
	struct kit_instance *h = hv;
	struct plugin_event *e;

	(void)s;
	*nevts = 0;
	*evts = h->event;
	if (h->next == h->n)
		return PLUGIN_EOF;
	e = (struct plugin_event *)(void *)h->memory[0];
	*e = (struct plugin_event){.ts = 1700000000000000000ull + h->next,
	    .tid = 77,
	    .len = sizeof(*e),
	    .type = (uint16_t)(h->next % 2 ? 5 : 3)};
	h->event[0] = e;
	h->next++;
	*nevts = 1;
	return PLUGIN_SUCCESS;
}

int32_t
plugin_extract_fields(plugin_state *s, const struct plugin_event_input *event,
    const struct plugin_extract_input *in)
{
	static uint64_t value[2];

	(void)s;
	value[0] = event->evt->tid;
	value[1] = event->evt->type;
	for (uint32_t i = 0; i < in->num_fields; i++) {
		in->fields[i].res_len = 1;
		in->fields[i].res.u64 = &value[in->fields[i].field_id];
	}
	return PLUGIN_SUCCESS;
}
