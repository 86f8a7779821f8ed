/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What to answer when a worker's filter notifies, and how to tell people about it.
 *
 * Pure functions over the table groups.h: no libseccomp, no I/O. The watcher receives a
 * notification, asks notify_judge, and answers so. Which calls notify at all is the
 * filter's business; a call that is not in the table is answered ENOSYS like any unknown
 * one.
 *
 * Why CONTINUE is sound where it is used, though a thread may change memory under a
 * pointer argument after it was looked at: looking at names, read-only opens before the
 * seal, and opening to read what would be made if it was not there, where every outcome
 * is one that mounts and Landlock allow anyway; signals to itself, the seal and socket(),
 * whose deciding arguments are registers. bind, listen and connect name a descriptor,
 * which a thread may exchange: those are never continued, the watcher does them on what
 * it has taken hold of.
 *
 * Opens and looks under "pure" notify, so that a denial can be explained although the
 * empty root would refuse it silently (11 to 44 µs each, and such plugins hardly do it).
 * Where files are given to read, neither notifies: they run at full speed against what
 * is mounted, and what is not there is ENOENT from the kernel.
 *
 * A worker can call denied things in a loop. Each costs it a round trip, which the
 * watcher may stretch: an answer can wait, the thread sleeps meanwhile.
 */
#ifndef POLICY_NOTIFY_H
#define POLICY_NOTIFY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/confinement.h"

enum notify_answer {
	NOTIFY_ERRNO,    /* answer -error */
	NOTIFY_CONTINUE, /* let the kernel do it (SECCOMP_USER_NOTIF_FLAG_CONTINUE) */
	NOTIFY_SEAL,     /* as CONTINUE; from now on the worker is sealed */
	NOTIFY_KILL,     /* an attack: record it, kill the worker */
	/* The watcher looks at the address and does it in the worker's place. */
	NOTIFY_BIND,
	NOTIFY_LISTEN,
	NOTIFY_CONNECT,
};

/* What a call would do to a path, where that may be a unix socket that the plugin listens
 * at, or a directory above it: the watcher then answers in another way. */
enum notify_change {
	NOTIFY_NO_CHANGE,
	NOTIFY_UNLINK,
	NOTIFY_RMDIR,
	NOTIFY_MKDIR,
	NOTIFY_CHMOD,
};

struct notify_verdict {
	enum notify_answer answer;
	int error;    /* NOTIFY_ERRNO */
	int path_arg; /* the argument that points at a path; -1: none */
	enum notify_change change;
	uint32_t mode; /* NOTIFY_CHMOD */
	/* This is a denial that people are told about. For opens to read and for looks it
	 * depends on the path, which notify_path_is_denied knows. */
	bool is_denial;
};

/* own_pid is the worker's pid in its own pid namespace. args are struct seccomp_data's.
 */
void notify_judge(const struct profile *profile, bool is_sealed, int32_t own_pid, int nr,
    const uint64_t args[6], struct notify_verdict *ret_verdict);

/*
 * Whether an open of path, or a look at it, is worth a line: false for what the worker's
 * root holds (it succeeds) and for what loaders and language runtimes probe for and do
 * without. path is as the worker gave it, at most size 4096, NUL-terminated by the
 * watcher.
 */
bool notify_path_is_denied(const struct confinement *c, const char *path);

/*
 * The denial in words, escaped: what was tried, with the system call and its decoded
 * arguments, and the policy line that would allow it ("": none can). path is NULL where
 * there is none or it could not be read.
 */
void notify_explain(int nr, const uint64_t args[6], const char *path, char *what,
    size_t what_size, char *allow_with, size_t allow_size);

/* "openat"; NULL when the table does not have it. */
const char *notify_name(int nr);
/* The call with raw arguments, for crash records: "ptrace(16, 1, 0x0, 0x0, 0x0, 0x0)". */
void notify_raw(int nr, const uint64_t args[6], char *out, size_t size);

#endif
