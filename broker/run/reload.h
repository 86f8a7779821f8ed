/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A new configuration beside the running one (SIGHUP, watched files, mews ctl reload).
 *
 * Settings are read and rules compiled while everything goes on; a plugin whose entry has
 * changed is tried with it in a worker of its own. Only when all of that has succeeded is
 * anything replaced: pipelines take the new rules at their next chunk; a changed plugin
 * takes its configuration as it runs, if that is all that has changed and it offers
 * set_config and says yes, else its workers are started again, and nobody else's. Another
 * list of plugins, or another program for alerts, cannot be taken on by what runs: the
 * program then starts again from its beginning, after a dry run of its own has found that
 * it can.
 *
 * A failure changes nothing; it is logged and told by an alert.
 */
#ifndef BROKER_RUN_RELOAD_H
#define BROKER_RUN_RELOAD_H

#include "broker/app/app.h"

struct reload;

struct reload *reload_new(struct app *app, struct err *err);
/* After the pipelines. app->settings are those of the start again. */
void reload_free(struct reload *r);

/* The source evaluates what the app has loaded. */
void reload_adopt(struct reload *r, struct app_source *as);
/* Of a pipeline_sink whose arg is the source: it does not use these rules any more. */
void reload_on_replaced(struct pipeline *p, const struct ruleset *before, void *arg);

/* Remembers that one is wanted. */
void reload_ask(struct reload *r);
bool reload_is_asked(const struct reload *r);
/* Not from within the loop: it runs it. False: nothing has changed, and why is logged. */
bool reload_run(struct reload *r);

/* What the last one came to: number of it, its time, and the text of its failure ("" when
 * it succeeded). */
struct reload_result {
	uint64_t number, ended_wall_ns;
	const char *failure;
};
struct reload_result reload_last(const struct reload *r);
/* The program is to be started again from its beginning. */
bool reload_wants_restart(const struct reload *r);

#endif
