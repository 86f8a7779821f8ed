/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How much of what has an end has been read, on a terminal: one short line on stderr that
 * the next line written there covers. Of several sources that tell it, the one that is
 * least far, for the run ends when all have. Nothing where stderr is no terminal.
 */
#ifndef BROKER_RUN_PROGRESS_H
#define BROKER_RUN_PROGRESS_H

#include "broker/app/app.h"

struct progress;

/* NULL where there is nobody to see it, or no memory. */
struct progress *progress_new(struct app *app);
/* Takes the line away. */
void progress_free(struct progress *p);

#endif
