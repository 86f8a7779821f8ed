/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "broker/fuzz/fuzz.h"
#include "broker/supervisor/supervisor.h"

const char *
fuzz_target_lack(const struct plugin *p, enum fuzz_target t)
{
	/* clang-format off */
	static const struct {
		uint32_t needs;
		const char *lack;
	} row[FUZZ_TARGET_N] = {
		[FUZZ_EXTRACT] = {PLUGIN_CAP_EXTRACTION, "it extracts no fields"},
		[FUZZ_PARSE]   = {PLUGIN_CAP_PARSING, "it parses no events"},
		[FUZZ_INIT]    = {0, NULL},
		[FUZZ_OPEN]    = {PLUGIN_CAP_SOURCING, "it is no source of events"},
		[FUZZ_SOURCE]  = {PLUGIN_CAP_SOURCING, "it is no source of events"},
		[FUZZ_ASYNC]   = {PLUGIN_CAP_ASYNC, "it sends no asynchronous events"},
	};
	/* clang-format on */

	return (p->caps & row[t].needs) == row[t].needs ? NULL : row[t].lack;
}

static bool
make_file(struct fuzz_subject *s, const char *dir, struct err *err)
{
	/* Jobs share the folder. */
	fuzz_path(s->file_path, "%s/source-input-%u", dir, (unsigned)getpid());
	s->file_fd = open(s->file_path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	return s->file_fd >= 0 || err_sys(err, "%s", s->file_path);
}

/* In a folder of its own: a plugin is given files and folders. */
static bool
make_pipe(struct fuzz_subject *s, const char *dir, struct err *err)
{
	fuzz_path(s->dir_path, "%s/source-pipe-%u", dir, (unsigned)getpid());
	fuzz_path(s->file_path, "%s/input", s->dir_path);
	if (!fuzz_make_dir(s->dir_path, err))
		return false;
	unlink(s->file_path);
	return mkfifo(s->file_path, 0644) == 0 || err_sys(err, "%s", s->file_path);
}

/* The profile, and a file or a pipe that it may read. */
static bool
add_file(struct fuzz_subject *s, struct profile *p, struct arena *arena, const char *out,
    struct err *err)
{
	const char **read = arena_array(arena, p->n_read + 1, sizeof(*read));
	char *dir = realpath(out, NULL);

	if (!dir || !read) {
		free(dir);
		return err_sys(err, "%s", out);
	}
	bool ok =
	    s->way == FUZZ_WAY_PIPE ? make_pipe(s, dir, err) : make_file(s, dir, err);
	free(dir);
	if (!ok)
		return false;
	if (p->n_read > 0)
		memcpy(read, p->read, p->n_read * sizeof(*read));
	read[p->n_read++] = s->way == FUZZ_WAY_PIPE ? s->dir_path : s->file_path;
	p->read = read;
	if (p->base == PROFILE_PURE)
		p->base = PROFILE_FILE_READER;
	/* What it writes goes to the one descriptor that it is given for that. */
	if (p->limits.file_size_bytes < CASE_BYTES)
		p->limits.file_size_bytes = CASE_BYTES;
	return true;
}

/* "{file}" or "{pipe}" in the parameters becomes the path. */
static const char *
with_file(struct arena *arena, const char *params, const char *path)
{
	const char *from = *params ? params : "{file}", *at = strstr(from, "{file}");
	char text[8192];

	if (!at)
		at = strstr(from, "{pipe}");
	if (!at)
		return params;
	snprintf(text, sizeof(text), "%.*s%s%s", (int)(at - from), from, path, at + 6);
	return arena_strdup(arena, text);
}

/* The parameters, or --post, say how the source is fed. */
static bool
choose_way(struct fuzz_subject *s, const struct fuzz_options *o, struct err *err)
{
	s->post_url = o->post;
	if (!s->post_url && strncmp(s->params, "http://", 7) == 0)
		s->post_url = s->params;
	if (s->post_url && o->job > 0)
		return err_set(err, ERR_USAGE,
		    "jobs would share the port of %s: leave --jobs out", s->post_url);
	s->way = s->post_url                   ? FUZZ_WAY_POST
		 : strstr(s->params, "{pipe}") ? FUZZ_WAY_PIPE
					       : FUZZ_WAY_FILE;
	if (!s->post_url && strncmp(s->params, "https://", 8) == 0)
		return err_set(err, ERR_USAGE,
		    "the source target posts by http:// alone: open it without TLS");
	return !s->post_url || fuzz_post_parse(&s->post, s->post_url, err);
}

bool
fuzz_is_sanitized(const char *path)
{
	static const char mark[] = "__asan_init";
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	bool is = false;

	if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0) {
		void *p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
		if (p != MAP_FAILED) {
			/* With its NUL: a name in a table of symbols. */
			is = memmem(p, (size_t)st.st_size, mark, sizeof(mark));
			munmap(p, (size_t)st.st_size);
		}
	}
	if (fd >= 0)
		close(fd);
	return is;
}

bool
fuzz_subject_init(struct fuzz_subject *s, struct app *app, const struct fuzz_options *o,
    enum fuzz_target target, struct err *err)
{
	struct arena *arena = &app->plugins.arena;
	const struct plugin *p = &app->plugins.plugin[0];
	struct profile *profile = arena_alloc(arena, sizeof(*profile));
	struct confinement *c = arena_alloc(arena, sizeof(*c));

	memset(s, 0, sizeof(*s));
	s->file_fd = -1;
	s->launcher = app->launcher;
	s->sup = app->supervisor;
	s->plugin = p;
	s->confinement = c;
	s->target = target;
	s->config = p->setting->init_config;
	s->params = p->setting->open_params;
	s->hang_ms = o->hang_ms;
	s->memory_bytes = (uint64_t)o->memory_mib << 20;
	if (!profile || !c)
		return err_nomem(err);
	if (strlen(s->config) >= FUZZ_TEXT_BYTES || strlen(s->params) >= FUZZ_TEXT_BYTES)
		return err_set(
		    err, ERR_LIMIT, "configuration or parameters are too long");
	*profile = *p->profile;
	if (target == FUZZ_SOURCE) {
		if (!choose_way(s, o, err) ||
		    (s->way != FUZZ_WAY_POST &&
			!add_file(s, profile, arena, o->out, err)))
			return false;
		s->params = with_file(arena, s->params, s->file_path);
		if (!s->params)
			return err_nomem(err);
	}
	return supervisor_program_path(fuzz_is_sanitized(p->setting->library_path)
					   ? "mews-asan-fuzz-worker"
					   : "mews-fuzz-worker",
		   s->worker_path, sizeof(s->worker_path), err) &&
	       confinement_make(
		   c, arena, profile, p->setting->library_path, s->worker_path, err);
}

void
fuzz_subject_release(struct fuzz_subject *s)
{
	if (s->file_fd >= 0)
		close(s->file_fd);
	if (s->file_path[0])
		unlink(s->file_path);
	if (s->dir_path[0])
		rmdir(s->dir_path);
	s->file_fd = -1;
}
