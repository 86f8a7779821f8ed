/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mews-launcher: one loop over the broker's socket and, for each worker, its shim's pidfd
 * and its filter's listener. It has no configuration and opens nothing but what requests
 * name. It ends with the broker, and every worker with it.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"
#include "worker/egress/egress.h"
#include "worker/launch/host.h"
#include "worker/launch/title.h"
#include "worker/launch/watch.h"
#include "worker/launch/wire.h"

#define TICK_NS 100000000ull
/* How often egress is asked what it counted. */
#define COUNT_NS 1000000000ull

struct launcher_state {
	struct host host;
	bool is_fit; /* else err says why no worker can be made here */
	struct err err;
	struct watch *watch[LIMIT_WORKERS];
	unsigned n_watches;
	bool broker_is_slow;   /* its socket is full; events wait */
	struct egress *egress; /* once a worker that connects was made; NULL */
};

static struct watch *
find_watch(struct launcher_state *l, uint32_t id)
{
	for (unsigned i = 0; i < l->n_watches; i++)
		if (l->watch[i]->id == id)
			return l->watch[i];
	return NULL;
}

static bool
has_network(const struct watch *w)
{
	const struct profile *p = w->confinement->profile;

	return profile_connects(p) || p->n_unix_socket > 0;
}

static bool
start_egress(struct launcher_state *l, const char *hosts, struct err *err)
{
	static const char *const places[] = {
	    "mews-egress", "../egress/mews-egress", "/usr/libexec/mews/mews-egress"};
	char self[4096], path[sizeof(self) + 64];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	struct egress_config config = {
	    .path = path,
	    .hosts_path = hosts != NULL && hosts[0] != '\0' ? hosts : NULL,
	    .uid = host_egress_uid(&l->host),
	    .gid = l->host.is_root ? host_egress_uid(&l->host) : getegid(),
	};

	if (n < 0)
		return err_sys(err, "cannot tell where this program is");
	self[n] = '\0';
	char *slash = strrchr(self, '/');
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		int dir = places[i][0] == '/' ? 0 : (int)(slash - self) + 1;
		snprintf(path, sizeof(path), "%.*s%s", dir, self, places[i]);
		if (access(path, X_OK) == 0) {
			l->egress = egress_start(&config, err);
			return l->egress != NULL;
		}
	}
	return err_set(err, ERR_SYS,
	    "the program mews-egress is neither beside mews-launcher nor in "
	    "/usr/libexec/mews");
}

static bool
serve_network(struct launcher_state *l, const struct launch_request *r,
    struct spawned *spawned, struct err *err)
{
	if (spawned->n_network == 0)
		return true;
	bool ok = (l->egress != NULL || start_egress(l, r->egress_hosts, err)) &&
		  egress_add(l->egress, r->id, r->confinement->profile,
		      spawned->network_fd, err);
	spawn_drop_network(spawned);
	return ok;
}

static void
give_up(struct spawned *spawned)
{
	bool signaled;
	int status;

	spawn_kill(spawned);
	spawn_bury(spawned, &signaled, &status);
	spawn_drop_network(spawned);
}

static bool
launch(struct launcher_state *l, const int *fd, uint32_t id, struct wire_answer *answer,
    struct err *err)
{
	struct launch_request r;
	struct spawned spawned;
	struct arena arena;

	if (!l->is_fit) {
		*err = l->err;
		return false;
	}
	if (l->n_watches == LIMIT_WORKERS)
		return err_set(err, ERR_LIMIT, "%u workers are alive", LIMIT_WORKERS);
	if (find_watch(l, id) != NULL)
		return err_set(err, ERR_PEER, "worker %u exists already", id);
	arena_init(&arena, 4 * LIMIT_LAUNCH_BYTES);
	if (!wire_plan_unpack(fd[WIRE_PLAN], &arena, &r, err)) {
		arena_release(&arena);
		return false;
	}
	r.id = id;
	r.control_fd = fd[WIRE_CONTROL];
	r.up_fd = fd[WIRE_UP];
	r.down_fd = fd[WIRE_DOWN];
	r.wake_broker_fd = fd[WIRE_WAKE_BROKER];
	r.wake_worker_fd = fd[WIRE_WAKE_WORKER];
	r.output_fd = fd[WIRE_OUTPUT];
	if (!spawn_worker(&l->host, &r, &spawned, err)) {
		arena_release(&arena);
		return false;
	}
	if (!serve_network(l, &r, &spawned, err)) {
		give_up(&spawned);
		arena_release(&arena);
		return false;
	}
	struct watch *w = watch_new(id, &arena, r.confinement, &spawned);
	if (w == NULL) {
		give_up(&spawned);
		arena_release(&arena);
		return err_nomem(err);
	}
	l->watch[l->n_watches++] = w;
	answer->worker_pid = spawned.worker_pid;
	answer->layers = spawned.layers;
	_Static_assert(sizeof(answer->note) == sizeof(spawned.note.text), "one note");
	memcpy(answer->note, spawned.note.text, sizeof(answer->note));
	return true;
}

static bool
answer_launch(struct launcher_state *l, const int *fd, uint32_t id)
{
	struct wire_answer answer = {.head = {.kind = WIRE_ANSWER, .id = id}};
	struct err err = {.code = ERR_NONE};

	answer.is_ok = launch(l, fd, id, &answer, &err);
	if (!answer.is_ok) {
		answer.err_code = (int32_t)err.code;
		answer.err_sys = err.sys;
		memcpy(answer.err_msg, err.msg, sizeof(answer.err_msg));
	}
	/* Blocking: the broker waits for it. */
	return wire_send(WIRE_FD, &answer, sizeof(answer), NULL, 0, 0, &err) == PACKET_OK;
}

/* False: the broker is gone, or talks nonsense, which ends us the same way. */
static bool
serve_broker(struct launcher_state *l)
{
	struct wire_head head;
	int fd[WIRE_N_FDS];
	struct packet_in in = {.fds = fd, .max_fd = WIRE_N_FDS};
	size_t size;
	struct err err;
	bool ok = false;

	switch (
	    wire_receive(WIRE_FD, &head, sizeof(head), &size, &in, MSG_DONTWAIT, &err)) {
	case PACKET_OK:
		break;
	case PACKET_AGAIN:
		return true;
	default:
		return false;
	}
	if (size == sizeof(head) && head.kind == WIRE_LAUNCH && in.n_fd == WIRE_N_FDS) {
		ok = answer_launch(l, fd, head.id);
	} else if (size == sizeof(head) && head.kind == WIRE_KILL && in.n_fd == 0) {
		/* Unknown: it died meanwhile, which was told. */
		struct watch *w = find_watch(l, head.id);
		if (w != NULL && !w->is_dead)
			spawn_kill(&w->worker);
		ok = true;
	}
	for (unsigned i = 0; i < in.n_fd; i++)
		close(fd[i]);
	return ok;
}

/* Tells what is due until the broker's socket is full. */
static bool
tell_events(struct launcher_state *l)
{
	struct wire_event e = {.head = {.kind = WIRE_EVENT}};
	const struct launch_event *event;
	struct err err;

	l->broker_is_slow = false;
	for (unsigned i = 0; i < l->n_watches;) {
		struct watch *w = l->watch[i];
		while ((event = watch_event(w)) != NULL) {
			e.head.id = w->id;
			e.event = *event;
			switch (wire_send(
			    WIRE_FD, &e, sizeof(e), NULL, 0, MSG_DONTWAIT, &err)) {
			case PACKET_OK:
				break;
			case PACKET_AGAIN:
				l->broker_is_slow = true;
				return true;
			default:
				return false;
			}
			watch_told(w, event);
			if (event == &w->death)
				break;
		}
		if (event != NULL) { /* its death: nothing follows */
			watch_free(w);
			l->watch[i] = l->watch[--l->n_watches];
		} else {
			i++;
		}
	}
	return true;
}

/* The worker is dead: its sockets go, and its connections. */
static void
end_network(struct launcher_state *l, struct watch *w)
{
	struct err ignored;

	if (l->egress == NULL || !has_network(w))
		return;
	/* An egress that does not listen any more is found out by its events. */
	egress_remove(l->egress, w->id, &ignored);
	watch_wait_for_egress(w);
}

static void
ask_egress(struct launcher_state *l)
{
	struct err ignored;

	for (unsigned i = 0; l->egress != NULL && i < l->n_watches; i++)
		if (!l->watch[i]->is_dead && has_network(l->watch[i]))
			egress_ask_counters(l->egress, l->watch[i]->id, &ignored);
}

/* Whoever had a network has none now; started anew, it gets one from a new egress. */
static void
lose_egress(struct launcher_state *l)
{
	egress_free(l->egress);
	l->egress = NULL;
	for (unsigned i = 0; i < l->n_watches; i++) {
		struct watch *w = l->watch[i];
		if (w->is_dead || !has_network(w))
			continue;
		snprintf(w->death.last_call, sizeof(w->death.last_call),
		    "its network was lost: mews-egress has ended");
		spawn_kill(&w->worker);
	}
}

static void
hear_egress(struct launcher_state *l)
{
	struct egress_event e;

	while (l->egress != NULL && egress_event(l->egress, &e)) {
		struct watch *w = find_watch(l, e.id);
		if (e.kind == EGRESS_EVENT_LOST)
			lose_egress(l);
		else if (w != NULL && e.kind == EGRESS_EVENT_DENIED)
			watch_denied(w, e.what, e.allow_with, e.count);
		else if (w != NULL && e.kind == EGRESS_EVENT_COUNTERS)
			watch_counted(w, &e.counters, e.is_last);
		else if (w != NULL && e.kind == EGRESS_EVENT_FAILED && !w->is_dead) {
			snprintf(w->death.last_call, sizeof(w->death.last_call),
			    "no network for it: %.100s", e.what);
			spawn_kill(&w->worker);
		}
	}
}

/* One round: waits, then does a bounded piece of work for each that has some. */
static bool
turn(struct launcher_state *l, uint64_t *next_tick_ns)
{
	static struct pollfd pfd[2 + 2 * LIMIT_WORKERS];
	static uint64_t next_count_ns;
	bool some_wait = false;
	unsigned n_watches = l->n_watches;

	if (clock_mono_ns() >= *next_tick_ns) {
		*next_tick_ns = clock_mono_ns() + TICK_NS;
		for (unsigned i = 0; i < n_watches; i++)
			watch_tick(l->watch[i]);
	}
	if (l->egress != NULL && clock_mono_ns() >= next_count_ns) {
		next_count_ns = clock_mono_ns() + COUNT_NS;
		ask_egress(l);
	}
	pfd[0] = (struct pollfd){
	    .fd = WIRE_FD,
	    .events = (short)(POLLIN | (l->broker_is_slow ? POLLOUT : 0)),
	};
	for (unsigned i = 0; i < n_watches; i++) {
		const struct watch *w = l->watch[i];
		bool may_ask = w->answers_left > 0;
		some_wait |=
		    !may_ask || watch_is_metered(w) || w->n_ticks_waited_for_egress > 0;
		/* poll skips -1: the dead, and listeners of which enough was heard. */
		pfd[1 + 2 * i] = (struct pollfd){w->worker.shim_pidfd, POLLIN, 0};
		pfd[2 + 2 * i] =
		    (struct pollfd){may_ask ? w->worker.notify_fd : -1, POLLIN, 0};
	}
	pfd[1 + 2 * n_watches] =
	    (struct pollfd){l->egress != NULL ? egress_fd(l->egress) : -1, POLLIN, 0};
	int wait_ms = some_wait           ? (int)(TICK_NS / 1000000)
		      : l->egress != NULL ? (int)(COUNT_NS / 1000000)
					  : -1;
	if (poll(pfd, 2 + 2 * n_watches, wait_ms) < 0)
		return errno == EINTR;
	if (pfd[1 + 2 * n_watches].revents != 0)
		hear_egress(l);
	for (unsigned i = 0; i < n_watches; i++) {
		struct watch *w = l->watch[i];
		if ((pfd[2 + 2 * i].revents & POLLIN) != 0) {
			watch_notification(w);
		} else if (pfd[2 + 2 * i].revents != 0) {
			/* Nobody is under that filter any more. */
			close(w->worker.notify_fd);
			w->worker.notify_fd = -1;
		}
		if (pfd[1 + 2 * i].revents != 0) {
			watch_bury(w);
			end_network(l, w);
		}
	}
	/* Events before answers: what happened first is told first. */
	if (!tell_events(l))
		return false;
	return pfd[0].revents == 0 || (pfd[0].revents & POLLIN) == 0
		   ? (pfd[0].revents & (POLLHUP | POLLERR)) == 0
		   : serve_broker(l);
}

static void
end_workers(struct launcher_state *l)
{
	for (unsigned i = 0; i < l->n_watches; i++)
		if (!l->watch[i]->is_dead)
			spawn_kill(&l->watch[i]->worker);
	for (unsigned i = 0; i < l->n_watches; i++) {
		if (!l->watch[i]->is_dead)
			watch_bury(l->watch[i]);
		watch_free(l->watch[i]);
	}
}

int
main(int argc, char **argv)
{
	static struct launcher_state l;
	struct rlimit files;
	uint64_t next_tick_ns = 0;
	socklen_t len = sizeof(int);
	int type = 0;

	if (getsockopt(WIRE_FD, SOL_SOCKET, SO_TYPE, &type, &len) < 0 ||
	    type != SOCK_SEQPACKET) {
		fprintf(stderr, "mews-launcher is started by mews alone\n");
		return 2;
	}
	/* The broker made argv long enough for a name. */
	char *end = argv[argc - 1] + strlen(argv[argc - 1]);
	title_set_area(argv[0], (size_t)(end - argv[0]));
	title_set("mews-launcher", "");

	/* A session of its own: what is sent to the broker's group, by a terminal or by
	 * whoever stops it, is for the broker to act on. */
	setsid();
	/* With the broker's death comes ours, with ours every shim's. A broker that went
	 * before this line has closed the socket. */
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	/* What the broker happened to have open is none of ours, nor of any worker. */
	syscall(SYS_close_range, (unsigned)WIRE_FD + 1, ~0u, 0u);
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	l.is_fit = host_probe(&l.host, &l.err) && watch_init(&l.err);
	while (turn(&l, &next_tick_ns))
		;
	end_workers(&l);
	egress_free(l.egress);
	host_leave(&l.host);
	return 0;
}
