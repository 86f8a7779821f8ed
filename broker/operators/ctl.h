/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The control socket: one unix socket, requests and answers as lines of JSON.
 *
 *   {"command": "restart", "argument": "dummy"}   or just   restart dummy
 *   {"ok": true, …}                               or        {"ok": false, "error": "…"}
 *
 * Only processes of the same user and of root are answered (SO_PEERCRED). Commands are
 * the rows of CTL_COMMANDS; "tap" goes on sending lines until its client hangs up. A
 * client that does not read is hung up on: nothing here waits for anybody.
 */
#ifndef BROKER_OPERATORS_CTL_H
#define BROKER_OPERATORS_CTL_H

#include "broker/app/app.h"
#include "broker/operators/ctl_command_table.h"

struct ctl;

/* app outlives it. path is replaced when nobody listens there. */
struct ctl *ctl_new(struct app *app, const char *path, struct err *err);
/* Removes the socket. */
void ctl_free(struct ctl *c);
/* Answers who asked for a reload. */
void ctl_reloaded(struct ctl *c);

/* Where the socket is by the settings, or by default: /run/mews/ctl.sock for root,
 * $XDG_RUNTIME_DIR/mews/ctl.sock for others. False: nowhere. settings may be NULL. */
bool ctl_path(const struct settings *s, char *out, size_t size);

#endif
