/* SPDX-License-Identifier: Apache-2.0 */
/* The side of who starts workers. */
#include "worker/egress/egress.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "worker/egress/message.h"
#include "worker/egress/unix_open.h"

/* It reads at once, always; one that does not is broken. */
#define SEND_DEADLINE_S 1
/* From the end of its socket to its own. */
#define END_DEADLINE_MS 2000
/* It reads a file and starts some threads. */
#define START_DEADLINE_MS 5000

/* A worker that was added: the unix sockets that may be asked for in its name. */
struct grant {
	LIST_ENTRY(grant) link;
	uint32_t id;
	struct arena arena;
	const char **path;
	uint32_t n_path;
};

struct egress {
	pid_t pid;
	int fd;
	LIST_HEAD(, grant) grants;
	bool is_lost, lost_is_told;
};

static bool
spawn(const struct egress_config *c, int their_fd, pid_t *ret_pid, struct err *err)
{
	char uid[16], gid[16], name[] = "mews-egress";
	char *argv[] = {name, uid, gid, (char *)(uintptr_t)c->hosts_path, NULL};
	char *env[] = {NULL};
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	sigset_t all, none;

	snprintf(uid, sizeof(uid), "%u", c->uid);
	snprintf(gid, sizeof(gid), "%u", c->gid);
	sigfillset(&all);
	sigemptyset(&none);
	posix_spawn_file_actions_init(&actions);
	posix_spawnattr_init(&attr);
	posix_spawn_file_actions_adddup2(&actions, their_fd, MESSAGE_FD);
	posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
	posix_spawnattr_setsigdefault(&attr, &all);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
	int rc = posix_spawn(ret_pid, c->path, &actions, &attr, argv, env);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attr);
	if (rc == 0)
		return true;
	*ret_pid = 0;
	errno = rc;
	return err_sys(err, "%s", c->path);
}

static bool
wait_until_ready(struct egress *e, struct err *err)
{
	struct pollfd pfd = {.fd = e->fd, .events = POLLIN};
	struct message_head head;
	char why[sizeof(err->msg)];
	unsigned n_fd;
	size_t n;

	if (poll(&pfd, 1, START_DEADLINE_MS) == 0)
		return err_set(err, ERR_LIMIT, "mews-egress: not ready within %d ms",
		    START_DEADLINE_MS);
	if (message_receive(
		e->fd, &head, why, sizeof(why) - 1, &n, NULL, 0, &n_fd, err) != PACKET_OK)
		return err_wrap(err, "mews-egress, at its start");
	why[n] = '\0';
	return head.kind == MESSAGE_READY ||
	       err_set(err, ERR_SYS, "mews-egress: %s", why);
}

struct egress *
egress_start(const struct egress_config *config, struct err *err)
{
	struct timeval patience = {.tv_sec = SEND_DEADLINE_S};
	struct egress *e = calloc(1, sizeof(*e));
	int pair[2];

	if (e == NULL) {
		err_nomem(err);
		return NULL;
	}
	LIST_INIT(&e->grants);
	e->fd = -1;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0) {
		err_sys(err, "socketpair");
		egress_free(e);
		return NULL;
	}
	e->fd = pair[0];
	bool ok = setsockopt(
		      e->fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) == 0 ||
		  err_sys(err, "SO_SNDTIMEO");
	ok = ok && spawn(config, pair[1], &e->pid, err);
	close(pair[1]);
	ok = ok && wait_until_ready(e, err);
	if (!ok) {
		egress_free(e);
		return NULL;
	}
	return e;
}

static void
grant_free(struct grant *g)
{
	LIST_REMOVE(g, link);
	arena_release(&g->arena);
	free(g);
}

static void
end_process(pid_t pid)
{
	const struct timespec nap = {.tv_nsec = 5000000};

	for (int waited_ms = 0; waited_ms < END_DEADLINE_MS; waited_ms += 5) {
		if (waitpid(pid, NULL, WNOHANG) != 0)
			return;
		nanosleep(&nap, NULL);
	}
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

void
egress_free(struct egress *e)
{
	if (e == NULL)
		return;
	while (!LIST_EMPTY(&e->grants))
		grant_free(LIST_FIRST(&e->grants));
	/* End of file is the word for it. */
	if (e->fd >= 0)
		close(e->fd);
	if (e->pid > 0)
		end_process(e->pid);
	free(e);
}

int
egress_fd(const struct egress *e)
{
	return e->fd;
}

static bool
tell(struct egress *e, const struct message_head *head, const void *body, size_t n_body,
    const int *fds, unsigned n_fd, struct err *err)
{
	switch (message_send(e->fd, head, body, n_body, fds, n_fd, 0, err)) {
	case PACKET_OK:
		return true;
	case PACKET_AGAIN:
		err_set(err, ERR_LIMIT, "mews-egress does not read");
		break;
	case PACKET_CLOSED:
		err_set(err, ERR_GONE, "mews-egress is gone");
		break;
	case PACKET_ERROR:
		err_wrap(err, "mews-egress");
	}
	return false;
}

static struct grant *
find_grant(struct egress *e, uint32_t id)
{
	struct grant *g;

	LIST_FOREACH(g, &e->grants, link)
	if (g->id == id)
		return g;
	return NULL;
}

static bool
keep_grant(struct egress *e, uint32_t id, const struct profile *p, struct err *err)
{
	struct grant *g = calloc(1, sizeof(*g));

	if (g == NULL)
		return err_nomem(err);
	g->id = id;
	arena_init(&g->arena, LIMIT_POLICY_ITEMS * 2 * PATH_MAX);
	LIST_INSERT_HEAD(&e->grants, g, link);
	g->path = arena_array(&g->arena, (size_t)p->n_unix_socket + 1, sizeof(*g->path));
	if (g->path == NULL)
		goto fail;
	for (; g->n_path < p->n_unix_socket; g->n_path++) {
		char *path = unix_resolve(p->unix_socket[g->n_path].path);
		g->path[g->n_path] = path ? arena_strdup(&g->arena, path) : NULL;
		free(path);
		if (g->path[g->n_path] == NULL)
			goto fail;
	}
	return true;
fail:
	grant_free(g);
	return err_nomem(err);
}

bool
egress_add(struct egress *e, uint32_t id, const struct profile *profile, const int *fds,
    struct err *err)
{
	struct message_head head = {.kind = MESSAGE_ADD, .id = id};
	struct egress_plan plan;
	struct buf body;

	if (find_grant(e, id) != NULL)
		return err_set(err, ERR_USAGE, "worker %u was added before", id);
	if (!egress_plan_make(&plan, profile, err))
		return false;
	buf_init(&body, LIMIT_EGRESS_GRANT_BYTES);
	egress_policy_pack(profile, &body);
	bool ok =
	    !body.failed ||
	    err_set(err, ERR_LIMIT, "connect and unix together are longer than %u bytes",
		LIMIT_EGRESS_GRANT_BYTES);
	ok = ok && keep_grant(e, id, profile, err);
	if (ok && !tell(e, &head, body.data, body.len, fds, plan.n, err)) {
		grant_free(find_grant(e, id));
		ok = false;
	}
	buf_release(&body);
	return ok;
}

bool
egress_remove(struct egress *e, uint32_t id, struct err *err)
{
	struct message_head head = {.kind = MESSAGE_REMOVE, .id = id};
	struct grant *g = find_grant(e, id);

	if (g == NULL)
		return true;
	grant_free(g);
	return tell(e, &head, NULL, 0, NULL, 0, err);
}

bool
egress_ask_counters(struct egress *e, uint32_t id, struct err *err)
{
	struct message_head head = {.kind = MESSAGE_COUNTERS, .id = id};

	return tell(e, &head, NULL, 0, NULL, 0, err);
}

/* A worker connected to a unix socket inside; false: mews-egress asks for what no policy
 * says, or does not listen. */
static bool
open_for(struct egress *e, const struct message_head *asked)
{
	struct message_head head = {
	    .kind = MESSAGE_OPENED, .id = asked->id, .token = asked->token};
	const struct grant *g = find_grant(e, asked->id);
	struct err err;
	int fd = -1;

	/* Removed meanwhile, which it will hear. */
	if (g == NULL)
		return true;
	if (asked->index >= g->n_path)
		return false;
	if (!unix_open(g->path[asked->index], &fd, &err))
		head.sys = err.sys != 0 ? err.sys : ECONNREFUSED;
	bool ok = tell(e, &head, NULL, 0, &fd, fd >= 0 ? 1 : 0, &err);
	if (fd >= 0)
		close(fd);
	return ok;
}

static bool
event_is_sound(struct egress_event *event)
{
	/* Not that it would lie; but it reads what workers write. */
	event->what[sizeof(event->what) - 1] = '\0';
	event->allow_with[sizeof(event->allow_with) - 1] = '\0';
	return event->kind <= EGRESS_EVENT_FAILED;
}

bool
egress_event(struct egress *e, struct egress_event *ret_event)
{
	struct message_head head;
	struct egress_event event;
	unsigned n_fd;
	size_t n;
	struct err err;

	while (!e->is_lost) {
		enum packet_rc rc = message_receive(
		    e->fd, &head, &event, sizeof(event), &n, NULL, 0, &n_fd, &err);
		if (rc == PACKET_AGAIN)
			return false;
		if (rc == PACKET_OK && head.kind == MESSAGE_OPEN && n == 0 &&
		    open_for(e, &head))
			continue;
		if (rc == PACKET_OK && head.kind == MESSAGE_EVENT && n == sizeof(event) &&
		    event_is_sound(&event)) {
			*ret_event = event;
			return true;
		}
		e->is_lost = true;
		/* Confused or gone: it is not to go on. */
		kill(e->pid, SIGKILL);
	}
	if (e->lost_is_told)
		return false;
	e->lost_is_told = true;
	*ret_event = (struct egress_event){.kind = EGRESS_EVENT_LOST};
	return true;
}
