/* SPDX-License-Identifier: Apache-2.0 */
/* Events as lines of JSON with their fields: what plugins given by their paths do when
 * there are no rules. */
#ifndef BROKER_RUN_SHOW_H
#define BROKER_RUN_SHOW_H

#include "broker/app/app.h"

/* A rule that every event matches; its output holds the fields to be shown: those of
 * app->show_fields, or all that need no argument. */
app_step_fn step_show_rule;
/* An event as a line: what printing needs is the output of the one rule there is. */
app_match_fn show_event;

/* The step after which events are judged by the rules that were given with -r or, where
 * there are none, shown with these fields (NULL: all). */
app_step_fn *show_unless_rules(struct app *app, const char *fields);

#endif
