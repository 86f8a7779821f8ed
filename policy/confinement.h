/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A confinement: a profile made concrete for one plugin file, ready for the launcher. All
 * that needs parsing or libseccomp has happened; the launcher only carries it out.
 */
#ifndef POLICY_CONFINEMENT_H
#define POLICY_CONFINEMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "policy/profile.h"

struct confinement_mount {
	const char *source; /* host path, absolute, symlinks resolved */
	const char *target; /* path inside the worker's root */
	bool directory;
	bool exec;          /* libraries and the plugin; data is mounted noexec */
};

struct confinement {
	const struct profile *profile;
	const char *plugin_target;  /* the plugin's path inside */
	struct confinement_mount *mount; /* loader, libraries, worker, plugin, data */
	uint32_t n_mount;
	const char **env;           /* complete environment of the worker */
	uint32_t n_env;
	const void *filter_load;    /* BPF program in force before dlopen (struct sock_filter[]) */
	uint32_t filter_load_len;   /* bytes */
	const void *filter_run;     /* second program, after init */
	uint32_t filter_run_len;
	bool go_runtime;            /* the ELF says Go: GOMAXPROCS=1 was put in env */
	char sha256[65];            /* of the plugin file, lower-case hex */
};

/*
 * Preflight of the plugin file and compilation of its profile. plugin_path is the host path.
 * worker_path is the mews-worker binary. Errors name the file and what is wrong with it:
 * not there, not a shared object, another architecture, not a plugin, a library missing, …
 */
bool confinement_make(struct confinement *c, struct arena *arena, const struct profile *profile,
    const char *plugin_path, const char *worker_path, struct err *err);

#endif
