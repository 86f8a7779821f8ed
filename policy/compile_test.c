/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The programs, without installing them: against a plain reading of the table they are
 * made of, against each other (tree and linear), and against a golden listing that shows
 * reviewers what changed. "compile_test PATH" writes the listing anew. Long: a case for
 * each kind of row, and for each argument that decides.
 */
#include "policy/compile.h"

#include <asm/unistd.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/futex.h>
#include <linux/prctl.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "policy/confinement.h"
#include "policy/eval.h"
#include "policy/notify.h"

#if defined(__x86_64__)
#define THIS_ARCH AUDIT_ARCH_X86_64
#else
#define THIS_ARCH AUDIT_ARCH_AARCH64
#endif

#define N_CALLS  1024
#define ERRNO(e) (SECCOMP_RET_ERRNO | (e))

enum {
	ALWAYS = 1,
	FILES = 2,
	JIT = 4,
	NO_JIT = 8,
	NO_EXEC = 16,
	OPENS_JUDGED = 32,
	OPENS_FREE = 64,
	SOCKETS = 1 << 7,
	NO_SOCKETS = 1 << 8,
	LISTENS = 1 << 9,
	NO_LISTENS = 1 << 10,
	SENDS = 1 << 11,
	ANSWERS = 1 << 12,
	NO_SENDS = 1 << 13,
	OPENS_READ = 1 << 14,
	OPENS_WRITE = 1 << 15,
	WRITES = 1 << 16,
	NO_WRITES = 1 << 17,
	RECEIVES = 1 << 18,
	NO_RECEIVES = 1 << 19,
	HANDS_OUT = 1 << 20,
	PROCESSES = 1 << 21,
	READS = OPENS_FREE | OPENS_READ | NO_WRITES,
	JUDGED = OPENS_JUDGED | NO_WRITES,
	NO_NETWORK = NO_SOCKETS | NO_LISTENS | NO_SENDS | HANDS_OUT,
};

/* What the programs depend on, and which rows hold then. */
static const struct variant {
	const char *name, *base;
	bool reads, late_dlopen, jit;
	unsigned when;
	const char *listens, *connects;
} variants[] = {
    {"pure", "pure", false, false, false, ALWAYS | NO_JIT | NO_EXEC | JUDGED | NO_NETWORK,
	NULL, NULL},
    {"pure with read", "pure", true, false, false,
	ALWAYS | FILES | NO_JIT | NO_EXEC | READS | NO_NETWORK, NULL, NULL},
    {"file-reader", "file-reader", false, false, false,
	ALWAYS | FILES | NO_JIT | NO_EXEC | READS | NO_NETWORK, NULL, NULL},
    {"pure, late_dlopen", "pure", false, true, false,
	ALWAYS | NO_JIT | READS | NO_NETWORK, NULL, NULL},
    {"file-reader, jit", "file-reader", false, false, true,
	ALWAYS | FILES | JIT | READS | NO_NETWORK, NULL, NULL},
    {"listener, tcp", "listener", false, false, false,
	ALWAYS | NO_JIT | NO_EXEC | JUDGED | SOCKETS | RECEIVES | LISTENS | SENDS, "tcp",
	NULL},
    {"listener, unix", "listener", false, false, false,
	ALWAYS | NO_JIT | NO_EXEC | JUDGED | SOCKETS | NO_RECEIVES | LISTENS | ANSWERS |
	    NO_SENDS,
	"unix", NULL},
    {"listener, unix, with descriptors", "listener", false, false, false,
	ALWAYS | NO_JIT | NO_EXEC | JUDGED | SOCKETS | RECEIVES | LISTENS | ANSWERS |
	    NO_SENDS,
	"descriptors", NULL},
    {"listener, udp", "listener", false, false, false,
	ALWAYS | NO_JIT | NO_EXEC | JUDGED | SOCKETS | RECEIVES | LISTENS | ANSWERS |
	    NO_SENDS,
	"udp", NULL},
    {"client", "client", false, false, false,
	ALWAYS | FILES | NO_JIT | NO_EXEC | READS | SOCKETS | RECEIVES | NO_LISTENS |
	    SENDS,
	NULL, "a.example"},
    {"pure that connects to a unix socket", "pure", false, false, false,
	ALWAYS | NO_JIT | NO_EXEC | JUDGED | SOCKETS | RECEIVES | NO_LISTENS | SENDS,
	NULL, "/run/x.sock"},
    {"listener that connects", "listener", false, false, false,
	ALWAYS | FILES | NO_JIT | NO_EXEC | READS | SOCKETS | RECEIVES | LISTENS | SENDS,
	"tcp", "a.example"},
    {"pure with write", "write", false, false, false,
	ALWAYS | FILES | NO_JIT | NO_EXEC | OPENS_FREE | OPENS_WRITE | WRITES |
	    NO_NETWORK,
	NULL, NULL},
};

#define N_VARIANTS (sizeof(variants) / sizeof(*variants))

static struct arena arena;

struct programs {
	struct filter load, run;
};

static struct programs
compiled(const struct variant *v, enum filter_shape shape)
{
	static const char *const files[] = {"/data"};
	struct profile p;
	struct profile_listen listen = {PROFILE_TCP, NULL, 9765};
	struct profile_listen_unix local = {.path = "/run/x.sock"};
	struct profile_unix proxy = {0};
	struct profile_connect connect = {v->connects, false, 443, false};
	struct programs ps;
	struct err err = {0};

	bool writes = strcmp(v->base, "write") == 0;
	assert_true(profile_builtin(&p, writes ? "pure" : v->base));
	p.write = (const char **)(uintptr_t)files;
	p.n_write = writes;
	p.read = (const char **)(uintptr_t)files;
	p.n_read = v->reads;
	p.late_dlopen = v->late_dlopen;
	p.jit = v->jit;
	if (v->listens && strcmp(v->listens, "udp") == 0)
		listen.transport = PROFILE_UDP;
	bool is_unix =
	    v->listens && (v->listens[0] == 'd' || strcmp(v->listens, "unix") == 0);
	local.descriptors = v->listens && v->listens[0] == 'd';
	p.listen = &listen;
	p.n_listen = v->listens != NULL && !is_unix;
	p.listen_unix = &local;
	p.n_listen_unix = is_unix;
	bool is_path = v->connects && v->connects[0] == '/';
	proxy.path = v->connects;
	p.connect = &connect;
	p.n_connect = v->connects != NULL && !is_path;
	p.unix_socket = &proxy;
	p.n_unix_socket = is_path;
	if (!filter_compile_load(&ps.load, &arena, &p, shape, &err) ||
	    !filter_compile_run(&ps.run, &arena, &p, shape, &err) ||
	    !bpf_check(ps.load.insn, ps.load.n, &err) ||
	    !bpf_check(ps.run.insn, ps.run.n, &err))
		fail_msg("%s: %s", v->name, err.msg);
	return ps;
}

static uint32_t
answer(const struct filter *f, uint32_t arch, int nr, const uint64_t args[6])
{
	struct seccomp_data d = {.nr = nr, .arch = arch};

	memcpy(d.args, args, sizeof(d.args));
	return bpf_run(f->insn, f->n, &d);
}

/* A plain reading of groups.h. */

struct row {
	int nr;
	unsigned when;
	uint32_t answer;
	unsigned n;
	bool unless;
	struct {
		unsigned arg;
		uint64_t mask, value;
	} is[2];
};

#define ANSWER_ALLOW(err)  SECCOMP_RET_ALLOW
#define ANSWER_REFUSE(err) ERRNO(err)
#define ANSWER_DENY(err)   SECCOMP_RET_USER_NOTIF
#define ANSWER_ATTACK(err) SECCOMP_RET_USER_NOTIF
#define ANSWER_JUDGE(err)  SECCOMP_RET_USER_NOTIF

/* clang-format off */
static const struct row load_rows[] = {
#define ALLOW(call) {__NR_##call, ALWAYS, SECCOMP_RET_ALLOW, 0, false, {{0}}},
#define FILES(call) {__NR_##call, FILES, SECCOMP_RET_ALLOW, 0, false, {{0}}},
#define REFUSE(call, err) {__NR_##call, ALWAYS, ERRNO(err), 0, false, {{0}}},
#define DENY(call, err, kind) {__NR_##call, ALWAYS, SECCOMP_RET_USER_NOTIF, 0, false, {{0}}},
#define ATTACK(call) {__NR_##call, ALWAYS, SECCOMP_RET_USER_NOTIF, 0, false, {{0}}},
#define JUDGE(call, kind) {__NR_##call, ALWAYS, SECCOMP_RET_USER_NOTIF, 0, false, {{0}}},
#define WHEN(verdict, when, call, err, kind, arg, mask, value) \
	{__NR_##call, when, ANSWER_##verdict(err), 1, false, {{arg, mask, value}}},
#define WHEN2(verdict, when, call, err, kind, a1, m1, v1, a2, m2, v2) \
	{__NR_##call, when, ANSWER_##verdict(err), 2, false, {{a1, m1, v1}, {a2, m2, v2}}},
#define UNLESS(verdict, when, call, err, kind, arg, value) \
	{__NR_##call, when, ANSWER_##verdict(err), 1, true, {{arg, ~0ull, value}}},
#define UNLESS2(verdict, when, call, err, kind, a1, v1, a2, m2, v2) \
	{__NR_##call, when, ANSWER_##verdict(err), 2, true, {{a1, ~0ull, v1}, {a2, m2, v2}}},
#include "policy/groups.h"
};

static const struct row run_rows[] = {
#define TAKE(when, call, err) {__NR_##call, when, ERRNO(err), 0, false, {{0}}},
#define TAKE_WHEN(when, call, err, arg, mask, value) \
	{__NR_##call, when, ERRNO(err), 1, false, {{arg, mask, value}}},
#include "policy/groups.h"
};
/* clang-format on */

#define N_LOAD (sizeof(load_rows) / sizeof(*load_rows))
#define N_RUN  (sizeof(run_rows) / sizeof(*run_rows))

static uint32_t
expected(const struct row *rows, size_t n_rows, uint32_t fallback, unsigned when, int nr,
    const uint64_t args[6])
{
	uint32_t found = 0;
	bool any = false;

	for (size_t i = 0; i < n_rows; i++) {
		const struct row *r = &rows[i];
		bool holds = r->nr == nr && (r->when & when);
		for (unsigned k = 0; holds && k < r->n; k++)
			holds = ((args[r->is[k].arg] & r->is[k].mask) ==
				    r->is[k].value) != (r->unless && k == 0);
		if (!holds)
			continue;
		if (any && found != r->answer)
			fail_msg("rows of call %d contradict each other", nr);
		found = r->answer;
		any = true;
	}
	return any ? found : fallback;
}

/* Deterministic, and good enough to mix bits. */
static uint64_t
next(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

/* Values at and around what the rows compare with. */
static void
interesting_args(uint64_t *seed, uint64_t args[6])
{
	for (int i = 0; i < 6; i++) {
		const struct row *r = &load_rows[next(seed) % N_LOAD];
		uint64_t v = r->is[next(seed) % 2].value;
		switch (next(seed) % 6) {
		case 0:
			v = next(seed) >> (next(seed) % 64);
			break;
		case 1:
			v ^= 1ull << (next(seed) % 64);
			break;
		case 2:
			v |= next(seed) << 32;
			break;
		case 3:
			v = 0;
			break;
		}
		args[i] = v;
	}
	/* Half the time, meet one row's condition exactly. */
	const struct row *r = &load_rows[next(seed) % N_LOAD];
	for (unsigned k = 0; (next(seed) & 1) && k < r->n; k++)
		args[r->is[k].arg] =
		    (args[r->is[k].arg] & ~r->is[k].mask) | r->is[k].value;
}

static void
test_compile_agrees_with_table(void **state)
{
	for (size_t v = 0; v < N_VARIANTS; v++) {
		struct programs tree = compiled(&variants[v], FILTER_TREE);
		struct programs flat = compiled(&variants[v], FILTER_LINEAR);
		uint64_t seed = 88172645463325252ull;
		for (int i = 0; i < 150000; i++) {
			uint64_t args[6];
			int nr = i < N_CALLS ? i : (int)(next(&seed) % 480);
			interesting_args(&seed, args);
			if (i >= N_CALLS && (i & 1))
				nr = load_rows[next(&seed) % N_LOAD].nr;
			uint32_t want_load = expected(
			    load_rows, N_LOAD, ERRNO(ENOSYS), variants[v].when, nr, args);
			uint32_t want_run = expected(run_rows, N_RUN, SECCOMP_RET_ALLOW,
			    variants[v].when, nr, args);
			if (answer(&tree.load, THIS_ARCH, nr, args) != want_load ||
			    answer(&flat.load, THIS_ARCH, nr, args) != want_load ||
			    answer(&tree.run, THIS_ARCH, nr, args) != want_run ||
			    answer(&flat.run, THIS_ARCH, nr, args) != want_run) {
				char text[200];
				notify_raw(nr, args, text, sizeof(text));
				fail_msg("%s: %s: tree 0x%x flat 0x%x table 0x%x",
				    variants[v].name, text,
				    answer(&tree.load, THIS_ARCH, nr, args),
				    answer(&flat.load, THIS_ARCH, nr, args), want_load);
			}
		}
	}
}

static void
test_compile_kills_calls_by_other_tables(void **state)
{
	static const uint32_t others[] = {AUDIT_ARCH_I386, AUDIT_ARCH_ARM,
	    AUDIT_ARCH_RISCV64,
	    THIS_ARCH == AUDIT_ARCH_X86_64 ? AUDIT_ARCH_AARCH64 : AUDIT_ARCH_X86_64, 0,
	    ~0u};
	static const uint64_t args[6] = {0};

	for (size_t v = 0; v < N_VARIANTS; v++) {
		struct programs p = compiled(&variants[v], FILTER_TREE);
		for (int nr = 0; nr < N_CALLS; nr++) {
			for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
				assert_int_equal(answer(&p.load, others[i], nr, args),
				    SECCOMP_RET_KILL_PROCESS);
				assert_int_equal(answer(&p.run, others[i], nr, args),
				    SECCOMP_RET_KILL_PROCESS);
			}
#if defined(__x86_64__)
			/* x32: the same architecture value, and a bit in the number. */
			assert_int_equal(
			    answer(&p.load, THIS_ARCH, nr | 0x40000000, args),
			    SECCOMP_RET_KILL_PROCESS);
#endif
		}
	}
}

/* What must hold whatever the table says: stated once more, by hand. */
static void
test_compile_never_allows_an_attack(void **state)
{
	static const int attacks[] = {__NR_ptrace, __NR_process_vm_readv,
	    __NR_process_vm_writev, __NR_pidfd_getfd, __NR_kcmp, __NR_bpf,
	    __NR_perf_event_open, __NR_userfaultfd, __NR_kexec_load, __NR_init_module,
	    __NR_finit_module, __NR_delete_module, __NR_mount, __NR_umount2,
	    __NR_move_mount, __NR_open_tree, __NR_fsopen, __NR_fsconfig, __NR_fsmount,
	    __NR_fspick, __NR_mount_setattr, __NR_pivot_root, __NR_chroot, __NR_setns,
	    __NR_unshare, __NR_keyctl, __NR_add_key, __NR_request_key,
	    __NR_open_by_handle_at, __NR_fanotify_init, __NR_reboot, __NR_swapon,
	    __NR_swapoff, __NR_acct, __NR_quotactl};
	static const int silent[] = {__NR_clone3, __NR_io_uring_setup,
	    __NR_io_uring_enter, __NR_io_uring_register, __NR_openat2, __NR_memfd_create,
	    __NR_memfd_secret, __NR_pkey_mprotect, __NR_remap_file_pages, __NR_shmat,
	    __NR_shmget, __NR_mq_open, __NR_msgget, __NR_semget, 457, 458, 462, 467};
	const struct profile pure = {.base = PROFILE_PURE};
	static const uint64_t samples[][6] = {{0}, {1, 1, 1, 1, 1, 1}, {2, 2, 2, 2, 2, 2},
	    {~0ull, ~0ull, ~0ull, ~0ull, ~0ull, ~0ull}};

	for (size_t v = 0; v < N_VARIANTS; v++) {
		struct programs p = compiled(&variants[v], FILTER_TREE);
		for (size_t s = 0; s < sizeof(samples) / sizeof(*samples); s++) {
			for (size_t i = 0; i < sizeof(attacks) / sizeof(*attacks); i++) {
				struct notify_verdict verdict;
				assert_int_equal(
				    answer(&p.load, THIS_ARCH, attacks[i], samples[s]),
				    SECCOMP_RET_USER_NOTIF);
				notify_judge(
				    &pure, s & 1, 2, attacks[i], samples[s], &verdict);
				assert_int_equal(verdict.answer, NOTIFY_KILL);
			}
			for (size_t i = 0; i < sizeof(silent) / sizeof(*silent); i++)
				assert_int_equal(
				    answer(&p.load, THIS_ARCH, silent[i], samples[s]),
				    ERRNO(ENOSYS));
		}
	}
}

static void
test_compile_no_memory_is_written_and_executed(void **state)
{
	struct programs p = compiled(&variants[2], FILTER_TREE);

	for (uint64_t prot = 0; prot < 8; prot++)
		for (uint64_t type = 0; type < 16; type++) {
			uint64_t map[6] = {0, 4096, prot, type | MAP_ANONYMOUS};
			uint64_t protect[6] = {4096, 4096, prot};
			bool w = prot & PROT_WRITE, x = prot & PROT_EXEC;
			bool may = !(w && x) && (!(w || x) || type == MAP_PRIVATE);
			assert_int_equal(answer(&p.load, THIS_ARCH, __NR_mmap, map) ==
					     SECCOMP_RET_ALLOW,
			    may);
			assert_int_equal(answer(&p.run, THIS_ARCH, __NR_mmap, map) ==
					     SECCOMP_RET_ALLOW,
			    !x || w);
			assert_int_equal(answer(&p.load, THIS_ARCH, __NR_mprotect,
					     protect) == SECCOMP_RET_ALLOW,
			    !x);
		}
}

/* The golden listing. */

static const struct sample {
	int nr;
	const char *text;
	uint64_t args[6];
} samples[] = {
#define S(call, text, ...)                                                               \
	{                                                                                \
		__NR_##call, text,                                                       \
		{                                                                        \
			__VA_ARGS__                                                      \
		}                                                                        \
	}
    S(mmap, "private, RW", 0, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS),
    S(mmap, "private, RX", 0, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE),
    S(mmap, "private, RWX", 0, 4096, 7, MAP_PRIVATE | MAP_ANONYMOUS),
    S(mmap, "shared, R", 0, 4096, PROT_READ, MAP_SHARED),
    S(mmap, "shared, RW", 0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS),
    S(mmap, "shared, RX", 0, 4096, PROT_READ | PROT_EXEC, MAP_SHARED),
    S(mprotect, "RW", 0, 4096, PROT_READ | PROT_WRITE),
    S(mprotect, "RX", 0, 4096, PROT_READ | PROT_EXEC),
    S(madvise, "DONTNEED", 0, 4096, MADV_DONTNEED),
    S(madvise, "REMOVE", 0, 4096, MADV_REMOVE),
    S(madvise, "MERGEABLE", 0, 4096, MADV_MERGEABLE),
    S(futex, "WAIT|PRIVATE", 0, FUTEX_WAIT | FUTEX_PRIVATE_FLAG),
    S(futex, "WAIT_BITSET|CLOCK_REALTIME", 0, FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME),
    S(futex, "LOCK_PI", 0, FUTEX_LOCK_PI),
    S(clone, "glibc's thread", 0x3d0f00),
    S(clone, "musl's thread", 0x7d0f00),
    S(clone, "fork", 0x1200011),
    S(clone, "NEWUSER", CLONE_NEWUSER | 17),
    S(clone, "thread in a new pid namespace", 0x3d0f00 | CLONE_NEWPID),
    S(openat, "O_RDONLY|O_CLOEXEC", 0, 0, O_RDONLY | O_CLOEXEC),
    S(openat, "O_RDONLY|O_DIRECTORY", 0, 0, O_RDONLY | O_DIRECTORY),
    S(openat, "O_PATH", 0, 0, O_PATH),
    S(openat, "O_WRONLY", 0, 0, O_WRONLY),
    S(openat, "O_RDWR|O_CREAT", 0, 0, O_RDWR | O_CREAT),
    S(openat, "O_RDONLY|O_CREAT", 0, 0, O_CREAT),
    S(openat, "O_RDONLY|O_TRUNC", 0, 0, O_TRUNC),
    S(openat, "O_TMPFILE|O_RDWR", 0, 0, O_TMPFILE | O_RDWR),
    S(openat, "O_CREAT, set-user-id", 0, 0, O_WRONLY | O_CREAT, 04755),
    S(newfstatat, "a name", AT_FDCWD, 4096, 4096, 0),
    S(newfstatat, "a descriptor", 5, 4096, 4096, AT_EMPTY_PATH),
    S(sendmsg, "the listener's socket", CONFINEMENT_LISTENER_FD),
    S(sendmsg, "another", 3),
    S(sendmsg, "MSG_FASTOPEN", 3, 4096, MSG_FASTOPEN),
    S(socketpair, "AF_UNIX, SOCK_STREAM", AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC),
    S(socketpair, "AF_UNIX, SOCK_DGRAM", AF_UNIX, SOCK_DGRAM),
    S(socketpair, "AF_TIPC, SOCK_STREAM", AF_TIPC, SOCK_STREAM),
    S(recvmsg, "any", 3, 4096, 0),
    S(sendto, "without an address", 3, 4096, 1, MSG_NOSIGNAL),
    S(sendto, "with one", 3, 4096, 1, 0, 4096, 16),
    S(sendto, "MSG_FASTOPEN", 3, 4096, 1, MSG_FASTOPEN, 4096, 16),
    S(sendmmsg, "two", 3, 4096, 2, 0),
    S(sendmmsg, "MSG_FASTOPEN", 3, 4096, 2, MSG_FASTOPEN),
    S(setsockopt, "SO_REUSEADDR", 3, SOL_SOCKET, SO_REUSEADDR),
    S(setsockopt, "SO_REUSEPORT", 3, SOL_SOCKET, SO_REUSEPORT),
    S(setsockopt, "SO_ATTACH_FILTER", 3, SOL_SOCKET, SO_ATTACH_FILTER),
    S(setsockopt, "TCP_NODELAY", 3, IPPROTO_TCP, TCP_NODELAY),
    S(setsockopt, "TCP_ULP", 3, IPPROTO_TCP, TCP_ULP),
    S(setsockopt, "of a raw socket", 3, IPPROTO_RAW, 1),
    S(getsockopt, "SO_ERROR", 3, SOL_SOCKET, SO_ERROR),
    S(getsockopt, "SO_PEERPIDFD", 3, SOL_SOCKET, 77),
    S(getsockopt, "of a raw socket", 3, IPPROTO_RAW, 1),
    S(fcntl, "F_SETFL", 3, F_SETFL),
    S(fcntl, "F_SETOWN", 3, F_SETOWN),
    S(fcntl, "F_ADD_SEALS", 3, F_ADD_SEALS),
    S(ioctl, "FIONREAD", 0, FIONREAD),
    S(ioctl, "TCGETS", 0, TCGETS),
    S(ioctl, "TIOCSTI", 0, TIOCSTI),
    S(ioctl, "TIOCSTI with high bits", 0, 0x100000000ull | TIOCSTI),
    S(ioctl, "SIOCGIFCONF", 0, 0x8912),
    S(prctl, "SET_NAME", PR_SET_NAME),
    S(prctl, "SET_VMA", 0x53564d41),
    S(prctl, "SET_DUMPABLE", PR_SET_DUMPABLE),
    S(prctl, "SET_PDEATHSIG", PR_SET_PDEATHSIG),
    S(prctl, "SET_SECCOMP", PR_SET_SECCOMP),
    S(prctl, "SET_TIMERSLACK", PR_SET_TIMERSLACK),
    S(prlimit64, "reading", 0, 7, 0, 4096),
    S(prlimit64, "setting", 0, 7, 4096),
    S(personality, "query", 0xffffffff),
    S(personality, "READ_IMPLIES_EXEC", 0x0400000),
    S(tgkill, "itself", CONFINEMENT_WORKER_PID, 3, 23),
    S(tgkill, "the shim", 1, 1, 9),
#if defined(__x86_64__)
    S(open, "O_RDONLY", 0, O_RDONLY),
    S(open, "O_WRONLY|O_CREAT", 0, O_WRONLY | O_CREAT),
#endif
#undef S
};

/* Whether the answer is the same whatever the arguments; any is one of them. */
static bool
is_constant(const struct programs *p, int nr, uint32_t *ret_load, uint32_t *ret_run)
{
	uint64_t args[6] = {0};

	*ret_load = answer(&p->load, THIS_ARCH, nr, args);
	*ret_run = answer(&p->run, THIS_ARCH, nr, args);
	for (size_t i = 0; i < N_LOAD; i++)
		if (load_rows[i].nr == nr && load_rows[i].n > 0 &&
		    load_rows[i].is[0].mask != 0)
			return false;
	for (uint64_t seed = 1, i = 0; i < 1000; i++) {
		for (int k = 0; k < 6; k++)
			args[k] = next(&seed) >> (next(&seed) % 64);
		if (answer(&p->load, THIS_ARCH, nr, args) != *ret_load ||
		    answer(&p->run, THIS_ARCH, nr, args) != *ret_run)
			return false;
	}
	return true;
}

static void
list_line(
    struct buf *out, const char *name, const char *args, uint32_t load, uint32_t run)
{
	char a[32], b[32];

	bpf_action_text(load, a, sizeof(a));
	bpf_action_text(bpf_stricter(load, run), b, sizeof(b));
	buf_addf(out, "%s%s%s%s  %s", name, args ? "(" : "", args ? args : "",
	    args ? ")" : "", a);
	if (strcmp(a, b) != 0)
		buf_addf(out, ", sealed %s", b);
	buf_addc(out, '\n');
}

static void
list(struct buf *out)
{
	for (size_t v = 0; v < N_VARIANTS; v++) {
		struct programs p = compiled(&variants[v], FILTER_TREE);
		buf_addf(out, "%s== %s\n", v ? "\n" : "", variants[v].name);
		for (int nr = 0; nr < N_CALLS; nr++) {
			uint32_t load, run;
			const char *name = notify_name(nr);
			char number[24];
			snprintf(number, sizeof(number), "%d", nr);
			if (is_constant(&p, nr, &load, &run)) {
				if (load != ERRNO(ENOSYS))
					list_line(
					    out, name ? name : number, NULL, load, run);
				continue;
			}
			for (size_t s = 0; s < sizeof(samples) / sizeof(*samples); s++)
				if (samples[s].nr == nr)
					list_line(out, name ? name : number,
					    samples[s].text,
					    answer(
						&p.load, THIS_ARCH, nr, samples[s].args),
					    answer(
						&p.run, THIS_ARCH, nr, samples[s].args));
		}
		buf_adds(out, "any other  errno 38\n");
	}
}

static void
test_compile_matches_golden_listing(void **state)
{
#if defined(__x86_64__)
	static const char path[] = "policy/testdata/filters.golden";
	FILE *f = fopen(path, "r");
	struct buf now, was;
	char text[4096];
	size_t n;

	assert_non_null(f);
	buf_init(&now, 1u << 20);
	buf_init(&was, 1u << 20);
	while ((n = fread(text, 1, sizeof(text), f)) > 0)
		buf_add(&was, text, n);
	fclose(f);
	list(&now);
	for (size_t i = 0, line = 1; i < now.len || i < was.len; i++) {
		if (i >= now.len || i >= was.len || now.data[i] != was.data[i])
			fail_msg("%s:%zu: the filters have changed; look at them with "
				 "policy/compile_test PATH",
			    path, line);
		line += now.data[i] == '\n';
	}
	buf_release(&now);
	buf_release(&was);
#else
	skip();
#endif
}

static int
write_listing(const char *path)
{
	FILE *f = fopen(path, "w");
	struct buf out;

	if (!f)
		return 1;
	buf_init(&out, 1u << 20);
	list(&out);
	fwrite(out.data, 1, out.len, f);
	buf_release(&out);
	return fclose(f) != 0;
}

static void
test_compile_unconfined_has_no_filter(void **state)
{
	struct profile p;
	struct filter f = {.n = 1};
	struct err err;

	assert_true(profile_builtin(&p, "unconfined"));
	assert_true(filter_compile_load(&f, &arena, &p, FILTER_TREE, &err));
	assert_int_equal(f.n, 0);
	assert_true(filter_compile_run(&f, &arena, &p, FILTER_TREE, &err));
	assert_int_equal(f.n, 0);
}

static void
test_compile_broker_gives_up_what_it_never_needs(void **state)
{
	static const int never[] = {__NR_ptrace, __NR_bpf, __NR_userfaultfd,
	    __NR_io_uring_setup, __NR_process_vm_writev, __NR_init_module, __NR_keyctl,
	    __NR_execve, __NR_execveat, __NR_fork, __NR_mount, __NR_unshare, __NR_setns,
	    __NR_process_vm_readv, __NR_pidfd_getfd, __NR_seccomp, __NR_clone};
	static const int needed[] = {__NR_read, __NR_openat, __NR_futex, __NR_socket,
	    __NR_kill, __NR_pidfd_send_signal, __NR_memfd_create, __NR_rt_sigreturn};
	const uint64_t none[6] = {0}, thread[6] = {CLONE_VM | CLONE_THREAD},
		       apart[6] = {CLONE_VM | CLONE_THREAD | CLONE_NEWUSER},
		       written[6] = {0, 4096, PROT_READ | PROT_WRITE, 2},
		       both[6] = {0, 4096, PROT_WRITE | PROT_EXEC, 2};
	struct filter f;
	struct err err;

	assert_true(filter_compile_broker(&f, &arena, &err));
	assert_true(bpf_check(f.insn, f.n, &err));
	for (size_t i = 0; i < sizeof(never) / sizeof(*never); i++)
		assert_int_equal(answer(&f, THIS_ARCH, never[i], none), SECCOMP_RET_TRAP);
	for (size_t i = 0; i < sizeof(needed) / sizeof(*needed); i++)
		assert_int_equal(
		    answer(&f, THIS_ARCH, needed[i], none), SECCOMP_RET_ALLOW);
	assert_int_equal(answer(&f, THIS_ARCH, __NR_mmap, written), SECCOMP_RET_ALLOW);
	assert_int_equal(answer(&f, THIS_ARCH, __NR_mmap, both), SECCOMP_RET_TRAP);
	assert_int_equal(answer(&f, THIS_ARCH, __NR_clone, thread), SECCOMP_RET_ALLOW);
	assert_int_equal(answer(&f, THIS_ARCH, __NR_clone, apart), SECCOMP_RET_TRAP);
	assert_int_equal(answer(&f, THIS_ARCH, __NR_clone3, none), ERRNO(ENOSYS));
	assert_string_equal(filter_broker_call(__NR_execve), "execve");
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_compile_agrees_with_table),
	    cmocka_unit_test(test_compile_kills_calls_by_other_tables),
	    cmocka_unit_test(test_compile_never_allows_an_attack),
	    cmocka_unit_test(test_compile_no_memory_is_written_and_executed),
	    cmocka_unit_test(test_compile_matches_golden_listing),
	    cmocka_unit_test(test_compile_broker_gives_up_what_it_never_needs),
	    cmocka_unit_test(test_compile_unconfined_has_no_filter),
	};
	int rc;

	arena_init(&arena, 16u << 20);
	rc =
	    argc > 1 ? write_listing(argv[1]) : cmocka_run_group_tests(tests, NULL, NULL);
	arena_release(&arena);
	return rc;
}
