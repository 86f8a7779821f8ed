/* SPDX-License-Identifier: Apache-2.0 */
/* The program beside itself: a dry run, which the keeper starts. */
#include <event2/event.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/utf8.h"
#include "broker/keeper/keeper.h"
#include "broker/run/reload_check.h"
#include "broker/supervisor/supervisor.h"

enum {
	/* As long as loading and initialising may take, twice. */
	DRY_RUN_MS = 60000,
	POLL_MS = 20,
	KEPT_BYTES = 4096, /* of what it says */
};

static void
on_poll(int fd, short what, void *arg)
{
}

/* Keeps the end of what it says: the error is its last line. */
static void
take_output(int fd, struct buf *said)
{
	char piece[4096];
	ssize_t n;

	while ((n = read(fd, piece, sizeof(piece))) > 0) {
		buf_add(said, piece, (size_t)n);
		if (said->len > KEPT_BYTES)
			buf_splice(said, 0, said->len - KEPT_BYTES, NULL, 0);
	}
}

/* Turns of the loop until it has ended; false when it was killed for being late. */
static bool
await(struct app *app, const struct keeper_child *c, struct buf *said, int *ret_status)
{
	const struct timeval tv = {0, POLL_MS * 1000};
	struct event *poll =
	    event_new(app->supervisor->base, -1, EV_PERSIST, on_poll, NULL);
	uint64_t end = clock_mono_ns() + DRY_RUN_MS * 1000000ull;
	bool late = !poll || event_add(poll, &tv) < 0;

	while (!late && !keeper_child_ended(c, 0, ret_status)) {
		event_base_loop(app->supervisor->base, EVLOOP_ONCE);
		take_output(c->pipe_fd, said);
		late = clock_mono_ns() > end;
	}
	if (late)
		keeper_child_signal(c, SIGKILL);
	take_output(c->pipe_fd, said);
	if (poll)
		event_free(poll);
	return !late;
}

/* "Error: …" and what follows, or the last line; fit for people. */
static bool
said_error(const struct buf *said, struct err *err)
{
	const char *text = buf_str(said), *at = strstr(text, "Error: ");
	size_t n;
	struct buf clean;

	at = at ? at + 7 : text;
	n = strlen(at);
	while (n > 0 && at[n - 1] == '\n')
		n--;
	buf_init(&clean, 8 * KEPT_BYTES);
	utf8_escape(&clean, at, n, sizeof(err->msg));
	err_set(err, ERR_USAGE, "a dry run failed: %s", buf_str(&clean));
	buf_release(&clean);
	return false;
}

bool
reload_dry_run(struct app *app, struct err *err)
{
	struct keeper_child child;
	struct buf said;
	int status = 0;
	bool done;

	if (!keeper_run_dry(&child, err))
		return err_wrap(err, "a dry run");
	fcntl(child.pipe_fd, F_SETFL, O_NONBLOCK);
	buf_init(&said, 1 << 20);
	done =
	    await(app, &child, &said, &status) ||
	    err_set(err, ERR_USAGE, "a dry run took longer than %d s", DRY_RUN_MS / 1000);
	if (done && !(WIFEXITED(status) && WEXITSTATUS(status) == 0))
		done = said_error(&said, err);
	keeper_child_release(&child);
	buf_release(&said);
	return done;
}
