/* SPDX-License-Identifier: Apache-2.0 */
/*
 * systemd's notifications (Type=notify, Type=notify-reload, WatchdogSec=), spoken without
 * libsystemd: datagrams to the socket of NOTIFY_SOCKET, sent by the keeper, for systemd
 * listens to the main process alone. Everything is a no-op when nobody asked for them.
 */
#ifndef BROKER_OPERATORS_NOTIFY_H
#define BROKER_OPERATORS_NOTIFY_H

#include "base/err.h"

struct event_base;
struct notify;

/* status: fills in one line for "systemctl status", at every watchdog beat and when
 * notify_status is called. NULL without an error when nobody listens. */
struct notify *notify_new(struct event_base *base,
    void (*status)(char *out, unsigned long size, void *arg), void *arg, struct err *err);
void notify_free(struct notify *n);

void notify_ready(struct notify *n);
void notify_reloading(struct notify *n);
void notify_stopping(struct notify *n);
void notify_status(struct notify *n);

#endif
