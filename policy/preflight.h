/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A look at a plugin file before anything of it runs, by reading alone: is it one, was it
 * built for here, does it ask for what no worker gives, which libraries does it need.
 *
 * Errors are one line that begins with the file's path, in the dynamic loader's words
 * where it has some. Libraries are looked for in the system's directories, and in the
 * plugin's own run path only inside what "listed" names.
 */
#ifndef POLICY_PREFLIGHT_H
#define POLICY_PREFLIGHT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "policy/elf.h"

struct preflight_library {
	const char *name; /* "libm.so.6" */
	const char *path; /* where it was found */
	bool own;         /* in the plugin's run path, not the system's directories */
};

struct preflight {
	bool go_runtime;
	bool static_tls;
	char sha256[65];
	char build_id[65];  /* "": none */
	const char *interp; /* of a program: its loader */
	/* Everything it needs, directly or not, but the loader; once each. */
	struct preflight_library *library;
	uint32_t n_library;
	uint64_t dev, ino, size;
	int64_t mtime_ns, ctime_ns;
};

/* A plugin. listed are n_listed absolute paths. In the arena. */
bool preflight_plugin(struct preflight *pf, struct arena *arena, const char *path,
    const char *const *listed, uint32_t n_listed, struct err *err);
/* The worker program: its loader and libraries; no digest. */
bool preflight_program(
    struct preflight *pf, struct arena *arena, const char *path, struct err *err);

/* The rules for a plugin's bytes; what preflight_plugin asks after reading the file. */
bool preflight_bytes(struct elf *e, const void *bytes, size_t n, struct err *err);

/* Where a library is in the system's directories; NULL: nowhere. In the arena. */
const char *preflight_find_library(struct arena *arena, const char *name);

#endif
