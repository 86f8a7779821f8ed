/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What one plugin may do: the model that policy text becomes and everything else is made
 * of.
 *
 * The built-in profiles are the rows of PROFILE_BASES; "unconfined" exists for the twin
 * runs of the tests and for benches, must be asked for by that name and is reported
 * loudly. A plugin entry's sandbox block, or a profile file, refines a profile: it names
 * the one that it is built on and adds to it. Lists add, everything else replaces.
 *
 * The model holds all that policy text can say. Whether this version can enforce it is
 * for confinement_make to decide, which refuses what it cannot give.
 * Strings live in the arena given at parse time.
 */
#ifndef POLICY_PROFILE_H
#define POLICY_PROFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

struct conf_node;

/* BASE(id, name, what a plugin under it may do) */
/* clang-format off */
#define PROFILE_BASES(BASE) \
	BASE(PURE,        "pure",        "compute only: no files, no network, no processes") \
	BASE(FILE_READER, "file-reader", "pure, and read and watch the files that read: names") \
	BASE(LISTENER,    "listener",    "pure, and accept connections on what listen: names") \
	BASE(CLIENT,      "client",      "pure, and connect to the hosts that connect: names") \
	BASE(UNCONFINED,  "unconfined",  "everything the user running mews may do")
/* clang-format on */

enum profile_base {
#define BASE(id, name, doc) PROFILE_##id,
	PROFILE_BASES(BASE)
#undef BASE
};

enum profile_transport {
	PROFILE_TCP,
	PROFILE_UDP,
};

struct profile_listen {
	enum profile_transport transport;
	const char *address; /* an IP address; NULL: all of this host */
	uint16_t port;
};

/* Not changed: what a socket has that whoever runs mews makes. */
#define PROFILE_NOBODY UINT32_MAX

/* A unix socket of the host that it may listen at, of any type. */
struct profile_listen_unix {
	const char *path;
	/* What it is made with, and the most that the plugin may make of it: 0600 and
	 * 0777, unless the policy names one, which is both. */
	uint32_t mode, most_mode;
	uint32_t owner, group; /* ids; PROFILE_NOBODY */
	bool descriptors;      /* callers may hand it descriptors (SCM_RIGHTS) */
};

struct profile_connect {
	const char *host; /* lower-case name or IP address, without "*." */
	bool subdomains;  /* "*.host": every name below host, not host itself */
	uint16_t port;
	bool internal; /* its addresses may be private ones */
};

struct profile_unix {
	const char *path;
	bool filtered;         /* only GET requests for what http_get names */
	const char **http_get; /* request paths; a "*" at the end: everything below */
	uint32_t n_http_get;
};

struct profile_limits {
	uint64_t memory_bytes; /* data segment and private maps; default 512 MiB */
	/* Largest file it may write; 0: none, or with write: 64 MiB. */
	uint64_t file_size_bytes;
	uint64_t log_lines_per_s; /* default 100, burst tenfold */
	uint64_t events_per_s;    /* 0: no bound */
	uint32_t threads;         /* default 64 */
	uint32_t processes;       /* besides the worker; default 0 */
	uint32_t open_files;      /* default 256 */
	uint32_t cpu_percent;     /* of one CPU; 0: no bound */
	/* Deadlines of calls, ms; 0: none. Defaults: init 30000, open 30000, next_batch 0
	 * (a source may block), extract 5000, parse 5000, close 5000. */
	uint32_t init_ms, open_ms, next_batch_ms, extract_ms, parse_ms, close_ms;
};

struct profile {
	const char *name; /* as messages show it */
	enum profile_base base;
	const char **read; /* absolute paths of files and directories, read-only */
	uint32_t n_read;
	const char **write; /* absolute paths of directories */
	uint32_t n_write;
	struct profile_listen *listen;
	uint32_t n_listen;
	struct profile_listen_unix *listen_unix;
	uint32_t n_listen_unix;
	struct profile_connect *connect;
	uint32_t n_connect;
	struct profile_unix *unix_socket;
	uint32_t n_unix_socket;
	/* "NAME=value" is set in the worker, "NAME" passed on from this process where it
	 * is set; besides the fixed ones. */
	const char **env;
	uint32_t n_env;
	const char *sha256; /* what the plugin file must be; NULL: anything */
	bool late_dlopen;   /* libraries may be loaded after init */
	bool jit;           /* memory may be made executable: lifts W^X */
	/* Opens go by the watcher, where they would not, so that those that find nothing
	 * are told. Slower; allows nothing more. */
	bool observe;
	struct profile_limits limits;
	/* Restarts: budget within window, then the plugin is failed. */
	uint32_t restart_max, restart_window_s, backoff_min_ms, backoff_max_ms;
	bool required; /* a failed plugin ends the program; default true */
	/* Of a profile file: what it takes from a plugin's entry, checked (template.h).
	 */
	const struct conf_node **part;
	uint32_t n_part;
	/* Of a profile file. */
	const char **plugin; /* names of plugins it was written for */
	uint32_t n_plugin;
	const char *comment;
};

/* Profiles of files, by name; they come before the built-in ones of the same name. */
struct profile_set {
	const struct profile *profile;
	uint32_t n;
};

/* The profile with its defaults; false when no built-in has that name. */
bool profile_builtin(struct profile *p, const char *name);

/* The largest file that it may write: the limit, or what stands for none where
 * directories are given to write. */
uint64_t profile_file_size(const struct profile *p);
/* Processes and threads that there may be at once: the shim, the worker's own, and one
 * for each process that it may start. */
uint32_t profile_tasks(const struct profile *p);
/* Whether it connects to places outside, by name. */
bool profile_connects(const struct profile *p);
/* Whether it may listen somewhere. */
bool profile_listens(const struct profile *p);
/* Whether it may send on what is connected alone, and without sendmsg, whose address no
 * filter sees: where it has datagram sockets of the host, or unix sockets, which would
 * find others in directories that it reads. */
bool profile_sends_unaddressed(const struct profile *p);
/* Whether callers of some socket may hand it descriptors. */
bool profile_takes_descriptors(const struct profile *p);
/* Whether it may have sockets of any kind. */
bool profile_has_sockets(const struct profile *p);

/* "pure, file-reader, …": for messages. */
const char *profile_builtin_names(void);
/* "pure" of PROFILE_PURE; what it allows, in words. */
const char *profile_base_name(enum profile_base base);
const char *profile_base_doc(enum profile_base base);

/*
 * The sandbox block of a plugin entry; block NULL or null is the profile "pure". file is
 * for nodes that do not know theirs. Every mistake is a line of err.msg:
 * "FILE:LINE:COL: what is wrong, and what to write instead" (ERR_SYNTAX). p is
 * untouched on failure and shares the block's strings and those of known.
 */
bool profile_parse(struct profile *p, struct arena *arena, const struct conf_node *block,
    const char *file, struct err *err);
bool profile_parse_in(struct profile *p, struct arena *arena,
    const struct profile_set *known, const struct conf_node *block, const char *file,
    struct err *err);
/* known may be NULL. A profile file: the same keys, and name (required), plugins,
 * comment. */
bool profile_parse_file(struct profile *p, struct arena *arena,
    const struct profile_set *known, const struct conf_node *root, const char *file,
    struct err *err);

/*
 * The *.yaml of a folder, in the order of their names; each may build on those before it.
 * No folder is an empty set. Two profiles of one name are an error. Files' text stays in
 * the arena.
 */
bool profile_set_load(
    struct profile_set *set, struct arena *arena, const char *dir, struct err *err);

/* Why a path cannot be given to a plugin; NULL: it can. What it names need not exist. */
const char *profile_path_refusal(const char *path);
/* Absolute, and fit to stand in a YAML flow list as it is. */
bool profile_path_is_plain(const char *path);
/* Whether it is called like a library: "libm.so.6". */
bool profile_path_is_library(const char *path);

/* As the policy writes it: "tcp:9765", "[::1]:80", "*.amazonaws.com:443". */
void profile_listen_text(const struct profile_listen *l, struct buf *out);
/* "unix:/run/a.sock", escaped. */
void profile_listen_unix_text(const struct profile_listen_unix *l, struct buf *out);
void profile_connect_text(const struct profile_connect *c, struct buf *out);

#endif
