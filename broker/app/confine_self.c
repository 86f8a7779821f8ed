/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/app/confine_self.h"

#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/conf/conf.h"
#include "policy/compile.h"

/* Libseccomp's work and the program. */
#define FILTER_BYTES (1u << 20)

/*
 * What root still needs: alerts and records go to files whoever owns them, ports below
 * 1024 may be listened on, and the launcher may have to be killed. The bounding set
 * stays: a reload starts the program again, as root, with all that making workers takes.
 */
static const unsigned kept_caps[] = {CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, CAP_CHOWN,
    CAP_FOWNER, CAP_NET_BIND_SERVICE, CAP_KILL};

static bool
drop_capabilities(struct err *err)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct caps[2] = {0}, kept[2] = {0};

	if (syscall(SYS_capget, &head, caps) < 0)
		return err_sys(err, "capget");
	for (size_t i = 0; i < sizeof(kept_caps) / sizeof(*kept_caps); i++)
		kept[kept_caps[i] / 32].permitted |= 1u << (kept_caps[i] % 32);
	for (int i = 0; i < 2; i++) {
		caps[i].permitted &= kept[i].permitted;
		caps[i].effective = caps[i].permitted;
		caps[i].inheritable = 0;
	}
	if (syscall(SYS_capset, &head, caps) < 0)
		return err_sys(err, "dropping capabilities");
	return true;
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
	/* Every thread that there is. Only who may not load filters otherwise gives up
	 * new privileges for it: programs that alerts are given to keep theirs as root.
	 */
	if (ok &&
	    syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC,
		&program) != 0 &&
	    (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
		syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC,
		    &program) != 0))
		ok = err_sys(err, "the broker's system call filter");
	arena_release(&arena);
	return ok;
}

enum step_rc
step_confine_self(struct app *app, struct err *err)
{
	if (!conf_bool(app->settings->sandbox, "broker", true))
		return STEP_NEXT;
	/* Capabilities last: loading a filter takes one. */
	return enter_filter(err) && drop_capabilities(err) ? STEP_NEXT : STEP_FAILED;
}
