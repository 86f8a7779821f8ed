/* SPDX-License-Identifier: Apache-2.0 */
/* What the broker asks for over the control channel, and when it may. */
#ifndef WORKER_REQUESTS_H
#define WORKER_REQUESTS_H

#include "worker/serve.h"

/*
 * Carries a request out and answers it. What the plugin cannot or will not do is an
 * answer too (Failed); false is for what ends the worker: a request out of order, a
 * broker that is gone, a confinement that cannot be tightened.
 */
bool worker_request(struct worker *w, const Control__Message *m, struct err *err);

/* The plan that waits, if any, once no batch is under way; then tells the broker. */
bool worker_take_plan(struct worker *w, struct err *err);

#endif
