/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/app/confine_self.h"

#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/conf/conf.h"
#include "policy/compile.h"

/* Libseccomp's work and the program. */
#define FILTER_BYTES (1u << 20)

/*
 * What root still needs: alerts and records go to files whoever owns them, ports below
 * 1024 may be listened on, and the launcher may have to be killed.
 */
static const unsigned kept_caps[] = {CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, CAP_CHOWN,
    CAP_FOWNER, CAP_NET_BIND_SERVICE, CAP_KILL};

static bool
is_kept(unsigned cap)
{
	for (size_t i = 0; i < sizeof(kept_caps) / sizeof(*kept_caps); i++) {
		if (kept_caps[i] == cap)
			return true;
	}
	return false;
}

static bool
drop_capabilities(struct err *err)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct caps[2] = {0};

	if (syscall(SYS_capget, &head, caps) < 0)
		return err_sys(err, "capget");
	/* Whoever may not drop from the bounding set has nothing in it that counts: no
	 * program comes after this one. */
	for (unsigned cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++) {
		bool may = caps[CAP_SETPCAP / 32].effective & 1u << CAP_SETPCAP % 32;
		if (!is_kept(cap) && may && prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0)
			return err_sys(err, "dropping capability %u", cap);
	}
	for (unsigned cap = 0; cap < 64; cap++) {
		if (!is_kept(cap))
			caps[cap / 32].permitted &= ~(1u << cap % 32);
	}
	for (int i = 0; i < 2; i++) {
		caps[i].effective = caps[i].permitted;
		caps[i].inheritable = 0;
	}
	if (syscall(SYS_capset, &head, caps) < 0)
		return err_sys(err, "dropping capabilities");
	return true;
}

/* A call that the filter refuses: a mistake of ours, or somebody else's code. Either way
 * this process is at its end, and says why; nothing here may allocate or lock. */
static void
on_refused_call(int signal, siginfo_t *info, void *context)
{
	static const char before[] = "mews: the broker is ended: its own filter forbids "
				     "the system call ";
	const char *name = filter_broker_call(info->si_syscall);
	const struct iovec part[] = {
	    {(void *)(uintptr_t)before, sizeof(before) - 1},
	    {(void *)(uintptr_t)name, strlen(name)},
	    {(void *)(uintptr_t) "\n", 1},
	};

	(void)!writev(STDERR_FILENO, part, sizeof(part) / sizeof(*part));
	raise(signal);
}

static bool
tell_refused_calls(struct err *err)
{
	/* The second time, from within it, by default: death. */
	struct sigaction tell = {.sa_sigaction = on_refused_call,
	    .sa_flags = SA_SIGINFO | SA_RESETHAND | SA_NODEFER};

	return sigaction(SIGSYS, &tell, NULL) == 0 || err_sys(err, "sigaction");
}

static bool
enter_filter(struct err *err)
{
	struct filter filter;
	struct arena arena;

	arena_init(&arena, FILTER_BYTES);
	bool ok = filter_compile_broker(&filter, &arena, err);
	struct sock_fprog program = {
	    .len = ok ? (unsigned short)filter.n : 0,
	    .filter = ok ? (struct sock_filter *)(uintptr_t)filter.insn : NULL,
	};
	/* Every thread that there is. */
	if (ok && (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
		      syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
			  SECCOMP_FILTER_FLAG_TSYNC, &program) != 0))
		ok = err_sys(err, "the broker's system call filter");
	arena_release(&arena);
	return ok;
}

bool
confine_self(struct err *err)
{
	return drop_capabilities(err) && tell_refused_calls(err) && enter_filter(err);
}

enum step_rc
step_confine_self(struct app *app, struct err *err)
{
	if (!conf_bool(app->settings->sandbox, "broker", true))
		return STEP_NEXT;
	return confine_self(err) ? STEP_NEXT : STEP_FAILED;
}
