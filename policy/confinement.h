/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A confinement: a profile made concrete for one plugin file, ready for the launcher. All
 * that needs parsing or libseccomp has happened; the launcher only carries it out.
 *
 * Paths inside the worker's root are those of the host, except for libraries, which all
 * stand in the one directory where the loader looks first (there is no ld.so.cache
 * inside).
 *
 * The two filters. filter_load is in force before the plugin's first byte; some of its
 * answers are notifications, so it is loaded with a listener, and policy/notify.h says
 * what to answer. filter_run is stacked on it after init, by
 * seccomp(SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, …): that call is itself a
 * notification, by which the watcher learns that the worker is sealed. filter_run only
 * takes away, with plain errors.
 *
 * With filter_load in force the worker may, besides what plugins may: load libraries,
 * start threads, read and write and poll what is open, set filter_run, and sendmsg on
 * CONFINEMENT_LISTENER_FD alone, to hand out the listener before the plugin is loaded.
 */
#ifndef POLICY_CONFINEMENT_H
#define POLICY_CONFINEMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "policy/profile.h"

/* The socket over which the worker hands out filter_load's listener; closed right after.
 */
#define CONFINEMENT_LISTENER_FD 8
/* The worker's pid as it sees it: the shim is 1. Signals to it need no notification. */
#define CONFINEMENT_WORKER_PID 2

struct confinement_mount {
	const char *source; /* host path, absolute, symlinks resolved */
	const char *target; /* path inside the worker's root */
	bool directory;
	bool exec; /* libraries and the plugin; data is mounted noexec */
	bool writable;
};

/* Made in the worker's root, for it alone. */
struct confinement_file {
	const char *target;
	const char *text;
	uint32_t n; /* bytes of text, where NULs may be */
};

struct confinement {
	const struct profile *profile;
	const char *plugin_target; /* the plugin's path inside */
	const char *worker_target; /* the worker binary's path inside */
	/* Loader, libraries, worker, plugin, data. By target, so that a directory comes
	 * before what is mounted inside it; each target once. */
	struct confinement_mount *mount;
	uint32_t n_mount;
	/* What a client and its libc want to find; nothing of the host's. */
	struct confinement_file *file;
	uint32_t n_file;
	const char **env; /* complete environment of the worker */
	uint32_t n_env;
	const void
	    *filter_load; /* BPF program in force before dlopen (struct sock_filter[]) */
	uint32_t filter_load_len; /* bytes; 0: unconfined */
	const void *filter_run;   /* second program, after init */
	uint32_t filter_run_len;
	bool go_runtime;   /* the ELF says Go: env has what its runtime is told */
	char sha256[65];   /* of the plugin file, lower-case hex */
	char build_id[65]; /* of the plugin file; "": none */
	/* Which file that was: what is mounted must still be it. */
	uint64_t plugin_dev, plugin_ino, plugin_size;
	int64_t plugin_mtime_ns, plugin_ctime_ns;
};

/* Whether this version can give what the profile asks for; ERR_USAGE says what not. */
bool confinement_check(const struct profile *p, struct err *err);

/*
 * Preflight of the plugin file and compilation of its profile. plugin_path is the host
 * path. worker_path is the mews-worker binary. Errors name the file and what is wrong
 * with it: not there, not a shared object, another architecture, not a plugin, a library
 * missing, … A profile that asks for what this version cannot enforce is an error
 * (ERR_USAGE), never less confinement or less function than asked for. Everything but the
 * profile is in the arena. Part of //policy:make, which links libseccomp.
 */
bool confinement_make(struct confinement *c, struct arena *arena,
    const struct profile *profile, const char *plugin_path, const char *worker_path,
    struct err *err);

#endif
