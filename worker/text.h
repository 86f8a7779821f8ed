/* SPDX-License-Identifier: Apache-2.0 */
/* evt.plugininfo: a plugin's event as text. */
#ifndef WORKER_TEXT_H
#define WORKER_TEXT_H

#include "worker/plugin.h"

enum {
	TEXT_BYTES = 128
};

/*
 * What event_to_string says; without it, or when it says nothing, the length of the
 * payload and its start, in buf. NULL for an event that is no plugin event. Valid until
 * the next call.
 */
const char *event_text(
    const struct plugin *p, const struct plugin_event_input *in, char buf[TEXT_BYTES]);

#endif
