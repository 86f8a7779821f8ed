/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Landlock by raw system calls, so that rights newer than the libc's headers are handled
 * too. All that this kernel's ABI can refuse is refused, but for what rules allow.
 * Functions return -1 and set errno like the system calls they make.
 */
#ifndef WORKER_LAUNCH_LANDLOCK_H
#define WORKER_LAUNCH_LANDLOCK_H

#include <stdbool.h>

/* 0 when the kernel has none, or has it switched off. */
int landlock_abi(void);

/* A ruleset that handles every right of the ABI; its descriptor, close-on-exec. */
int landlock_ruleset_new(int abi);

enum landlock_grant {
	LANDLOCK_READ_FILE,      /* data */
	LANDLOCK_READ_TREE,      /* data: a directory and what is below */
	LANDLOCK_READ_EXEC_FILE, /* libraries and programs */
	LANDLOCK_READ_EXEC_TREE,
	LANDLOCK_WRITE_TREE, /* data: files and directories, no links, no devices */
};
int landlock_allow(int ruleset_fd, int abi, int path_fd, enum landlock_grant grant);

/* TCP connections to this port; nothing to do before ABI 4. */
int landlock_allow_connect(int ruleset_fd, int abi, unsigned port);

/* Puts the calling thread (and its children) under it; needs no_new_privs. */
int landlock_enter(int ruleset_fd);

/* One more layer, which refuses every execve and grants nothing. */
int landlock_forbid_execute(void);

#endif
