/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Watches the files and folders that a configuration was read from (watch_config_files):
 * when one has changed, and nothing more has for WATCH_QUIET_MS, its owner is told once.
 * Files are watched themselves and, as editors and Kubernetes replace rather than write
 * them, under their names in their folders.
 */
#ifndef BROKER_OPERATORS_WATCH_H
#define BROKER_OPERATORS_WATCH_H

#include "base/err.h"

struct event_base;
struct settings;
struct watch;

enum {
	WATCH_QUIET_MS = 100
};

struct watch *watch_new(struct event_base *base, const struct settings *s,
    void (*changed)(void *arg), void *arg, struct err *err);
void watch_free(struct watch *w);

#endif
