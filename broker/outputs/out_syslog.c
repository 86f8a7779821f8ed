/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>

#include "base/syslog_socket.h"
#include "broker/outputs/out.h"

struct out_syslog {
	struct out out;
	struct syslog_socket socket;
	const atomic_bool *stop;
};

/* Falco's priorities are syslog's numbers. */
static bool
send_line(struct out_syslog *o, const struct queue_line *l, const char *text)
{
	while (!syslog_socket_send(&o->socket, (int)l->priority, text, l->len)) {
		if (errno != EAGAIN)
			return false;
		if (!out_wait(o->socket.fd, POLLOUT, UINT32_MAX, o->stop)) {
			errno = EAGAIN;
			return false;
		}
	}
	return true;
}

static bool
syslog_write(struct out *out, const struct out_batch *b, struct out_loss *ret_loss,
    struct err *err)
{
	struct out_syslog *o = (struct out_syslog *)out;

	*ret_loss = (struct out_loss){.why = OUTPUTS_FAILED};
	for (uint32_t i = 0; i < b->n; i++) {
		if (send_line(o, &b->line[i], b->base + b->line[i].offset))
			continue;
		ret_loss->n++;
		err_sys(err, SYSLOG_SOCKET_PATH);
		if (errno == EAGAIN)
			ret_loss->why = OUTPUTS_GIVEN_UP;
	}
	return ret_loss->n == 0;
}

static void
syslog_free(struct out *out, uint32_t wait_ms)
{
	struct out_syslog *o = (struct out_syslog *)out;

	syslog_socket_close(&o->socket);
	free(o);
}

struct out *
out_syslog_new(const struct settings *s, const struct out_env *env, struct err *err)
{
	struct out_syslog *o = calloc(1, sizeof(*o));

	if (!o) {
		err_nomem(err);
		return NULL;
	}
	*o = (struct out_syslog){
	    .out = {.name = "syslog", .write = syslog_write, .free = syslog_free},
	    .socket = {.path = SYSLOG_SOCKET_PATH, .fd = -1},
	    .stop = env->stop,
	};
	return &o->out;
}
