/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Between broker and keeper, over one SOCK_SEQPACKET: a request is one byte and, for
 * KEEPER_NOTIFY, text. Only what starts something is answered: an errno, and where that
 * is 0 the descriptors of struct keeper_child in its order.
 */
#ifndef BROKER_KEEPER_KEEPER_WIRE_H
#define BROKER_KEEPER_KEEPER_WIRE_H

#include <signal.h>
#include <stdint.h>
#include <stdnoreturn.h>
#include <sys/types.h>

#include "broker/keeper/keeper.h"

enum keeper_request {
	KEEPER_PROGRAM = 'p',
	KEEPER_DRY_RUN = 'd',
	KEEPER_NOTIFY = 'n',
	KEEPER_RESTART = 'r',
};

enum {
	KEEPER_REQUEST_BYTES = 1024,
	KEEPER_FDS = 3,
};

struct keeper_answer {
	int32_t error;
};

/* The keeper's life. mask is what programs are to begin with. */
noreturn void keeper_serve(
    int fd, pid_t broker, const struct keeper_config *config, const sigset_t *mask);
/* Those that it hands on, and SIGCHLD. */
void keeper_signals(sigset_t *ret_set);

/* The broker's side of the socket. */
void keeper_use(int fd, pid_t keeper);

#endif
