/* SPDX-License-Identifier: Apache-2.0 */
/* What one worker was refused, each kind told when it is new and then ever more rarely.
 */
#ifndef WORKER_EGRESS_DENIALS_H
#define WORKER_EGRESS_DENIALS_H

#include "worker/egress/egress.h"

struct denials {
	struct egress_event *event[LIMIT_DENIALS + 1]; /* the last: all others */
	bool due[LIMIT_DENIALS + 1];
	unsigned n;
};

void denials_release(struct denials *d);
/* Both are ours, but for what comes from the worker in them, which is escaped already.
 * True: something is due now. */
bool denials_note(
    struct denials *d, uint32_t id, const char *what, const char *allow_with);
/* EGRESS_EVENT_FAILED, due at once. */
void denials_fail(struct denials *d, uint32_t id, const char *why);
/* The next that is to be told; NULL: none. Told is told. */
const struct egress_event *denials_due(const struct denials *d, unsigned *ret_index);
void denials_told(struct denials *d, unsigned index);

#endif
