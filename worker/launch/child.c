/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/launch/child.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/limits.h"
#include "worker/egress/egress.h"
#include "worker/launch/landlock.h"
#include "worker/launch/setup.h"
#include "worker/launch/shim.h"
#include "worker/launch/wire.h"

#ifndef PR_SET_MDWE
#define PR_SET_MDWE 65
#endif
#ifndef PR_MDWE_REFUSE_EXEC_GAIN
#define PR_MDWE_REFUSE_EXEC_GAIN 1
#endif

/* Default thread stacks are as large, and count as data. */
#define STACK_BYTES (1u << 20)
/* Timers cost kernel memory through their queued signals alone. */
#define QUEUED_SIGNALS 128u
/* Where descriptors wait while 0 to 10 are given out. */
#define PARKED_FD 64

/* The limit is one for all of its processes, and this one is by process: each has its
 * part of it, unless a cgroup counts them together. */
static uint64_t
data_limit(const struct host *host, const struct profile *p)
{
	bool together = host->cgroups.controllers & CGROUP_MEMORY;

	return p->limits.memory_bytes / (together ? 1 : p->limits.processes + 1);
}

unsigned
child_rlimits(const struct host *host, const struct profile *p, uint32_t layers,
    struct child_rlimit ret_limit[CHILD_MAX_RLIMITS])
{
	const struct child_rlimit all[] = {
	    {RLIMIT_CORE, 0},
	    {RLIMIT_FSIZE, profile_file_size(p)},
	    {RLIMIT_NOFILE, p->limits.open_files},
	    /* Not RLIMIT_AS: runtimes reserve address space that they never touch. */
	    {RLIMIT_DATA, data_limit(host, p)},
	    {RLIMIT_STACK, STACK_BYTES},
	    {RLIMIT_MEMLOCK, 0},
	    {RLIMIT_MSGQUEUE, 0},
	    {RLIMIT_SIGPENDING, QUEUED_SIGNALS},
	    /* Last, because not everybody gets it. */
	    {RLIMIT_NPROC, profile_tasks(p)},
	};
	unsigned n = sizeof(all) / sizeof(all[0]);

	/* Counted per uid and user namespace: with neither of its own, the worker would
	 * be counted together with all that this user runs. */
	if ((layers & LAYER_USER_NS) == 0 && !host->is_root)
		n--;
	memcpy(ret_limit, all, n * sizeof(all[0]));
	return n;
}

static void
tell(const struct child *c, const struct setup_record *r)
{
	struct err ignored;

	/* Nobody there: the launcher is gone, and this process goes with it. */
	if (wire_send(c->setup_fd, r, sizeof(*r), NULL, 0, 0, &ignored) != PACKET_OK)
		_exit(1);
}

static noreturn void
fail(const struct child *c, const struct err *err)
{
	struct setup_record r = {.kind = SETUP_FAIL, .sys = err->sys};

	_Static_assert(sizeof(r.text) == sizeof(err->msg), "one text fits the other");
	memcpy(r.text, err->msg, sizeof(r.text));
	tell(c, &r);
	_exit(1);
}

/* The launcher has written the id maps and made mounts, where it can. */
static bool
wait_for_go(struct child *c, struct err *err)
{
	int fd[LIMIT_WORKER_MOUNTS];
	struct packet_in in = {.fds = fd, .max_fd = LIMIT_WORKER_MOUNTS};
	struct setup_record r;
	size_t size;

	if (wire_receive(c->setup_fd, &r, sizeof(r), &size, &in, 0, err) != PACKET_OK)
		return false;
	if (size != sizeof(r) || r.kind != SETUP_GO ||
	    (in.n_fd != 0 && in.n_fd != c->request->confinement->n_mount))
		return err_set(err, ERR_PEER, "the launcher's go is malformed");
	for (unsigned i = 0; i < in.n_fd; i++)
		c->source[i].tree_fd = fd[i];
	return true;
}

/* After this the descriptors are those of setup.h, and death_fd is the first after. */
static bool
arrange_fds(struct child *c, struct err *err)
{
	const struct launch_request *r = c->request;
	const int wanted[] = {
	    c->stdin_fd,
	    r->output_fd,
	    r->output_fd,
	    r->control_fd,
	    r->up_fd,
	    r->down_fd,
	    r->wake_broker_fd,
	    r->wake_worker_fd,
	    c->setup_fd,
	    c->filters_fd,
	    c->death_fd,
	};
	enum {
		N = sizeof(wanted) / sizeof(wanted[0])
	};
	int parked[N];

	_Static_assert(N == SETUP_FILTERS_FD + 2, "setup.h and this table agree");
	for (int i = 0; i < N; i++) {
		parked[i] = fcntl(wanted[i], F_DUPFD_CLOEXEC, PARKED_FD);
		if (parked[i] < 0)
			return err_sys(err, "duplicating descriptor %d", i);
	}
	for (int i = 0; i < N; i++)
		if (dup3(parked[i], i, i == N - 1 ? O_CLOEXEC : 0) < 0)
			return err_sys(err, "dup3 to descriptor %d", i);
	c->setup_fd = SETUP_SOCKET_FD;
	c->filters_fd = SETUP_FILTERS_FD;
	c->death_fd = N - 1;
	if (syscall(SYS_close_range, (unsigned)N, ~0u, 0u) < 0)
		return err_sys(err, "close_range");
	return true;
}

static bool
set_rlimits(const struct child *c, struct err *err)
{
	struct child_rlimit limit[CHILD_MAX_RLIMITS];
	unsigned n =
	    child_rlimits(c->host, c->request->confinement->profile, c->layers, limit);

	for (unsigned i = 0; (c->layers & LAYER_RLIMITS) != 0 && i < n; i++) {
		struct rlimit r = {limit[i].value, limit[i].value}, old;
		/* What this host forbids to raise stays; attestation will say so. */
		if (getrlimit((unsigned)limit[i].resource, &old) == 0 &&
		    old.rlim_max < r.rlim_max)
			r.rlim_cur = r.rlim_max = old.rlim_max;
		if (setrlimit((unsigned)limit[i].resource, &r) < 0)
			return err_sys(err, "resource limit %d", limit[i].resource);
	}
	return true;
}

static bool
drop_privileges(const struct child *c, struct err *err)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct none[2] = {0};

	/* uid 0 in a user namespace is a name only, once exec gives it nothing. An
	 * ordinary user without a user namespace may not do this and need not: it has no
	 * capabilities, and no_new_privs keeps exec from giving any. */
	bool drops = (c->layers & LAYER_NO_CAPS) != 0;
	bool may = (c->layers & LAYER_USER_NS) != 0 || c->host->is_root;
	if (may && drops) {
		for (unsigned long cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0;
		     cap++)
			if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0)
				return err_sys(err, "dropping capability %lu", cap);
		if (prctl(PR_SET_SECUREBITS,
			SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP |
			    SECBIT_NO_SETUID_FIXUP_LOCKED | SECBIT_KEEP_CAPS_LOCKED |
			    SECBIT_NO_CAP_AMBIENT_RAISE |
			    SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED,
			0, 0, 0) < 0)
			return err_sys(err, "PR_SET_SECUREBITS");
	}
	/* Without a user namespace root must stop being root. */
	if (c->host->is_root && (c->layers & LAYER_USER_NS) == 0 &&
	    (setresgid(c->host_gid, c->host_gid, c->host_gid) < 0 ||
		setresuid(c->host_uid, c->host_uid, c->host_uid) < 0))
		return err_sys(err, "changing to uid %u", c->host_uid);
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0)
		return err_sys(err, "clearing ambient capabilities");
	if (drops && syscall(SYS_capset, &head, none) < 0)
		return err_sys(err, "capset");
	if ((c->layers & LAYER_NO_NEW_PRIVS) != 0 &&
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_sys(err, "PR_SET_NO_NEW_PRIVS");
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return err_sys(err, "PR_SET_DUMPABLE");
	return true;
}

static bool
allow_made_files(const struct confinement *conf, int ruleset, int abi, struct err *err)
{
	for (uint32_t i = 0; i < conf->n_file; i++) {
		int fd = open(conf->file[i].target, O_PATH | O_CLOEXEC);
		if (fd < 0 || landlock_allow(ruleset, abi, fd, LANDLOCK_READ_FILE) < 0)
			return err_sys(err, "Landlock rule for %s", conf->file[i].target);
		close(fd);
	}
	return true;
}

/* To where egress listens, in the worker's own network. */
static bool
allow_connections(const struct profile *p, int ruleset, int abi, struct err *err)
{
	if (profile_connects(p) && landlock_allow_connect(ruleset, abi, 53) < 0)
		return err_sys(err, "Landlock rule for names");
	for (uint32_t i = 0; i < p->n_connect; i++)
		if (landlock_allow_connect(ruleset, abi, p->connect[i].port) < 0)
			return err_sys(
			    err, "Landlock rule for port %u", p->connect[i].port);
	return true;
}

static bool
enter_landlock(const struct child *c, struct err *err)
{
	const struct confinement *conf = c->request->confinement;
	bool has_root = (c->layers & LAYER_ROOT) != 0;
	int abi = c->host->landlock_abi, ruleset = landlock_ruleset_new(abi);

	if (ruleset < 0)
		return err_sys(err, "this kernel has no Landlock");
	for (uint32_t i = 0; i < conf->n_mount; i++) {
		const struct confinement_mount *m = &conf->mount[i];
		/* Without a root of its own the worker sees the host's paths. */
		const char *path = has_root ? m->target : m->source;
		enum landlock_grant grant =
		    m->writable ? LANDLOCK_WRITE_TREE
		    : m->exec
			? m->directory ? LANDLOCK_READ_EXEC_TREE : LANDLOCK_READ_EXEC_FILE
		    : m->directory ? LANDLOCK_READ_TREE
				   : LANDLOCK_READ_FILE;
		int fd = open(path, O_PATH | O_CLOEXEC);
		if (fd < 0)
			return err_sys(err, "%s", path);
		if (landlock_allow(ruleset, abi, fd, grant) < 0)
			return err_sys(err, "Landlock rule for %s", path);
		close(fd);
	}
	if (!allow_made_files(conf, ruleset, abi, err) ||
	    !allow_connections(conf->profile, ruleset, abi, err))
		return false;
	if (landlock_enter(ruleset) < 0)
		return err_sys(err, "landlock_restrict_self");
	close(ruleset);
	return true;
}

/* Nothing in /proc tells of Landlock; so the proof is an attempt that permissions alone
 * would allow. */
static bool
landlock_holds(void)
{
	int fd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd >= 0) {
		close(fd);
		return false;
	}
	return errno == EACCES;
}

/* Below the worker's user namespace no other may be made, filter or not: that is where
 * capabilities would come from. A /proc that is read-only leaves it to the filter. */
static void
forbid_user_namespaces(void)
{
	int fd = open("/proc/sys/user/max_user_namespaces", O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	(void)!write(fd, "0", 1);
	close(fd);
}

/* What egress will serve: in this network namespace, and in this root. */
struct network {
	const struct child *child;
	int fd[LIMIT_EGRESS_SOCKETS];
};

static bool
fill_root(int root_fd, void *arg, struct err *err)
{
	struct network *n = arg;
	const struct profile *p = n->child->request->confinement->profile;
	const struct egress_plan *plan = n->child->plan;

	/* Where it listens is a file outside alone; the directory is here for those who
	 * look for it, or have it as their working directory. Inside what it reads it may
	 * be missing. */
	for (uint32_t i = 0; i < p->n_listen_unix; i++) {
		const char *name;
		int dir = root_parent(root_fd, p->listen_unix[i].path, &name);
		if (dir >= 0)
			close(dir);
	}
	for (unsigned i = plan->n_inet; i < plan->n; i++) {
		const char *path = p->unix_socket[plan->socket[i].unix_index].path, *name;
		int dir = root_parent(root_fd, path, &name);
		if (dir < 0)
			return err_sys(err, "making room for %s", path);
		/* bind() goes by the working directory, which an O_PATH descriptor can
		 * be. */
		bool ok = egress_unix_make(dir, name, &n->fd[i], err);
		close(dir);
		if (!ok)
			return false;
	}
	return true;
}

static bool
hand_over_network(const struct child *c, const struct network *n, struct err *err)
{
	struct setup_record r = {.kind = SETUP_NETWORK};

	if (c->plan->n == 0)
		return true;
	if (wire_send(c->setup_fd, &r, sizeof(r), n->fd, c->plan->n, 0, err) != PACKET_OK)
		return err_wrap(err, "handing its network over");
	for (unsigned i = 0; i < c->plan->n; i++)
		close(n->fd[i]);
	return true;
}

static bool
build_walls(struct child *c, struct err *err)
{
	const struct confinement *conf = c->request->confinement;

	/* 0 maps to a uid that owns nothing on this host. */
	if ((c->layers & LAYER_USER_NS) != 0 &&
	    (setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0))
		return err_sys(err, "becoming uid 0 of the user namespace");
	if ((c->layers & LAYER_USER_NS) != 0)
		forbid_user_namespaces();
	umask(022);
	/* Relative paths of a configuration mean what they would without confinement, as
	 * far as they are given: the directory is looked for inside. */
	char cwd[PATH_MAX] = "/";
	if (!getcwd(cwd, sizeof(cwd)))
		cwd[0] = '\0'; /* it is gone: the root, below */
	struct network network = {.child = c};
	if (!egress_sockets_make(c->plan, network.fd, err))
		return false;
	if ((c->layers & LAYER_ROOT) != 0 &&
	    !root_enter(conf, c->source, fill_root, &network, err))
		return false;
	if (!hand_over_network(c, &network, err))
		return false;
	if ((c->layers & LAYER_UTS_NS) != 0 && sethostname("mews", 4) < 0)
		return err_sys(err, "sethostname");
	umask(077);
	if (chdir(cwd) < 0 && chdir("/") < 0)
		return err_sys(err, "chdir to /");
	/* No controlling terminal, whose input could be forged. */
	if (setsid() < 0)
		return err_sys(err, "setsid");
	return arrange_fds(c, err) && set_rlimits(c, err) && drop_privileges(c, err);
}

static uint32_t
prove_walls(const struct child *c, struct err *err)
{
	uint32_t held = 0;

	if ((c->layers & LAYER_LANDLOCK) != 0 && enter_landlock(c, err) &&
	    landlock_holds())
		held |= LAYER_LANDLOCK;
	/* exec keeps it; Linux 6.3. */
	if ((c->layers & LAYER_MDWE) != 0 && !c->request->confinement->profile->jit &&
	    prctl(PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN, 0, 0, 0) == 0)
		held |= LAYER_MDWE;
	return held;
}

static noreturn void
exec_worker(const struct child *c)
{
	const struct launch_request *r = c->request;
	const struct confinement *conf = r->confinement;
	const char *path =
	    (c->layers & LAYER_ROOT) != 0 ? conf->worker_target : r->worker_path;
	char title[128];
	struct err err;

	snprintf(title, sizeof(title), "mews-worker %s", r->title);
	char *const argv[] = {title, NULL};
	/* The texts are ours to give away: exec copies them. */
	execve(path, argv, (char *const *)(uintptr_t)conf->env);
	err_sys(&err, "starting the worker %s", path);
	fail(c, &err);
}

noreturn void
child_run(struct child *c)
{
	struct setup_record walls = {.kind = SETUP_WALLS};
	struct err err;

	if (!wait_for_go(c, &err))
		fail(c, &err);
	if (c->layers != 0) {
		if (!build_walls(c, &err))
			fail(c, &err);
	} else if (setsid() < 0 || !arrange_fds(c, &err)) {
		fail(c, &err);
	}
	/* Changing credentials forgets this, so it comes after the last change. If the
	 * launcher went before, the next message finds nobody. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0) {
		err_sys(&err, "PR_SET_PDEATHSIG");
		fail(c, &err);
	}
	if (c->layers != 0) {
		err.code = ERR_NONE;
		walls.layers = prove_walls(c, &err);
		if (err.code != ERR_NONE)
			fail(c, &err);
	}
	tell(c, &walls);

	pid_t worker = fork();
	if (worker < 0) {
		err_sys(&err, "fork");
		fail(c, &err);
	}
	if (worker == 0) {
		if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
			_exit(1);
		exec_worker(c);
	}
	shim_run(worker, c->death_fd, c->request->title);
}
