/* SPDX-License-Identifier: Apache-2.0 */
/* The broker's side. */
#include "broker/keeper/keeper.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "broker/keeper/keeper_wire.h"
#include "proto/packet.h"

/* A request and its answer belong together: outputs ask from threads of their own. */
static pthread_mutex_t asking = PTHREAD_MUTEX_INITIALIZER;
static int keeper_fd = -1;
static pid_t keeper;

void
keeper_use(int fd, pid_t pid)
{
	keeper_fd = fd;
	keeper = pid;
}

pid_t
keeper_pid(void)
{
	return keeper ? keeper : getpid();
}

static bool
take_answer(int fd[KEEPER_FDS], struct err *err)
{
	struct packet_in in = {.fds = fd, .max_fd = KEEPER_FDS};
	struct keeper_answer answer;
	struct iovec iov = {&answer, sizeof(answer)};
	size_t n;

	if (packet_receive(keeper_fd, &iov, 1, &n, &in, 0, err) != PACKET_OK)
		return false;
	if (n == sizeof(answer) && in.n_fd == KEEPER_FDS)
		return true;
	while (in.n_fd > 0)
		close(fd[--in.n_fd]);
	if (n != sizeof(answer) || !answer.error)
		return err_set(err, ERR_PEER, "the keeper's answer is not whole");
	errno = answer.error;
	return err_sys(err, "starting it");
}

static bool
run(enum keeper_request request, struct keeper_child *ret_child, struct err *err)
{
	char byte = (char)request;
	int fd[KEEPER_FDS];
	bool ok;

	if (keeper_fd < 0)
		return err_set(err, ERR_USAGE, "nothing can be started from here");
	pthread_mutex_lock(&asking);
	ok = send(keeper_fd, &byte, 1, MSG_NOSIGNAL) == 1
		 ? take_answer(fd, err)
		 : err_sys(err, "asking the keeper");
	pthread_mutex_unlock(&asking);
	if (ok)
		*ret_child = (struct keeper_child){fd[0], fd[1], fd[2]};
	return ok;
}

bool
keeper_run_program(struct keeper_child *ret_child, struct err *err)
{
	return run(KEEPER_PROGRAM, ret_child, err);
}

bool
keeper_run_dry(struct keeper_child *ret_child, struct err *err)
{
	return run(KEEPER_DRY_RUN, ret_child, err);
}

bool
keeper_child_ended(const struct keeper_child *c, int wait_ms, int *ret_status)
{
	struct pollfd pfd = {.fd = c->status_fd, .events = POLLIN};
	int rc, status = -1;

	do {
		rc = poll(&pfd, 1, wait_ms);
	} while (rc < 0 && errno == EINTR);
	if (rc <= 0)
		return false;
	/* An end without a status is the keeper's, and ours with it. */
	if (read(c->status_fd, &status, sizeof(status)) != sizeof(status))
		status = -1;
	*ret_status = status;
	return true;
}

void
keeper_child_signal(const struct keeper_child *c, int signal)
{
	/* That it has ended already is not worth a word. */
	syscall(SYS_pidfd_send_signal, c->pidfd, signal, NULL, 0u);
}

void
keeper_child_release(struct keeper_child *c)
{
	int *fd[] = {&c->pipe_fd, &c->status_fd, &c->pidfd};

	for (size_t i = 0; i < sizeof(fd) / sizeof(*fd); i++) {
		if (*fd[i] >= 0)
			close(*fd[i]);
		*fd[i] = -1;
	}
}

static void
tell(enum keeper_request request, const char *text)
{
	char bytes[KEEPER_REQUEST_BYTES] = {(char)request};
	size_t n = strlen(text);

	if (keeper_fd < 0 || n > sizeof(bytes) - 1)
		return;
	memcpy(bytes + 1, text, n);
	/* A keeper that does not listen is gone, and this process with it. */
	(void)!send(keeper_fd, bytes, n + 1, MSG_NOSIGNAL);
}

void
keeper_notify(const char *text)
{
	tell(KEEPER_NOTIFY, text);
}

void
keeper_ask_restart(void)
{
	tell(KEEPER_RESTART, "");
}
