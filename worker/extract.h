/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Values of a set of slots from one event: one call of extract_fields for all of them,
 * copied out of the plugin's memory into the slots' stores.
 *
 * A plugin that fails a call is asked again, field by field, so that what it cannot
 * extract does not hide what it can: Falco asks that way always. So are plugins asked
 * that cannot answer for several fields at once (quirks.h). Missing is: a failed call, no
 * value, a NULL, more than LIMIT_LIST_VALUES, several of what is no list, and what the
 * frame has no room for.
 */
#ifndef WORKER_EXTRACT_H
#define WORKER_EXTRACT_H

#include "worker/host.h"
#include "worker/plan.h"

struct extractor {
	uint32_t n_together; /* calls for several fields so far */
	struct plugin *plugin;
	struct host *host;
	struct plugin_extract_input input; /* what every call is given */
	struct complaint failed, no_room;
};

void extractor_init(struct extractor *x, struct plugin *plugin, struct host *host);

/*
 * Ends one event in each store of the set. room is what values may take in the frame, in
 * bytes, and becomes less by what they took.
 */
void extract_event(struct extractor *x, const struct plan *plan, struct slot_set *set,
    const struct plugin_event_input *in, uint32_t *room);
/* The same for an event on which nothing is wanted. */
void extract_nothing(struct slot_set *set);

#endif
