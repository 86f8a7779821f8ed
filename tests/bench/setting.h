/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The files of one run: rules, falco.yaml, events for plugins that read them. The first
 * and the last event of each pipeline match a rule whose alert says " mark "; at a rate,
 * some more say " probe " and when their batch was made.
 */
#ifndef TESTS_BENCH_SETTING_H
#define TESTS_BENCH_SETTING_H

#include "base/buf.h"
#include "base/err.h"
#include "tests/bench/scenario.h"

struct places {
	char mews[4096], plugins[4096]; /* the program; the folder of the cheap plugins */
	char real[4096], data[4096];    /* published plugins and their samples */
	char tmp[4096];                 /* ours */
};

/* How a scenario is run once. */
struct setting {
	const struct scenario *scenario;
	uint64_t events;
	double rate; /* 0: none */
	bool waits;  /* after the last event; else the source ends */
};

/* Names of sources, field prefixes and cheap plugins. */
extern const char *const cheap_name[4];

/* Whether the scenario's plugins are there. */
bool setting_possible(const struct places *places, const struct scenario *s);
/* Writes places->tmp/falco.yaml and what it names. */
bool setting_write(const struct places *places, const struct setting *set,
    enum subject subject, struct err *err);
/* Of its first pipeline, as the bare loop needs them. */
bool setting_plugin(const struct places *places, const struct setting *set,
    struct buf *ret_library, struct buf *ret_config, struct buf *ret_params);
/* The sources to enable: NULL-terminated, at most 4. */
void setting_sources(const struct scenario *s, const char *ret_source[5]);

#endif
