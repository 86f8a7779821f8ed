/* SPDX-License-Identifier: Apache-2.0 */
/* Gives its n events, and then times out again and again, as sources do all day. */
#define KIT_NAME "quiet"
#define KIT_OWN_next_batch
#include "tests/plugins/kit.h"

int32_t
plugin_next_batch(
    plugin_state *s, plugin_instance *hv, uint32_t *nevts, struct plugin_event ***evts)
{
	struct kit_instance *h = (struct kit_instance *)hv;

	*nevts = 0;
	*evts = h->event;
	if (h->next == h->n) {
		usleep(1000);
		return PLUGIN_TIMEOUT;
	}
	h->event[0] = kit_numbered_event(h, 0, KIT_ID, h->next++);
	*nevts = 1;
	return PLUGIN_SUCCESS;
}
