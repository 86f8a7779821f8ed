/* SPDX-License-Identifier: Apache-2.0 */
/* The split. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "broker/keeper/keeper_wire.h"

bool
keeper_start(const struct keeper_config *config, struct err *err)
{
	sigset_t ours, before;
	pid_t keeper = getpid(), pid;
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return err_sys(err, "socketpair");
	/* What is buffered would be written twice. */
	fflush(NULL);
	/* Before the split, so that none is lost between the two. */
	keeper_signals(&ours);
	sigprocmask(SIG_BLOCK, &ours, &before);
	pid = fork();
	if (pid > 0) {
		close(pair[1]);
		prctl(PR_SET_NAME, "mews-keeper", 0, 0, 0);
		keeper_serve(pair[0], pid, config, &before);
	}
	sigprocmask(SIG_SETMASK, &before, NULL);
	close(pair[0]);
	if (pid < 0) {
		close(pair[1]);
		return err_sys(err, "fork");
	}
	/* Started again, it would be called "exe". */
	prctl(PR_SET_NAME, program_invocation_short_name, 0, 0, 0);
	if (setpgid(0, 0) < 0 || prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
		return err_sys(err, "setpgid or PR_SET_PDEATHSIG");
	if (getppid() != keeper)
		return err_set(err, ERR_GONE, "the keeper ended at once");
	keeper_use(pair[1], keeper);
	return true;
}
