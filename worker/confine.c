/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "worker/launch/landlock.h"
#include "worker/launch/setup.h"

#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif

#define SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

enum confine_state {
	OUTSIDE,
	UNCONFINED,
	ENTERED,
	TIGHTENED,
	FAILED
};

static enum confine_state state = OUTSIDE;
/* The run program, kept mapped read-only until confine_tighten. */
static struct sock_fprog run_program;

/* Maps the memfd; the mapping stays, the descriptor does not. */
static bool
filters_map(const struct setup_filters **ret_filters, struct err *err)
{
	struct stat st;
	int seals = fcntl(SETUP_FILTERS_FD, F_GET_SEALS);

	/* No memfd there: we were started by somebody else than the launcher. */
	if (seals < 0 || (seals & SEALS) != SEALS || fstat(SETUP_FILTERS_FD, &st) < 0)
		return err_set(err, ERR_USAGE,
		    "no filters on descriptor %d: a worker is started by mews alone",
		    SETUP_FILTERS_FD);
	if (st.st_size < (off_t)sizeof(struct setup_filters))
		return err_set(err, ERR_USAGE, "filters are cut short");
	const struct setup_filters *f =
	    mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, SETUP_FILTERS_FD, 0);
	if (f == MAP_FAILED)
		return err_sys(err, "mmap of the filters");
	close(SETUP_FILTERS_FD);
	if (f->magic != SETUP_FILTERS_MAGIC || f->load_bytes > SETUP_FILTER_MAX_BYTES ||
	    f->run_bytes > SETUP_FILTER_MAX_BYTES ||
	    f->load_bytes % sizeof(struct sock_filter) != 0 ||
	    f->run_bytes % sizeof(struct sock_filter) != 0 ||
	    (size_t)st.st_size != sizeof(*f) + f->load_bytes + f->run_bytes)
		return err_set(err, ERR_USAGE, "filters are malformed");
	*ret_filters = f;
	return true;
}

static struct sock_fprog
program(const void *bytes, uint32_t n_bytes)
{
	return (struct sock_fprog){
	    .len = (unsigned short)(n_bytes / sizeof(struct sock_filter)),
	    .filter = (struct sock_filter *)(uintptr_t)bytes,
	};
}

/* Gives the listener away, so that nobody in here can answer for the launcher. */
static bool
say_hello(int listener, struct err *err)
{
	struct setup_record r = {.kind = SETUP_HELLO};
	struct iovec iov = {.iov_base = &r, .iov_len = sizeof(r)};
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = {0};
	struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};

	if (listener >= 0) {
		m.msg_control = control.bytes;
		m.msg_controllen = sizeof(control.bytes);
		struct cmsghdr *c = CMSG_FIRSTHDR(&m);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), &listener, sizeof(int));
	}
	ssize_t n = sendmsg(SETUP_SOCKET_FD, &m, 0);
	if (n < 0 && errno == EACCES && listener >= 0) {
		r.listener = listener;
		n = write(SETUP_SOCKET_FD, &r, sizeof(r));
	}
	if (n != (ssize_t)sizeof(r))
		return err_sys(err, "telling the launcher that the filter holds");
	n = read(SETUP_SOCKET_FD, &r, sizeof(r));
	if (n != (ssize_t)sizeof(r) || r.kind != SETUP_TAKEN)
		return err_set(
		    err, ERR_GONE, "the launcher did not take the worker over");
	if (listener >= 0)
		close(listener);
	/* For the launcher this end of file is the last word. */
	close(SETUP_SOCKET_FD);
	return true;
}

static bool
enter(struct err *err)
{
	const struct setup_filters *f = NULL;

	if (state != OUTSIDE)
		return err_set(err, ERR_USAGE, "confined twice");
	if (!filters_map(&f, err))
		return false;
	if (f->flags & SETUP_UNCONFINED) {
		state = UNCONFINED;
		return say_hello(-1, err);
	}
	if (f->load_bytes == 0 || f->run_bytes == 0)
		return err_set(err, ERR_USAGE, "a filter is missing");

	/* exec made us readable to others of our uid again. */
	if ((f->flags & SETUP_STAYS_READABLE) == 0 && prctl(PR_SET_DUMPABLE, 0) < 0)
		return err_sys(err, "PR_SET_DUMPABLE");
	/* No credential changes any more, so this one stays: with the shim goes the
	 * worker, also where there is no pid namespace to see to it. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		return err_sys(err, "PR_SET_PDEATHSIG");
	/* exec needed the right to execute the loader and this binary; now nobody does.
	 */
	if (landlock_forbid_execute() < 0 && errno != ENOSYS && errno != EOPNOTSUPP)
		return err_sys(err, "Landlock without execution");

	unsigned long flags = 0;
	if (f->flags & SETUP_LISTENER)
		/* WAIT_KILLABLE_RECV: a signal must not restart a call that is being
		 * decided, or a storm of signals starves it. */
		flags = SECCOMP_FILTER_FLAG_NEW_LISTENER |
			SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;
	struct sock_fprog load = program(f + 1, f->load_bytes);
	int listener = (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &load);
	if (listener < 0 && errno == EINVAL && flags != 0) {
		/* Before Linux 5.19: calls may then be restarted by signals, no more. */
		flags = SECCOMP_FILTER_FLAG_NEW_LISTENER;
		listener =
		    (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &load);
	}
	if (listener < 0)
		return err_sys(err, "loading the system call filter");

	run_program = program((const char *)(f + 1) + f->load_bytes, f->run_bytes);
	state = ENTERED;
	return say_hello(flags != 0 ? listener : -1, err);
}

bool
confine_enter(struct err *err)
{
	if (enter(err))
		return true;
	state = FAILED;
	return false;
}

bool
confine_tighten(struct err *err)
{
	if (state == UNCONFINED)
		return true;
	if (state != ENTERED)
		return err_set(err, ERR_USAGE, "tightened before confined");
	long rc = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC,
	    &run_program);
	if (rc < 0)
		return err_sys(err, "loading the second system call filter");
	if (rc > 0)
		return err_set(err, ERR_PLUGIN,
		    "thread %ld has a filter of its own and cannot be confined further",
		    rc);
	state = TIGHTENED;
	return true;
}
