/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The broker's own confinement, once everything is started that needs more: no new
 * privileges, a system call filter (policy/broker_calls.h) and, as root, fewer
 * capabilities. An attempt at what the filter forbids ends the process by SIGSYS; its
 * last words name the call, where the thread does not block that signal. sandbox.broker:
 * false leaves all of it out.
 */
#ifndef BROKER_APP_CONFINE_SELF_H
#define BROKER_APP_CONFINE_SELF_H

#include "broker/app/app.h"

/* For every thread, and for good. */
bool confine_self(struct err *err);
app_step_fn step_confine_self;

#endif
