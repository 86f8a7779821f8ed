/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What one plugin may do: the model that policy text becomes and everything else is made of.
 *
 * The built-in profiles are "pure" (compute only) and "file-reader"; "unconfined" exists for
 * the twin runs of the tests and for benches, must be asked for by that name and is reported
 * loudly. A plugin entry's sandbox block refines a profile: it names a base and adds to it.
 * Strings live in the arena given at parse time.
 */
#ifndef POLICY_PROFILE_H
#define POLICY_PROFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"

enum profile_base {
	PROFILE_PURE,
	PROFILE_FILE_READER, /* opens what read[] names, watches it with inotify */
	PROFILE_UNCONFINED,
};

struct profile_limits {
	uint64_t memory_bytes;    /* data segment and private maps; default 512 MiB */
	uint32_t threads;         /* default 64 */
	uint32_t open_files;      /* default 256 */
	uint64_t log_lines_per_s; /* default 100, burst tenfold */
	/* Deadlines of calls, ms; 0: none. Defaults: init 30000, open 30000, next_batch 0
	 * (a source may block), extract 5000, close 5000. */
	uint32_t init_ms, open_ms, next_batch_ms, extract_ms, close_ms;
};

struct profile {
	const char *name;          /* as messages show it */
	enum profile_base base;
	const char **read;         /* absolute paths of files and directories, read-only */
	uint32_t n_read;
	const char **env;          /* "NAME=value" set in the worker, besides the fixed ones */
	uint32_t n_env;
	bool late_dlopen;          /* libraries may be loaded after init */
	struct profile_limits limits;
	/* Restarts: budget within window, then the plugin is failed. */
	uint32_t restart_max, restart_window_s, backoff_min_ms, backoff_max_ms;
	bool required;             /* a failed plugin ends the program; default true */
};

/* The profile with its defaults; false when no built-in has that name. */
bool profile_builtin(struct profile *p, const char *name);

/* "pure, file-reader": for messages. */
const char *profile_builtin_names(void);

#endif
