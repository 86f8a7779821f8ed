/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/launch/launcher.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "worker/launch/wire.h"

/* For the launcher to kill and bury every worker after its socket was closed. */
#define END_DEADLINE_MS 2000

struct queued {
	TAILQ_ENTRY(queued) link;
	struct launch_event event;
};

struct launcher {
	pid_t pid;
	int fd;
	/* Events that came while an answer was awaited; as many as the launcher tells,
	 * which is bounded by workers and LIMIT_DENIALS. */
	TAILQ_HEAD(, queued) queue;
	int queue_fd; /* eventfd: readable while the queue holds something */
	int epoll_fd; /* of fd and queue_fd: what launcher_fd gives out */
	bool is_lost, lost_is_told;
};

static bool
spawn(const char *path, int wire_fd, pid_t *ret_pid, struct err *err)
{
	/* Room for "mews-shim NAME" in what ps shows. */
	static char room[] =
	    "                                                             "
	    "                                                             ";
	char name[] = "mews-launcher";
	char *argv[] = {name, room, NULL};
	char *env[] = {NULL};
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	sigset_t all, none;

	sigfillset(&all);
	sigemptyset(&none);
	posix_spawn_file_actions_init(&actions);
	posix_spawnattr_init(&attr);
	posix_spawn_file_actions_adddup2(&actions, wire_fd, WIRE_FD);
	posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
	posix_spawnattr_setsigdefault(&attr, &all);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
	int rc = posix_spawn(ret_pid, path, &actions, &attr, argv, env);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attr);
	if (rc != 0) {
		errno = rc;
		return err_sys(err, "%s", path);
	}
	return true;
}

static bool
watch_fd(struct launcher *l, int fd, struct err *err)
{
	struct epoll_event e = {.events = EPOLLIN};

	if (epoll_ctl(l->epoll_fd, EPOLL_CTL_ADD, fd, &e) < 0)
		return err_sys(err, "epoll_ctl");
	return true;
}

struct launcher *
launcher_start(const char *launcher_path, struct err *err)
{
	struct launcher *l = calloc(1, sizeof(*l));
	int pair[2] = {-1, -1};

	if (l == NULL) {
		err_nomem(err);
		return NULL;
	}
	TAILQ_INIT(&l->queue);
	l->fd = l->queue_fd = l->epoll_fd = -1;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0) {
		err_sys(err, "socketpair");
		goto fail;
	}
	l->fd = pair[0];
	l->queue_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	l->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (l->queue_fd < 0 || l->epoll_fd < 0) {
		err_sys(err, "eventfd or epoll");
		goto fail;
	}
	if (!watch_fd(l, l->fd, err) || !watch_fd(l, l->queue_fd, err) ||
	    !spawn(launcher_path, pair[1], &l->pid, err))
		goto fail;
	close(pair[1]);
	return l;
fail:
	if (pair[1] >= 0)
		close(pair[1]);
	launcher_free(l);
	return NULL;
}

static void
set_queue_fd(struct launcher *l)
{
	uint64_t n = 1;

	/* Neither can fail in a way that matters: it only says "look". */
	if (TAILQ_EMPTY(&l->queue))
		(void)!read(l->queue_fd, &n, sizeof(n));
	else
		(void)!write(l->queue_fd, &n, sizeof(n));
}

void
launcher_free(struct launcher *l)
{
	struct queued *q;

	if (l == NULL)
		return;
	/* End of file is the word for it. */
	if (l->fd >= 0)
		close(l->fd);
	for (int ms = 0; l->pid > 0; ms++) {
		pid_t pid = waitpid(l->pid, NULL, WNOHANG);
		if (pid == l->pid || (pid < 0 && errno == ECHILD))
			break;
		if (ms == END_DEADLINE_MS)
			kill(l->pid, SIGKILL);
		poll(NULL, 0, 1);
	}
	if (l->queue_fd >= 0)
		close(l->queue_fd);
	if (l->epoll_fd >= 0)
		close(l->epoll_fd);
	while ((q = TAILQ_FIRST(&l->queue)) != NULL) {
		TAILQ_REMOVE(&l->queue, q, link);
		free(q);
	}
	free(l);
}

static bool
lose(struct launcher *l, struct err *err)
{
	l->is_lost = true;
	/* Readable until the loss was told. */
	(void)!write(l->queue_fd, &(uint64_t){1}, sizeof(uint64_t));
	return err_wrap(err, "mews-launcher");
}

/* Texts end, whatever came. */
static void
end_texts(struct launch_event *e)
{
	e->last_call[sizeof(e->last_call) - 1] = '\0';
	e->what[sizeof(e->what) - 1] = '\0';
	e->allow_with[sizeof(e->allow_with) - 1] = '\0';
}

/* One message. PACKET_OK: *ret_is_event says which. */
static enum packet_rc
receive(struct launcher *l, union wire_message *m, bool *ret_is_event, struct err *err)
{
	size_t size;
	enum packet_rc rc =
	    wire_receive(l->fd, m, sizeof(*m), &size, NULL, MSG_DONTWAIT, err);

	if (rc != PACKET_OK)
		return rc;
	if (size == sizeof(m->event) && m->head.kind == WIRE_EVENT &&
	    (m->event.event.kind == LAUNCH_EVENT_DIED ||
		m->event.event.kind == LAUNCH_EVENT_DENIED ||
		m->event.event.kind == LAUNCH_EVENT_EGRESS)) {
		end_texts(&m->event.event);
		*ret_is_event = true;
		return PACKET_OK;
	}
	if (size == sizeof(m->answer) && m->head.kind == WIRE_ANSWER) {
		m->answer.err_msg[sizeof(m->answer.err_msg) - 1] = '\0';
		m->answer.note[sizeof(m->answer.note) - 1] = '\0';
		*ret_is_event = false;
		return PACKET_OK;
	}
	err_set(err, ERR_PEER, "a message that is none");
	return PACKET_ERROR;
}

static bool
enqueue(struct launcher *l, const struct launch_event *e, struct err *err)
{
	struct queued *q = malloc(sizeof(*q));

	if (q == NULL)
		return err_nomem(err);
	q->event = *e;
	TAILQ_INSERT_TAIL(&l->queue, q, link);
	set_queue_fd(l);
	return true;
}

static bool
wait_for_answer(
    struct launcher *l, uint32_t id, struct wire_answer *ret_answer, struct err *err)
{
	uint64_t deadline = clock_mono_ns() + LAUNCH_DEADLINE_MS * 1000000ull;
	union wire_message m;
	bool is_event;

	for (;;) {
		enum packet_rc rc = receive(l, &m, &is_event, err);
		if (rc == PACKET_OK && is_event) {
			if (!enqueue(l, &m.event.event, err))
				return lose(l, err);
		} else if (rc == PACKET_OK && m.head.id == id) {
			*ret_answer = m.answer;
			return true;
		} else if (rc == PACKET_OK) {
			err_set(err, ERR_PEER, "an answer to %u instead of %u", m.head.id,
			    id);
			return lose(l, err);
		} else if (rc == PACKET_AGAIN) {
			uint64_t now = clock_mono_ns();
			struct pollfd pfd = {.fd = l->fd, .events = POLLIN};
			if (now >= deadline) {
				err_set(err, ERR_LIMIT, "no answer within %d ms",
				    LAUNCH_DEADLINE_MS);
				return lose(l, err);
			}
			poll(&pfd, 1, (int)((deadline - now) / 1000000) + 1);
		} else {
			return lose(l, err);
		}
	}
}

bool
launcher_launch(struct launcher *l, const struct launch_request *r,
    struct launch_result *ret_result, struct err *err)
{
	struct wire_head head = {.kind = WIRE_LAUNCH, .id = r->id};
	struct wire_answer answer;
	int fd[WIRE_N_FDS] = {
	    [WIRE_CONTROL] = r->control_fd,
	    [WIRE_UP] = r->up_fd,
	    [WIRE_DOWN] = r->down_fd,
	    [WIRE_WAKE_BROKER] = r->wake_broker_fd,
	    [WIRE_WAKE_WORKER] = r->wake_worker_fd,
	    [WIRE_OUTPUT] = r->output_fd,
	};

	if (l->is_lost)
		return err_set(err, ERR_GONE, "mews-launcher is gone");
	if (!wire_plan_pack(r, &fd[WIRE_PLAN], err))
		return false;
	enum packet_rc rc = wire_send(l->fd, &head, sizeof(head), fd, WIRE_N_FDS, 0, err);
	close(fd[WIRE_PLAN]);
	if (rc == PACKET_CLOSED)
		return lose(l, err);
	if (rc != PACKET_OK)
		return err_wrap(err, "mews-launcher");
	if (!wait_for_answer(l, r->id, &answer, err))
		return false;
	if (!answer.is_ok) {
		err_set(err, (enum err_code)answer.err_code, "%s", answer.err_msg);
		err->sys = answer.err_sys;
		return false;
	}
	ret_result->worker_pid = answer.worker_pid;
	ret_result->layers = answer.layers;
	memcpy(ret_result->note, answer.note, sizeof(ret_result->note));
	return true;
}

bool
launcher_kill(struct launcher *l, uint32_t id, struct err *err)
{
	struct wire_head head = {.kind = WIRE_KILL, .id = id};

	if (l->is_lost)
		return err_set(err, ERR_GONE, "mews-launcher is gone");
	switch (wire_send(l->fd, &head, sizeof(head), NULL, 0, 0, err)) {
	case PACKET_OK:
		return true;
	case PACKET_CLOSED:
		return lose(l, err);
	default:
		return err_wrap(err, "mews-launcher");
	}
}

int
launcher_fd(const struct launcher *l)
{
	return l->epoll_fd;
}

bool
launcher_event(struct launcher *l, struct launch_event *ret_event)
{
	struct queued *q = TAILQ_FIRST(&l->queue);
	union wire_message m;
	struct err err;
	bool is_event = false;

	if (q != NULL) {
		*ret_event = q->event;
		TAILQ_REMOVE(&l->queue, q, link);
		free(q);
		if (!l->is_lost)
			set_queue_fd(l);
		return true;
	}
	if (!l->is_lost) {
		enum packet_rc rc = receive(l, &m, &is_event, &err);
		if (rc == PACKET_AGAIN)
			return false;
		if (rc == PACKET_OK && is_event) {
			*ret_event = m.event.event;
			return true;
		}
		if (rc == PACKET_OK)
			err_set(&err, ERR_PEER, "an answer that nobody asked for");
		lose(l, &err);
	}
	if (l->lost_is_told)
		return false;
	/* Told once; the descriptors would be readable for ever. */
	l->lost_is_told = true;
	epoll_ctl(l->epoll_fd, EPOLL_CTL_DEL, l->fd, NULL);
	epoll_ctl(l->epoll_fd, EPOLL_CTL_DEL, l->queue_fd, NULL);
	*ret_event = (struct launch_event){.kind = LAUNCH_EVENT_LOST};
	return true;
}
