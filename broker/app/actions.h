/* SPDX-License-Identifier: Apache-2.0 */
/* What the steps that print have in common. */
#ifndef BROKER_APP_ACTIONS_H
#define BROKER_APP_ACTIONS_H

#include "broker/app/app.h"
#include "rules/listing.h"

/* Writes the text to standard output and releases it; STEP_FAILED when there was no
 * memory for it. */
enum step_rc action_print(struct buf *text, struct err *err);
/* --format, --markdown, or text. options_check has seen to it that the word is one. */
enum listing_format action_format(const struct options *o);

struct json_writer;
/* The object of --version and /versions; with plugins also theirs. */
void action_versions_json(struct json_writer *w, const struct plugin_set *plugins);

#endif
