/* SPDX-License-Identifier: Apache-2.0 */
/* The other end of the control socket: mews ctl, top and tap. */
#ifndef BROKER_OPERATORS_CTL_CLIENT_H
#define BROKER_OPERATORS_CTL_CLIENT_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"

struct ctl_client_options {
	const char *socket, *config; /* NULL: by default */
	bool help, once;
	const char *word[2]; /* what is no option */
	int n_word;
};

/* False: an option that is none, or more words than there is room for. */
bool ctl_client_options_take(
    struct ctl_client_options *o, int argc, char **argv, struct err *err);

struct ctl_connection {
	int fd;
	struct buf in; /* what has arrived; line is its beginning */
};

/* The broker of that socket, of that configuration, or of the default place. */
bool ctl_connect(
    struct ctl_connection *c, const struct ctl_client_options *o, struct err *err);
void ctl_disconnect(struct ctl_connection *c);

bool ctl_say(
    struct ctl_connection *c, const char *command, const char *argument, struct err *err);
/* The next line, which stays until the next call. */
bool ctl_hear(struct ctl_connection *c, const char **ret_line, struct err *err);
/* Asks and has an answer; false also when the answer says that it failed. */
bool ctl_ask(struct ctl_connection *c, const char *command, const char *argument,
    const char **ret_line, struct err *err);

#endif
