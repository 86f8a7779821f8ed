/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The broker's own confinement, once everything is started that needs more: a system call
 * filter (policy/broker_calls.h) and, as root, fewer capabilities. sandbox.broker: false
 * leaves it out.
 */
#ifndef BROKER_APP_CONFINE_SELF_H
#define BROKER_APP_CONFINE_SELF_H

#include "broker/app/app.h"

app_step_fn step_confine_self;

#endif
