/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Events of a capture file in the place of all sources: read, given
 * to the pipeline of their source, and judged, one source after the other, so that alerts
 * come in the order of the file. Numbers count every event that the file has, also those
 * that no plugin has a use for.
 */
#ifndef BROKER_RUN_REPLAY_H
#define BROKER_RUN_REPLAY_H

#include "broker/app/app.h"

struct replay;

/* err is NULL at the end of the file. */
typedef void replay_ended_fn(struct app *app, const struct err *err);

/* Opens the file that the settings name. */
struct replay *replay_open(struct app *app, replay_ended_fn *ended, struct err *err);
/* The pipelines of all sources run, and are fed by nobody else. From here on it works in
 * the loop. */
void replay_start(struct replay *r);
/* A pipeline is through with what it was given, or has failed. */
void replay_fed(struct replay *r);
/* Feeds no more. What it has given stays until it is freed, after the pipelines. */
void replay_stop(struct replay *r);
/* Events that rules have seen. */
uint64_t replay_events(const struct replay *r);
void replay_free(struct replay *r);

#endif
