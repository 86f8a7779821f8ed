/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which events go into capture files: those around matches, as
 * "capture:" and the rules say, one file at a time for each source; and, for
 * "mews run --write", all of them into one file. What is written is told to
 * capture_writer.h, which never holds up detection; only --write waits for a disk that
 * is slow.
 */
#ifndef BROKER_RUN_CAPTURE_H
#define BROKER_RUN_CAPTURE_H

#include "broker/app/app.h"
#include "broker/capture/capture_writer.h"
#include "rules/eval.h"

struct capture;

/* For app->n_source sources; with the file of app->write_path, if any, which must be
 * writable. */
struct capture *capture_new(struct app *app, struct err *err);
/* Before the pipeline of a source starts, and whenever settings changed. */
void capture_prepare(struct capture *c, struct app_source *as);
/* The pipeline of a source runs; all do. */
void capture_started(struct capture *c, struct app_source *as);
void capture_all_started(struct capture *c);
/* Ends all files and waits for them, bounded; alerts that are due still come. */
void capture_stop(struct capture *c);
void capture_free(struct capture *c);
void capture_counts(struct capture *c, struct capture_counts *ret_counts);

/* Hooks of pipelines (struct pipeline_sink); arg is the app_source. */
void capture_on_window(
    struct pipeline *p, const struct eval_match *match, uint32_t n_match, void *arg);
void capture_on_state(struct pipeline *p, const void *event, uint32_t len, void *arg);
void capture_on_state_told(struct pipeline *p, void *arg);

#endif
