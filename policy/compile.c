/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/compile.h"

#include <asm/unistd.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/futex.h>
#include <linux/prctl.h>
#include <linux/sched.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <seccomp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"
#include "policy/confinement.h"

enum occasion {
	ALWAYS = 1 << 0,
	FILES = 1 << 1, /* file-reader's calls */
	JIT = 1 << 2,   /* memory may become executable */
	NO_JIT = 1 << 3,
	NO_EXEC = 1 << 4,      /* no libraries after init */
	OPENS_JUDGED = 1 << 5, /* opens notify */
	OPENS_FREE = 1 << 6,   /* looks and opens go straight to the kernel */
	SOCKETS = 1 << 7,      /* it may have some */
	NO_SOCKETS = 1 << 8,
	LISTENS = 1 << 9, /* sockets of the host may be brought in */
	NO_LISTENS = 1 << 10,
	SENDS = 1 << 11,      /* to addresses too */
	ANSWERS = 1 << 12,    /* on what is connected, and by sendto alone */
	NO_SENDS = 1 << 13,   /* no sendmsg: its address is out of sight */
	OPENS_READ = 1 << 14, /* of OPENS_FREE: only to read */
	OPENS_WRITE = 1 << 15,
	WRITES = 1 << 16, /* some directory */
	NO_WRITES = 1 << 17,
	RECEIVES = 1 << 18,    /* messages, and descriptors in them */
	NO_RECEIVES = 1 << 19, /* it has callers that might send some */
	HANDS_OUT = 1 << 20,   /* its filter's listener, by sendmsg */
	PROCESSES = 1 << 21,   /* it may start some */
};

static unsigned
network_occasions(const struct profile *p)
{
	bool listens = profile_listens(p);
	bool sockets = profile_has_sockets(p);
	bool answers = profile_sends_unaddressed(p);
	bool receives = p->n_listen_unix == 0 || profile_takes_descriptors(p);

	return (sockets ? SOCKETS : NO_SOCKETS) | (listens ? LISTENS : NO_LISTENS) |
	       (!sockets      ? 0
		   : receives ? RECEIVES
			      : NO_RECEIVES) |
	       (answers      ? ANSWERS | NO_SENDS
		   : sockets ? SENDS
			     : NO_SENDS | HANDS_OUT);
}

/* Which rows of the table hold for this profile. */
static unsigned
occasions(const struct profile *p)
{
	/* Whoever is given files to read may open them, whatever its profile is called;
	 * whoever connects by name reads resolv.conf when it does. */
	bool files = p->base == PROFILE_FILE_READER || p->base == PROFILE_CLIENT ||
		     p->n_read > 0 || p->n_connect > 0 || p->n_write > 0;
	bool opens = (files || p->late_dlopen) && !p->observe, writes = p->n_write > 0;

	return ALWAYS | (files ? FILES : 0) | (opens ? OPENS_FREE : OPENS_JUDGED) |
	       (writes     ? (opens ? OPENS_WRITE : 0) | WRITES
		   : opens ? OPENS_READ | NO_WRITES
			   : NO_WRITES) |
	       (p->limits.processes > 0 ? PROCESSES : 0) | (p->jit ? JIT : NO_JIT) |
	       (p->late_dlopen || p->jit ? 0 : NO_EXEC) | network_occasions(p);
}

enum row_action {
	ROW_ALLOW,
	ROW_REFUSE,
	ROW_NOTIFY,
	ROW_TRAP,
};

struct row {
	int nr;
	const char *name;
	unsigned when;
	enum row_action action;
	int error;
	unsigned n;
	struct scmp_arg_cmp cmp[2];
};

/* The verdicts of groups.h, as what the kernel is told. */
#define ACTION_ALLOW  ROW_ALLOW
#define ACTION_REFUSE ROW_REFUSE
#define ACTION_DENY   ROW_NOTIFY
#define ACTION_ATTACK ROW_NOTIFY
#define ACTION_JUDGE  ROW_NOTIFY

/* clang-format off */
#define MASKED(arg, mask, value) {arg, SCMP_CMP_MASKED_EQ, mask, value}

static const struct row load_rows[] = {
#define ALLOW(call)            {__NR_##call, #call, ALWAYS, ROW_ALLOW, 0, 0, {}},
#define FILES(call)            {__NR_##call, #call, FILES, ROW_ALLOW, 0, 0, {}},
#define REFUSE(call, err)      {__NR_##call, #call, ALWAYS, ROW_REFUSE, err, 0, {}},
#define DENY(call, err, kind)  {__NR_##call, #call, ALWAYS, ROW_NOTIFY, 0, 0, {}},
#define ATTACK(call)           {__NR_##call, #call, ALWAYS, ROW_NOTIFY, 0, 0, {}},
#define JUDGE(call, kind)      {__NR_##call, #call, ALWAYS, ROW_NOTIFY, 0, 0, {}},
#define WHEN(verdict, when, call, err, kind, arg, mask, value) \
	{__NR_##call, #call, when, ACTION_##verdict, err, (mask) != 0, {MASKED(arg, mask, value)}},
#define WHEN2(verdict, when, call, err, kind, a1, m1, v1, a2, m2, v2) \
	{__NR_##call, #call, when, ACTION_##verdict, err, 2, \
	    {MASKED(a1, m1, v1), MASKED(a2, m2, v2)}},
#define UNLESS(verdict, when, call, err, kind, arg, value) \
	{__NR_##call, #call, when, ACTION_##verdict, err, 1, {{arg, SCMP_CMP_NE, value, 0}}},
#define UNLESS2(verdict, when, call, err, kind, arg, value, a2, m2, v2) \
	{__NR_##call, #call, when, ACTION_##verdict, err, 2, \
	    {{arg, SCMP_CMP_NE, value, 0}, MASKED(a2, m2, v2)}},
#include "policy/groups.h"
};

static const struct row run_rows[] = {
#define TAKE(when, call, err) {__NR_##call, #call, when, ROW_REFUSE, err, 0, {}},
#define TAKE_WHEN(when, call, err, arg, mask, value) \
	{__NR_##call, #call, when, ROW_REFUSE, err, 1, {MASKED(arg, mask, value)}},
#include "policy/groups.h"
};

static bool
fail(struct err *err, int rc, const char *what)
{
	errno = -rc;
	return err_sys(err, "seccomp: %s", what);
}

static bool
add_rows(scmp_filter_ctx ctx, uint32_t fallback, const struct row *rows, size_t n,
    unsigned now, struct err *err)
{
	for (size_t i = 0; i < n; i++) {
		const struct row *r = &rows[i];
		if (!(r->when & now))
			continue;
		uint32_t action = r->action == ROW_ALLOW    ? SCMP_ACT_ALLOW
				  : r->action == ROW_NOTIFY ? SCMP_ACT_NOTIFY
				  : r->action == ROW_TRAP   ? SCMP_ACT_TRAP
							    : SCMP_ACT_ERRNO(r->error);
		/* What is the default needs no rule, and libseccomp refuses one. */
		if (action == fallback)
			continue;
		int rc = seccomp_rule_add_exact_array(ctx, action, r->nr, r->n, r->cmp);
		if (rc != 0)
			return fail(err, rc, r->name);
	}
	return true;
}

/* libseccomp writes programs to descriptors alone. */
static bool export(
    scmp_filter_ctx ctx, struct arena *arena, struct filter *f, struct err *err)
{
	int fd = memfd_create("filter", MFD_CLOEXEC);
	bool ok = false;

	if (fd < 0)
		return err_sys(err, "memfd_create");
	int rc = seccomp_export_bpf(ctx, fd);
	off_t size = lseek(fd, 0, SEEK_END);
	if (rc != 0) {
		fail(err, rc, "export");
	} else if (size <= 0 || size % (off_t)sizeof(struct sock_filter) != 0 ||
		   (size_t)size / sizeof(struct sock_filter) > BPF_MAXINSNS) {
		err_set(
		    err, ERR_LIMIT, "seccomp: a program of %lld bytes", (long long)size);
	} else {
		void *p = arena_alloc(arena, (size_t)size);
		if (!p)
			err_nomem(err);
		else if (pread(fd, p, (size_t)size, 0) != size)
			err_sys(err, "seccomp: reading the program");
		else {
			f->insn = p;
			f->n = (uint32_t)((size_t)size / sizeof(struct sock_filter));
			ok = true;
		}
	}
	close(fd);
	return ok;
}

static bool
compile(struct filter *f, struct arena *arena, uint32_t fallback, const struct row *rows,
    size_t n, unsigned now, enum filter_shape shape, struct err *err)
{
	scmp_filter_ctx ctx = seccomp_init(fallback);
	bool ok = false;
	int rc;

	if (!ctx)
		return err_nomem(err);
	/* Calls by another table (x32, int 0x80) end the process, not only the thread. */
	if ((rc = seccomp_attr_set(
		 ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS)) != 0 ||
	    (rc = seccomp_attr_set(
		 ctx, SCMP_FLTATR_CTL_OPTIMIZE, shape == FILTER_TREE ? 2 : 1)) != 0)
		fail(err, rc, "attributes");
	else
		ok = add_rows(ctx, fallback, rows, n, now, err) && export(ctx, arena, f, err);
	seccomp_release(ctx);
	return ok;
}

bool
filter_compile_load(struct filter *f, struct arena *arena, const struct profile *p,
    enum filter_shape shape, struct err *err)
{
	*f = (struct filter){0};
	/* clang-format on */
	if (p->base == PROFILE_UNCONFINED)
		return true;
	return compile(f, arena, SCMP_ACT_ERRNO(ENOSYS), load_rows,
	    sizeof(load_rows) / sizeof(*load_rows), occasions(p), shape, err);
}

bool
filter_compile_run(struct filter *f, struct arena *arena, const struct profile *p,
    enum filter_shape shape, struct err *err)
{
	*f = (struct filter){0};
	if (p->base == PROFILE_UNCONFINED)
		return true;
	return compile(f, arena, SCMP_ACT_ALLOW, run_rows,
	    sizeof(run_rows) / sizeof(*run_rows), occasions(p), shape, err);
}

/* clang-format off */
static const struct row broker_rows[] = {
#define NEVER(call) {__NR_##call, #call, ALWAYS, ROW_TRAP, 0, 0, {}},
#define NEVER_WHEN(call, arg, mask, value) \
	{__NR_##call, #call, ALWAYS, ROW_TRAP, 0, 1, {MASKED(arg, mask, value)}},
#define ABSENT(call) {__NR_##call, #call, ALWAYS, ROW_REFUSE, ENOSYS, 0, {}},
#include "policy/broker_calls.h"
};
/* clang-format on */
#define N_BROKER_ROWS (sizeof(broker_rows) / sizeof(*broker_rows))

bool
filter_compile_broker(struct filter *f, struct arena *arena, struct err *err)
{
	*f = (struct filter){0};
	return compile(f, arena, SCMP_ACT_ALLOW, broker_rows, N_BROKER_ROWS, ALWAYS,
	    FILTER_TREE, err);
}

const char *
filter_broker_call(int nr)
{
	for (size_t i = 0; i < N_BROKER_ROWS; i++) {
		if (broker_rows[i].nr == nr)
			return broker_rows[i].name;
	}
	return "of another table";
}
