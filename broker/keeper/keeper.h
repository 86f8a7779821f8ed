/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The process that was started, once it has split in two: the keeper stays under the
 * number that people and service managers know, the broker goes on as its child. So the
 * broker can give up starting programs for good (policy/broker_calls.h): the keeper does
 * that for it, and only what it was told before the split.
 *
 * The keeper hands signals on, ends as the broker ends, and starts the program again in
 * its own place when the broker has asked for that. With the keeper's death comes the
 * broker's.
 *
 * One keeper per process, so there is no handle. All functions but keeper_start may be
 * called from any thread.
 */
#ifndef BROKER_KEEPER_KEEPER_H
#define BROKER_KEEPER_KEEPER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

/* In the environment of a program that was started again in its own place. */
#define KEEPER_STARTED_AGAIN "MEWS_STARTED_AGAIN"

struct keeper_config {
	const char *program; /* a shell's command, or NULL */
};

/*
 * Splits; single-threaded, and before anything is started that dies with its parent.
 * Returns in the broker, which is then the leader of a process group of its own: signals
 * that a terminal or a shell sends to the group come once, by the keeper.
 */
bool keeper_start(const struct keeper_config *config, struct err *err);

/* Who stands for the program: the keeper, or this process where there is none. */
pid_t keeper_pid(void);

/* A program that the keeper has started. */
struct keeper_child {
	int pipe_fd;   /* ours: its standard input, or what it says */
	int status_fd; /* readable when it has ended; use keeper_child_ended */
	int pidfd;
};

/* The configured command, as sh -c; pipe_fd is its standard input. */
bool keeper_run_program(struct keeper_child *ret_child, struct err *err);
/* This program with its own arguments and --dry-run; pipe_fd is its standard error. */
bool keeper_run_dry(struct keeper_child *ret_child, struct err *err);
/* Waits at most wait_ms, -1 for good. *ret_status is what waitpid would say. */
bool keeper_child_ended(const struct keeper_child *c, int wait_ms, int *ret_status);
void keeper_child_signal(const struct keeper_child *c, int signal);
/* Closes what is open; the program is not ended by it. Again is harmless. */
void keeper_child_release(struct keeper_child *c);

/* Lines for NOTIFY_SOCKET, as sd_notify has them, of those keys that a broker has a use
 * for. Lost where nobody listens. */
void keeper_notify(const char *text);

/* When this process ends, the program is to start again from its beginning. */
void keeper_ask_restart(void);

#endif
