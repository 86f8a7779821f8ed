/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/launch/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/limits.h"
#include "worker/egress/egress.h"
#include "worker/launch/attest.h"
#include "worker/launch/child.h"
#include "worker/launch/layers.h"
#include "worker/launch/setup.h"
#include "worker/launch/sockets.h"
#include "worker/launch/userns.h"
#include "worker/launch/wire.h"

#ifndef P_PIDFD
#define P_PIDFD 3
#endif

/* Less than the broker waits, so that it hears why. */
#define SETUP_DEADLINE_MS (LAUNCH_DEADLINE_MS - 1000)

/* What one attempt holds; released whole, but for what moved to spawned. */
struct attempt {
	const struct host *host;
	const struct launch_request *request;
	struct child child;
	struct spawned out;
	int setup_fd;       /* our end */
	ino_t setup_socket; /* inode of the other */
	uint32_t by_proof;
	uint64_t deadline_ns;
};

static void
close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void
kill_pidfd(int pidfd)
{
	if (pidfd >= 0)
		syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0u);
}

void
spawn_kill(const struct spawned *s)
{
	/* The worker first, so that its end is the one that the shim tells, where that
	 * still happens; the shim for certain. */
	kill_pidfd(s->worker_pidfd);
	kill_pidfd(s->shim_pidfd);
}

void
spawn_bury(struct spawned *s, bool *ret_signaled, int *ret_status)
{
	struct child_death death;
	siginfo_t info;

	while (waitid((idtype_t)P_PIDFD, (id_t)s->shim_pidfd, &info, WEXITED) < 0 &&
	       errno == EINTR)
		;
	/* A shim that said nothing was killed, by us or by somebody on this host. */
	*ret_signaled = true;
	*ret_status = SIGKILL;
	if (read(s->death_fd, &death, sizeof(death)) == (ssize_t)sizeof(death)) {
		*ret_signaled = death.code != CLD_EXITED;
		*ret_status = death.status;
	}
	close_fd(&s->shim_pidfd);
	close_fd(&s->worker_pidfd);
	close_fd(&s->notify_fd);
	close_fd(&s->death_fd);
	cgroup_remove(s->cgroups, s->id);
}

void
spawn_drop_network(struct spawned *s)
{
	for (unsigned i = 0; i < s->n_network; i++)
		close(s->network_fd[i]);
	free(s->network_fd);
	s->network_fd = NULL;
	s->n_network = 0;
}

static bool
filter_notifies(const void *filter, uint32_t n_bytes)
{
	const char *at = filter;

	for (uint32_t i = 0; i + sizeof(struct sock_filter) <= n_bytes;
	     i += sizeof(struct sock_filter)) {
		struct sock_filter insn;
		memcpy(&insn, at + i, sizeof(insn));
		if (insn.code == (BPF_RET | BPF_K) &&
		    (insn.k & SECCOMP_RET_ACTION_FULL) == SECCOMP_RET_USER_NOTIF)
			return true;
	}
	return false;
}

static bool
make_filters(const struct attempt *a, int *ret_memfd, struct err *err)
{
	const struct confinement *c = a->request->confinement;
	static const struct sock_filter allow_all =
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	struct setup_filters head = {.magic = SETUP_FILTERS_MAGIC};

	if (c->profile->base == PROFILE_UNCONFINED) {
		head.flags = SETUP_UNCONFINED;
		return wire_memfd("mews-filters", &head, sizeof(head), ret_memfd, err);
	}
	const void *load = c->filter_load, *run = c->filter_run;
	head.load_bytes = c->filter_load_len;
	head.run_bytes = c->filter_run_len;
	if ((a->child.layers & LAYER_SECCOMP) == 0) {
		load = run = &allow_all;
		head.load_bytes = head.run_bytes = sizeof(allow_all);
	} else if (filter_notifies(load, head.load_bytes)) {
		head.flags |= SETUP_LISTENER;
	}
	if ((a->child.layers & LAYER_USER_NS) == 0 && !a->host->is_root)
		head.flags |= SETUP_STAYS_READABLE;
	size_t size = sizeof(head) + head.load_bytes + head.run_bytes;
	char *bytes = malloc(size);
	if (bytes == NULL)
		return err_nomem(err);
	memcpy(bytes, &head, sizeof(head));
	memcpy(bytes + sizeof(head), load, head.load_bytes);
	memcpy(bytes + sizeof(head) + head.load_bytes, run, head.run_bytes);
	bool ok = wire_memfd("mews-filters", bytes, size, ret_memfd, err);
	free(bytes);
	return ok;
}

static bool
make_plumbing(struct attempt *a, struct err *err)
{
	int pair[2], death[2], input[2], one = 1;
	struct stat st;

	if (!make_filters(a, &a->child.filters_fd, err))
		return false;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return err_sys(err, "socketpair");
	a->setup_fd = pair[0];
	a->child.setup_fd = pair[1];
	/* Credentials come translated into our pid namespace: the worker's pid. */
	if (setsockopt(a->setup_fd, SOL_SOCKET, SO_PASSCRED, &one, sizeof(one)) < 0 ||
	    fstat(pair[1], &st) < 0)
		return err_sys(err, "SO_PASSCRED");
	a->setup_socket = st.st_ino;
	if (pipe2(death, O_CLOEXEC | O_NONBLOCK) < 0)
		return err_sys(err, "pipe2");
	a->out.death_fd = death[0];
	a->child.death_fd = death[1];
	if (pipe2(input, O_CLOEXEC) < 0)
		return err_sys(err, "pipe2");
	a->child.stdin_fd = input[0];
	close(input[1]);
	return true;
}

static bool
clone_child(struct attempt *a, struct err *err)
{
	static const struct {
		uint32_t layer;
		uint64_t flag;
	} ns[] = {
#define NAMESPACE(layer, flag, name) {layer, flag},
	    LAUNCH_NAMESPACES(NAMESPACE)
#undef NAMESPACE
	};
	struct clone_args args = {
	    .flags = CLONE_PIDFD,
	    .pidfd = (uint64_t)(uintptr_t)&a->out.shim_pidfd,
	    .exit_signal = SIGCHLD,
	};

	int cgroup_fd;

	for (size_t i = 0; i < LAUNCH_N_NAMESPACES; i++)
		if ((a->child.layers & ns[i].layer) != 0)
			args.flags |= ns[i].flag;
	if (!cgroup_make(&a->host->cgroups, a->out.id, a->request->confinement->profile,
		&cgroup_fd, err))
		return false;
	if (cgroup_fd >= 0) {
		args.flags |= CLONE_INTO_CGROUP;
		args.cgroup = (uint64_t)cgroup_fd;
	}
	long pid = syscall(SYS_clone3, &args, sizeof(args));
	if (pid == 0)
		child_run(&a->child);
	close_fd(&cgroup_fd);
	if (pid < 0) {
		a->out.shim_pidfd = -1;
		err_sys(err, "clone3");
		if ((a->child.layers & LAYER_USER_NS) != 0)
			err_wrap(err, "this host gives no user namespace "
				      "(user.max_user_namespaces, or a security module)");
		return false;
	}
	a->out.shim_pid = (pid_t)pid;
	/* Only the child's side must keep the other ends open: an end of file is a sign.
	 */
	close_fd(&a->child.setup_fd);
	close_fd(&a->child.death_fd);
	close_fd(&a->child.stdin_fd);
	close_fd(&a->child.filters_fd);
	return true;
}

/* Id maps and mounts, then the word to go on. */
static bool
prepare_child(struct attempt *a, struct err *err)
{
	const struct confinement *c = a->request->confinement;
	struct setup_record go = {.kind = SETUP_GO};
	int tree[LIMIT_WORKER_MOUNTS];
	unsigned n_tree = 0;

	if ((a->child.layers & LAYER_USER_NS) != 0 &&
	    !userns_map(a->out.shim_pid, 0, 0, a->child.host_uid, a->child.host_gid, err))
		return false;
	if ((a->child.layers & LAYER_ROOT) != 0 && a->host->can_mount) {
		int userns_fd = -1;
		if ((a->child.layers & LAYER_USER_NS) != 0) {
			char path[64];
			snprintf(
			    path, sizeof(path), "/proc/%d/ns/user", (int)a->out.shim_pid);
			userns_fd = open(path, O_RDONLY | O_CLOEXEC);
			if (userns_fd < 0)
				return err_sys(err, "%s", path);
		}
		bool ok = root_clone(
		    c, a->child.source, userns_fd, a->child.host_uid, &a->out.note, err);
		close_fd(&userns_fd);
		if (!ok)
			return false;
		for (; n_tree < c->n_mount; n_tree++)
			tree[n_tree] = a->child.source[n_tree].tree_fd;
	} else if (a->child.layers != 0 && a->host->is_root &&
		   !root_check_readable(c, a->child.source, &a->out.note, err)) {
		return false;
	}
	if (wire_send(a->setup_fd, &go, sizeof(go), tree, n_tree, 0, err) != PACKET_OK)
		return err_wrap(err, "telling the child to go on");
	return true;
}

/* False also when the child ended, or time is up. *ret_eof: it closed its end. */
static bool
next_record(struct attempt *a, struct setup_record *r, struct packet_in *in,
    bool *ret_eof, struct err *err)
{
	struct pollfd pfd = {.fd = a->setup_fd, .events = POLLIN};
	size_t size = 0;
	int rc;

	do {
		uint64_t now = clock_mono_ns();
		int left_ms = now < a->deadline_ns
				  ? (int)((a->deadline_ns - now) / 1000000) + 1
				  : 0;
		rc = poll(&pfd, 1, left_ms);
	} while (rc < 0 && errno == EINTR);
	if (rc < 0)
		return err_sys(err, "poll");
	if (rc == 0)
		return err_set(
		    err, ERR_LIMIT, "not ready within %d ms", SETUP_DEADLINE_MS);
	*ret_eof = false;
	switch (wire_receive(a->setup_fd, r, sizeof(*r), &size, in, MSG_DONTWAIT, err)) {
	case PACKET_OK:
		break;
	case PACKET_CLOSED:
		*ret_eof = true;
		return true;
	default:
		return err_wrap(err, "while it was made");
	}
	if (size != sizeof(*r))
		return err_set(err, ERR_PEER, "a record of wrong size");
	if (r->kind == SETUP_FAIL) {
		r->text[sizeof(r->text) - 1] = '\0';
		err_set(err, ERR_SYS, "%s", r->text);
		err->sys = r->sys;
		return false;
	}
	return true;
}

/* How it ended before it was ready, in words. */
static bool
ended_early(struct attempt *a, struct err *err)
{
	struct child_death death;
	struct pollfd pfd = {.fd = a->out.shim_pidfd, .events = POLLIN};

	poll(&pfd, 1, 100);
	if (read(a->out.death_fd, &death, sizeof(death)) != (ssize_t)sizeof(death))
		return err_set(err, ERR_GONE, "it ended before it was confined");
	if (death.code == CLD_EXITED)
		return err_set(err, ERR_GONE,
		    "it ended before it was confined, with exit code %d: its output says "
		    "why",
		    death.status);
	return err_set(err, ERR_GONE,
	    "it ended before it was confined, by signal %d (%s)", death.status,
	    strsignal(death.status));
}

/* NETWORK, where there is one to be served. */
static bool
wait_for_network(struct attempt *a, struct err *err)
{
	const struct egress_plan *plan = a->child.plan;
	struct setup_record r;
	bool eof;

	if (a->child.layers == 0 || plan->n == 0)
		return true;
	a->out.network_fd = calloc(plan->n, sizeof(int));
	if (a->out.network_fd == NULL)
		return err_nomem(err);
	struct packet_in in = {.fds = a->out.network_fd, .max_fd = plan->n};
	if (!next_record(a, &r, &in, &eof, err))
		return false;
	a->out.n_network = in.n_fd;
	if (eof)
		return ended_early(a, err);
	if (r.kind != SETUP_NETWORK || in.n_fd != plan->n)
		return err_set(
		    err, ERR_PEER, "record %u where a network was due", r.kind);
	return true;
}

/* WALLS, HELLO: then it waits for our word. */
static bool
wait_for_hello(struct attempt *a, struct err *err)
{
	struct packet_in in = {.fds = &a->out.notify_fd, .max_fd = 1};
	struct setup_record r;
	bool eof;

	if (!next_record(a, &r, NULL, &eof, err))
		return false;
	if (eof)
		return ended_early(a, err);
	if (r.kind != SETUP_WALLS)
		return err_set(err, ERR_PEER, "record %u where walls were due", r.kind);
	a->by_proof = r.layers;
	if (!next_record(a, &r, &in, &eof, err))
		return false;
	if (eof)
		return ended_early(a, err);
	if (r.kind != SETUP_HELLO || in.peer_pid <= 0)
		return err_set(err, ERR_PEER, "record %u where hello was due", r.kind);
	a->out.worker_pid = in.peer_pid;
	/* It waits, so its pid is still its own. */
	a->out.worker_pidfd = (int)syscall(SYS_pidfd_open, a->out.worker_pid, 0u);
	if (a->out.worker_pidfd < 0)
		return err_sys(err, "pidfd_open");
	if (a->out.notify_fd >= 0 || r.listener <= 0)
		return true;
	a->out.notify_fd =
	    (int)syscall(SYS_pidfd_getfd, a->out.worker_pidfd, (int)r.listener, 0u);
	return a->out.notify_fd >= 0 || err_sys(err, "taking its filter's listener");
}

static bool
attest(struct attempt *a, struct err *err)
{
	const struct confinement *c = a->request->confinement;
	const struct attest_subject subject = {
	    .host = a->host,
	    .request = a->request,
	    .worker_pid = a->out.worker_pid,
	    .shim_pid = a->out.shim_pid,
	    .host_uid = a->child.host_uid,
	    .host_gid = a->child.host_gid,
	    .setup_socket = a->setup_socket,
	    .layers = a->child.layers,
	    .by_proof = a->by_proof,
	};

	if ((a->child.layers & LAYER_SECCOMP) != 0 &&
	    (a->out.notify_fd >= 0) !=
		filter_notifies(c->filter_load, c->filter_load_len))
		return err_set(err, ERR_SYS, "its filter's listener is missing");
	return attest_worker(&subject, &a->out.layers, &a->out.inner_pid, err);
}

/* TAKEN, end of file; see setup.h. */
static bool
take_over(struct attempt *a, struct err *err)
{
	struct setup_record r = {.kind = SETUP_TAKEN};
	bool eof;

	if (wire_send(a->setup_fd, &r, sizeof(r), NULL, 0, 0, err) != PACKET_OK)
		return err_wrap(err, "taking it over");
	if (!next_record(a, &r, NULL, &eof, err))
		return false;
	return eof || err_set(err, ERR_PEER, "record %u after hello", r.kind);
}

static bool
run_attempt(struct attempt *a, struct err *err)
{
	bool is_confined = a->child.layers != 0;

	if (is_confined && !root_open(a->request->confinement, a->child.source, err))
		return false;
	if (!make_plumbing(a, err) || !clone_child(a, err) || !prepare_child(a, err) ||
	    !wait_for_network(a, err) || !wait_for_hello(a, err))
		return false;
	if (is_confined && !attest(a, err))
		return err_wrap(err, "attestation");
	if (!take_over(a, err))
		return false;
	return !is_confined || attest_listener_is_gone(a->out.worker_pid, err) ||
	       err_wrap(err, "attestation");
}

static bool
attempt(const struct host *host, const struct launch_request *r,
    const struct egress_plan *plan, uint32_t layers, uint64_t deadline_ns,
    struct spawned *ret_spawned, struct err *err)
{
	struct root_source source[LIMIT_WORKER_MOUNTS];
	struct attempt a = {
	    .host = host,
	    .request = r,
	    .child =
		{
		    .request = r,
		    .host = host,
		    .layers = layers,
		    .host_uid = host_worker_uid(host, r->id),
		    .host_gid = host_worker_gid(host, r->id),
		    .setup_fd = -1,
		    .death_fd = -1,
		    .stdin_fd = -1,
		    .filters_fd = -1,
		    .source = source,
		    .plan = plan,
		},
	    .out = {.id = r->id,
		.cgroups = &host->cgroups,
		.shim_pidfd = -1,
		.worker_pidfd = -1,
		.notify_fd = -1,
		.death_fd = -1},
	    .setup_fd = -1,
	    .deadline_ns = deadline_ns,
	};
	uint32_t n_source = layers != 0 ? r->confinement->n_mount : 0;

	for (uint32_t i = 0; i < n_source; i++)
		source[i].fd = source[i].tree_fd = -1;
	bool ok = run_attempt(&a, err);
	root_close(source, n_source);
	close_fd(&a.setup_fd);
	close_fd(&a.child.setup_fd);
	close_fd(&a.child.death_fd);
	close_fd(&a.child.stdin_fd);
	close_fd(&a.child.filters_fd);
	if (ok) {
		*ret_spawned = a.out;
		return true;
	}
	bool signaled;
	int status;
	spawn_kill(&a.out);
	if (a.out.shim_pidfd >= 0)
		spawn_bury(&a.out, &signaled, &status);
	else
		cgroup_remove(&host->cgroups, r->id);
	close_fd(&a.out.death_fd);
	spawn_drop_network(&a.out);
	return false;
}

/* Processes of its own escape what counts one process, or one user's. */
static bool
can_limit(const struct host *host, const struct launch_request *r, uint32_t layers,
    struct err *err)
{
	const struct profile_limits *l = &r->confinement->profile->limits;
	uint32_t by_cgroup = host->cgroups.controllers;

	if (l->processes == 0)
		return true;
	if (l->cpu_percent > 0 && !(by_cgroup & CGROUP_CPU))
		return err_set(err, ERR_USAGE,
		    "worker of %s: \"limits: cpu\" of a plugin with processes needs a "
		    "delegated cgroup (see mews sandbox)",
		    r->title);
	if ((layers & LAYER_USER_NS) == 0 && !host->is_root && !(by_cgroup & CGROUP_PIDS))
		return err_set(err, ERR_USAGE,
		    "worker of %s: \"limits: processes\" needs user namespaces or a "
		    "delegated cgroup (see mews sandbox)",
		    r->title);
	return true;
}

bool
spawn_worker(const struct host *host, const struct launch_request *r,
    struct spawned *ret_spawned, struct err *err)
{
	uint32_t min_tier = r->min_tier != 0 ? r->min_tier : LAUNCH_TIER_FULL;
	uint64_t deadline_ns = clock_mono_ns() + SETUP_DEADLINE_MS * 1000000ull;

	static struct egress_plan plan;

	if (!egress_plan_make(&plan, r->confinement->profile, err))
		return false;
	if (r->confinement->profile->base == PROFILE_UNCONFINED)
		return attempt(host, r, &plan, 0, deadline_ns, ret_spawned, err);
	/* Sockets are confined by a network of the worker's own, and by telling it from
	 * the host's. */
	if (profile_has_sockets(r->confinement->profile)) {
		if (!sockets_are_told_apart())
			return err_set(err, ERR_SYS,
			    "worker of %s: this kernel (before Linux 5.14) cannot "
			    "confine "
			    "plugins that use the network",
			    r->title);
		min_tier = min_tier < 2 ? 2 : min_tier;
	}
	for (uint32_t tier = LAUNCH_TIER_FULL;; tier--) {
		/* Without a user namespace, only root can make the others. */
		if (tier == 2 && !host->is_root && min_tier < 2)
			continue;
		uint32_t layers = (launch_tier_layers(tier) | LAYER_MDWE) &
				  ~(uint32_t)(LAUNCH_TEST_WITHOUT);
		if (can_limit(host, r, layers, err) &&
		    attempt(host, r, &plan, layers, deadline_ns, ret_spawned, err))
			return true;
		if (tier <= min_tier)
			return err_wrap(err,
			    "worker of %s: cannot be confined as tier %u needs", r->title,
			    min_tier);
	}
}
