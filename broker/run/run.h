/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From loaded plugins to processed events: workers for every source, pipelines for the
 * enabled ones, the loop, and the end of it all.
 */
#ifndef BROKER_RUN_RUN_H
#define BROKER_RUN_RUN_H

#include "broker/app/app.h"

app_step_fn step_init_sources, step_select_sources, step_process_events;

/* Do events come from a capture file? */
bool run_is_replay(const struct app *app);
/* Which sources there are, and which are enabled. */
void run_log_sources(const struct app *app);
/* Stops the workers of all sources in good order. */
void run_stop(struct app *app);
/* "Events detected: …", to stdout. */
void run_print_statistics(struct app *app);
void run_release(struct app *app);

struct reload *run_reload(const struct app *app);
struct eval_config run_eval_config(const struct app *app);
/* How alerts look, as the settings are now. */
void run_read_settings(struct app *app);

struct own_fields;
/* An alert about the program itself, to the outputs; while events are processed. */
void run_own_alert(struct app *app, const char *rule, enum priority priority,
    const char *msg, struct own_fields *fields);
void run_hostname(const struct app *app, char *out, size_t size);

#endif
