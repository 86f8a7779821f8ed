/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A ruleset with everything that it points at. There is one at the start, whose parts the
 * steps of app.c have made and tear down; each reload makes another, which goes when no
 * pipeline evaluates it any more.
 */
#ifndef BROKER_RUN_GENERATION_H
#define BROKER_RUN_GENERATION_H

#include <sys/queue.h>

#include "broker/app/app.h"

struct statistics_index;

struct generation {
	TAILQ_ENTRY(generation) link;
	struct settings *settings;
	const struct field_catalog *catalog;
	struct loader *loader;
	struct statistics_index *index;
	struct app *parts;  /* what catalog and loader are in; NULL for the first */
	uint32_t users;     /* pipelines that evaluate it or are about to */
	bool is_first;      /* its parts are the app's */
	bool settings_stay; /* plugins point at them: they are freed by somebody else */
};

TAILQ_HEAD(generation_list, generation);

/* The first: what app holds. */
struct generation *generation_first(struct app *app, struct err *err);
/* The rules that the settings name, compiled for the plugins that run. Logs what loading
 * logs. Takes the settings on success. */
struct generation *generation_load(
    struct app *app, struct settings *settings, struct err *err);
void generation_free(struct generation *g);

#endif
