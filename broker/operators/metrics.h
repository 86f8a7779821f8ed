/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What operators measure: Prometheus text under Falco's names and our own, and snapshots
 * as alerts and into a file. Everything is read from the counters where they are kept,
 * when somebody asks; nothing is counted for metrics alone.
 */
#ifndef BROKER_OPERATORS_METRICS_H
#define BROKER_OPERATORS_METRICS_H

#include "broker/app/app.h"

struct metrics;

/* Begins snapshots when the settings want them. app outlives it. */
struct metrics *metrics_new(struct app *app, struct err *err);
void metrics_free(struct metrics *m);

/* The settings are new ones: sums of files, the interval. */
void metrics_reload(struct metrics *m);

void metrics_prometheus(const struct metrics *m, struct buf *out);

#endif
