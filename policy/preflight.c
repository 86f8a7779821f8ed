/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/preflight.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/sha256.h"

/* The loader's own order on Debian, then on others, then where people install. */
static const char *const system_dirs[] = {
#if defined(__x86_64__)
    "/lib/x86_64-linux-gnu",
    "/usr/lib/x86_64-linux-gnu",
#elif defined(__aarch64__)
    "/lib/aarch64-linux-gnu",
    "/usr/lib/aarch64-linux-gnu",
#endif
    "/lib64",
    "/usr/lib64",
    "/lib",
    "/usr/lib",
    "/usr/local/lib",
};

/* What a plugin must export: missing all of them, it is something else. Missing some is
 * told by the worker, in Falco's words. */
static const char *const required[] = {
#define SYM(name, required, type, params) required ? "plugin_" #name : NULL,
#include "proto/plugin_symbols.h"
#undef SYM
};

#define N_REQUIRED (sizeof(required) / sizeof(*required))

static void
note_export(const char *name, void *arg)
{
	bool *has = arg;

	if (strncmp(name, "plugin_", 7) != 0)
		return;
	for (size_t i = 0; i < N_REQUIRED; i++)
		if (required[i] && strcmp(name, required[i]) == 0)
			*has = true;
}

/* The words are those of the check that would come first after loading it. */
static bool
not_a_plugin(struct err *err)
{
	return err_set(
	    err, ERR_PLUGIN, "plugin_get_required_api_version symbol not implemented");
}

bool
preflight_bytes(struct elf *e, const void *bytes, size_t n, struct err *err)
{
	bool has_symbols = false;

	if (!elf_read(e, bytes, n, err))
		return false;
	if (e->is_program || !e->is_shared_object || e->interp)
		return err_set(err, ERR_SYNTAX,
		    "is a program, not a shared object: build it with -shared");
	if (e->text_relocations)
		return err_set(err, ERR_SYNTAX,
		    "has text relocations, which need writable code: build it with "
		    "-fPIC");
	if (e->executable_stack)
		return err_set(err, ERR_SYNTAX,
		    "asks for an executable stack: link it with -z noexecstack");
	if (e->writable_code)
		return err_set(err, ERR_SYNTAX,
		    "has a segment that is writable and executable: link it without -N "
		    "and "
		    "-z rwx-segments");
	elf_exports(e, note_export, &has_symbols);
	return has_symbols || not_a_plugin(err);
}

/* An open regular file; the text is the loader's. */
static bool
open_regular(const char *path, int *ret_fd, struct stat *ret_st, struct err *err)
{
	/* NONBLOCK: opening a pipe must not wait for a writer. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0)
		return err_sys(err, "%s: cannot open shared object file", path);
	if (fstat(fd, ret_st) != 0) {
		err_sys(err, "%s: cannot open shared object file", path);
	} else if (S_ISDIR(ret_st->st_mode)) {
		err_set(
		    err, ERR_SYNTAX, "%s: cannot read file data: Is a directory", path);
	} else if (!S_ISREG(ret_st->st_mode)) {
		err_set(err, ERR_SYNTAX, "%s: is not a regular file", path);
	} else if ((uint64_t)ret_st->st_size > LIMIT_PLUGIN_FILE_BYTES) {
		err_set(err, ERR_LIMIT, "%s: is larger than %llu MiB", path,
		    (unsigned long long)LIMIT_PLUGIN_FILE_BYTES >> 20);
	} else {
		*ret_fd = fd;
		return true;
	}
	close(fd);
	return false;
}

/* Bounded, sorted out once each: what the closure has found so far. */
struct closure {
	struct arena *arena;
	struct preflight_library lib[LIMIT_PLUGIN_LIBRARIES];
	const char *needed_by[LIMIT_PLUGIN_LIBRARIES];
	uint32_t n;
	/* The plugin's run path, its directories separated by ":"; NULL: none. */
	const char *runpath, *origin;
	const char *const *listed;
	uint32_t n_listed;
};

static bool
is_loader(const char *name)
{
	return strncmp(name, "ld-linux", 8) == 0;
}

static bool
closure_want(struct closure *c, const char *name, const char *by, struct err *err)
{
	if (is_loader(name))
		return true;
	for (uint32_t i = 0; i < c->n; i++)
		if (strcmp(c->lib[i].name, name) == 0)
			return true;
	if (c->n == LIMIT_PLUGIN_LIBRARIES)
		return err_set(err, ERR_LIMIT, "%s: needs more than %u libraries", by,
		    LIMIT_PLUGIN_LIBRARIES);
	if (!(name = arena_strdup(c->arena, name)))
		return err_nomem(err);
	c->lib[c->n] = (struct preflight_library){.name = name};
	c->needed_by[c->n++] = by;
	return true;
}

/* A library's bytes. The system's own files are mapped: nobody cuts them short. */
static bool
map_library(const char *path, struct elf *e, void **ret_map, size_t *ret_n)
{
	struct stat st;
	struct err ignored = {0};
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0)
		return false;
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size == 0 ||
	    (uint64_t)st.st_size > LIMIT_PLUGIN_FILE_BYTES) {
		close(fd);
		return false;
	}
	void *map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	if (map == MAP_FAILED)
		return false;
	/* One of another machine is not the one that is looked for, as to the loader. */
	if (!elf_read(e, map, (size_t)st.st_size, &ignored) || !e->is_shared_object) {
		munmap(map, (size_t)st.st_size);
		return false;
	}
	*ret_map = map;
	*ret_n = (size_t)st.st_size;
	return true;
}

/* Whether the directory is one that policy names, or inside one. */
static bool
is_listed(const struct closure *c, const char *dir)
{
	char real[PATH_MAX], top[PATH_MAX];

	if (!realpath(dir, real))
		return false;
	for (uint32_t i = 0; i < c->n_listed; i++) {
		if (!realpath(c->listed[i], top))
			continue;
		size_t n = strlen(top);
		if (strncmp(real, top, n) == 0 && (real[n] == '/' || real[n] == '\0'))
			return true;
	}
	return false;
}

/* One directory of a run path, with $ORIGIN put in. */
static bool
expand_dir(const struct closure *c, const char *dir, size_t n, char *out, size_t size)
{
	static const char *const origins[] = {"$ORIGIN", "${ORIGIN}"};

	for (size_t i = 0; i < 2; i++) {
		size_t m = strlen(origins[i]);
		if (n >= m && memcmp(dir, origins[i], m) == 0)
			return snprintf(out, size, "%s%.*s", c->origin, (int)(n - m),
				   dir + m) < (int)size;
	}
	return n > 0 && dir[0] == '/' &&
	       snprintf(out, size, "%.*s", (int)n, dir) < (int)size;
}

static bool
find_in_dir(struct arena *arena, const char *dir, const char *name, const char **ret_path,
    struct elf *e, void **ret_map, size_t *ret_n)
{
	char path[PATH_MAX];

	if (snprintf(path, sizeof(path), "%s/%s", dir, name) >= (int)sizeof(path) ||
	    !map_library(path, e, ret_map, ret_n))
		return false;
	*ret_path = arena_strdup(arena, path);
	return true;
}

static bool
find_library(struct closure *c, struct preflight_library *lib, struct elf *e,
    void **ret_map, size_t *ret_n)
{
	char dir[PATH_MAX];

	/* A name with a slash would be taken as a path, past every directory. */
	if (strchr(lib->name, '/'))
		return false;
	for (const char *p = c->runpath; p && *p;) {
		size_t n = strcspn(p, ":");
		if (expand_dir(c, p, n, dir, sizeof(dir)) && is_listed(c, dir) &&
		    find_in_dir(
			c->arena, dir, lib->name, &lib->path, e, ret_map, ret_n)) {
			lib->own = true;
			return true;
		}
		p += n + (p[n] == ':');
	}
	for (size_t i = 0; i < sizeof(system_dirs) / sizeof(*system_dirs); i++)
		if (find_in_dir(c->arena, system_dirs[i], lib->name, &lib->path, e,
			ret_map, ret_n))
			return true;
	return false;
}

const char *
preflight_find_library(struct arena *arena, const char *name)
{
	struct closure c = {.arena = arena};
	struct preflight_library lib = {.name = name};
	struct elf e;
	void *map;
	size_t n;

	if (!find_library(&c, &lib, &e, &map, &n))
		return NULL;
	munmap(map, n);
	return lib.path;
}

static bool
closure_fill(struct closure *c, struct preflight *pf, struct err *err)
{
	for (uint32_t i = 0; i < c->n; i++) {
		struct elf e;
		void *map;
		size_t n;
		bool ok = true;
		if (!find_library(c, &c->lib[i], &e, &map, &n))
			return err_set(err, ERR_SYNTAX,
			    "%s: needs the library %s: cannot open shared object file: "
			    "No "
			    "such file or directory; install it%s%s%s",
			    c->needed_by[i], c->lib[i].name,
			    c->runpath
				? ", or list its directory under read: (the file's run "
				  "path is "
				: "",
			    c->runpath ? c->runpath : "", c->runpath ? ")" : "");
		ok = c->lib[i].path != NULL || err_nomem(err);
		for (uint32_t k = 0; ok && k < e.n_needed; k++)
			ok = closure_want(c, e.needed[k], c->lib[i].path, err);
		munmap(map, n);
		if (!ok)
			return false;
	}
	pf->library = arena_array(c->arena, c->n + 1, sizeof(*pf->library));
	if (!pf->library)
		return err_nomem(err);
	memcpy(pf->library, c->lib, c->n * sizeof(*pf->library));
	pf->n_library = c->n;
	return true;
}

/* The direct needs of the file itself, then everybody else's. */
static bool
close_over(struct closure *c, struct preflight *pf, const struct elf *e, const char *path,
    struct err *err)
{
	for (uint32_t i = 0; i < e->n_needed; i++)
		if (!closure_want(c, e->needed[i], path, err))
			return false;
	return closure_fill(c, pf, err);
}

static bool
read_all(int fd, uint8_t *p, size_t n, const char *path, struct err *err)
{
	for (size_t have = 0; have < n;) {
		ssize_t got = read(fd, p + have, n - have);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return err_sys(err, "%s: cannot read file data", path);
		if (got == 0)
			return err_set(err, ERR_SYNTAX,
			    "%s: became shorter while it was read", path);
		have += (size_t)got;
	}
	return true;
}

static bool
examine(struct preflight *pf, struct arena *arena, const char *path, const uint8_t *bytes,
    const char *const *listed, uint32_t n_listed, struct err *err)
{
	char real[PATH_MAX];
	struct closure c = {.arena = arena, .listed = listed, .n_listed = n_listed};
	struct sha256 sum;
	struct elf e;

	if (!preflight_bytes(&e, bytes, pf->size, err))
		return err->code == ERR_PLUGIN ? false : err_wrap(err, "%s", path);
	sha256_init(&sum);
	sha256_add(&sum, bytes, pf->size);
	sha256_hex(&sum, pf->sha256);
	pf->go_runtime = e.go_runtime;
	pf->static_tls = e.static_tls;
	memcpy(pf->build_id, e.build_id, sizeof(pf->build_id));
	if (!realpath(path, real))
		return err_sys(err, "%s", path);
	*strrchr(real, '/') = '\0';
	c.origin = real;
	c.runpath = e.runpath;
	return close_over(&c, pf, &e, path, err);
}

bool
preflight_plugin(struct preflight *pf, struct arena *arena, const char *path,
    const char *const *listed, uint32_t n_listed, struct err *err)
{
	struct stat st;
	uint8_t *bytes;
	bool ok = false;
	int fd;

	*pf = (struct preflight){0};
	if (!open_regular(path, &fd, &st, err))
		return false;
	pf->dev = st.st_dev;
	pf->ino = st.st_ino;
	pf->size = (uint64_t)st.st_size;
	pf->mtime_ns = st.st_mtim.tv_sec * 1000000000ll + st.st_mtim.tv_nsec;
	pf->ctime_ns = st.st_ctim.tv_sec * 1000000000ll + st.st_ctim.tv_nsec;
	/* A copy of our own: somebody may be writing to the file. */
	bytes = malloc(pf->size + 1);
	if (!bytes)
		err_nomem(err);
	else
		ok = read_all(fd, bytes, pf->size, path, err) &&
		     examine(pf, arena, path, bytes, listed, n_listed, err);
	free(bytes);
	close(fd);
	return ok;
}

bool
preflight_program(
    struct preflight *pf, struct arena *arena, const char *path, struct err *err)
{
	struct closure c = {.arena = arena};
	struct stat st;
	struct elf e;
	bool ok = false;
	int fd;

	*pf = (struct preflight){0};
	if (!open_regular(path, &fd, &st, err))
		return false;
	size_t n = (size_t)st.st_size;
	/* Our own program: mapped, not copied. */
	void *map = n ? mmap(NULL, n, PROT_READ, MAP_PRIVATE, fd, 0) : MAP_FAILED;
	close(fd);
	if (map == MAP_FAILED)
		return err_set(err, ERR_SYNTAX, "%s: file too short", path);
	if (!elf_read(&e, map, n, err))
		err_wrap(err, "%s", path);
	else if (e.interp && !(pf->interp = arena_strdup(arena, e.interp)))
		err_nomem(err);
	else
		ok = close_over(&c, pf, &e, path, err);
	munmap(map, n);
	return ok;
}
