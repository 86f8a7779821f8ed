/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

/* The profile, and a file that it may read. */
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
	fuzz_path(s->file_path, "%s/source-input", dir);
	free(dir);
	s->file_fd = open(s->file_path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (s->file_fd < 0)
		return err_sys(err, "%s", s->file_path);
	if (p->n_read > 0)
		memcpy(read, p->read, p->n_read * sizeof(*read));
	read[p->n_read++] = s->file_path;
	p->read = read;
	if (p->base == PROFILE_PURE)
		p->base = PROFILE_FILE_READER;
	/* What it writes goes to the one descriptor that it is given for that. */
	if (p->limits.file_size_bytes < CASE_BYTES)
		p->limits.file_size_bytes = CASE_BYTES;
	return true;
}

/* "{file}" in the parameters becomes the path. */
static const char *
with_file(struct arena *arena, const char *params, const char *path)
{
	const char *at = strstr(*params ? params : "{file}", "{file}");
	const char *from = *params ? params : "{file}";
	char text[8192];

	if (!at)
		return params;
	snprintf(text, sizeof(text), "%.*s%s%s", (int)(at - from), from, path, at + 6);
	return arena_strdup(arena, text);
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
		if (!add_file(s, profile, arena, o->out, err))
			return false;
		s->params = with_file(arena, s->params, s->file_path);
		if (!s->params)
			return err_nomem(err);
	}
	return supervisor_program_path(
		   "mews-fuzz-worker", s->worker_path, sizeof(s->worker_path), err) &&
	       confinement_make(
		   c, arena, profile, p->setting->library_path, s->worker_path, err);
}

void
fuzz_subject_release(struct fuzz_subject *s)
{
	if (s->file_fd >= 0) {
		close(s->file_fd);
		unlink(s->file_path);
	}
	s->file_fd = -1;
}
