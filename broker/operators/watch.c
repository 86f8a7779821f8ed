/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/operators/watch.h"

#include <errno.h>
#include <event2/event.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "broker/settings/settings.h"

/* One inotify watch. name NULL: whatever happens there counts; else only what happens to
 * that entry of a folder. */
struct watched {
	int wd;
	char *name;
};

struct watch {
	int fd;
	struct event *on_events, *on_quiet;
	struct watched *list;
	uint32_t n, cap;
	void (*changed)(void *arg);
	void *arg;
};

enum {
	FILE_EVENTS = IN_CLOSE_WRITE | IN_MOVE_SELF | IN_DELETE_SELF,
	FOLDER_EVENTS = IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_MOVED_FROM |
			IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF,
};

static bool
add(struct watch *w, const char *path, uint32_t events, const char *name, struct err *err)
{
	int wd = inotify_add_watch(w->fd, path, events | IN_MASK_ADD);

	if (wd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return true;
	if (wd < 0)
		return err_sys(err, "could not watch file: %s", path);
	if (w->n == w->cap) {
		uint32_t cap = w->cap ? 2 * w->cap : 16;
		struct watched *more = reallocarray(w->list, cap, sizeof(*more));
		if (!more)
			return err_nomem(err);
		w->list = more;
		w->cap = cap;
	}
	char *copy = name ? strdup(name) : NULL;
	if (name && !copy)
		return err_nomem(err);
	w->list[w->n++] = (struct watched){wd, copy};
	return true;
}

/* A folder as a whole; a file itself and its name. Either may come only later. */
static bool
add_path(struct watch *w, const char *path, struct err *err)
{
	char folder[PATH_MAX];
	const char *slash = strrchr(path, '/');
	struct stat st;

	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		return add(w, path, FOLDER_EVENTS, NULL, err);
	if (slash == path)
		snprintf(folder, sizeof(folder), "/");
	else if (slash)
		snprintf(folder, sizeof(folder), "%.*s", (int)(slash - path), path);
	else
		snprintf(folder, sizeof(folder), ".");
	return add(w, path, FILE_EVENTS, NULL, err) &&
	       add(w, folder, FOLDER_EVENTS, slash ? slash + 1 : path, err);
}

static bool
add_all(struct watch *w, const struct settings *s, struct err *err)
{
	const struct conf_node *more = conf_get(s->root, "config_files");

	for (uint32_t i = 0; i < s->n_file; i++) {
		if (!add_path(w, s->file[i].path, err))
			return false;
	}
	for (size_t i = 0; more && more->kind == CONF_SEQ && i < more->n; i++) {
		const struct conf_node *node = more->child[i];
		const char *path =
		    node->kind == CONF_SCALAR ? node->text : conf_text(node, "path", "");
		if (*path && !add_path(w, path, err))
			return false;
	}
	for (uint32_t i = 0; i < s->n_rules_file; i++) {
		if (!add_path(w, s->rules_file[i], err))
			return false;
	}
	return true;
}

static bool
counts(const struct watch *w, const struct inotify_event *e)
{
	if (e->mask & IN_Q_OVERFLOW)
		return true;
	for (uint32_t i = 0; i < w->n; i++) {
		if (w->list[i].wd == e->wd &&
		    (!w->list[i].name ||
			(e->len > 0 && strcmp(w->list[i].name, e->name) == 0)))
			return true;
	}
	return false;
}

static void
on_events(int fd, short what, void *arg)
{
	const struct timeval quiet = {0, WATCH_QUIET_MS * 1000};
	_Alignas(struct inotify_event) char text[16384];
	struct watch *w = arg;
	bool changed = false;
	ssize_t n = read(fd, text, sizeof(text));

	for (ssize_t at = 0; at < n;) {
		const struct inotify_event *e = (const void *)(text + at);
		changed |= counts(w, e);
		at += (ssize_t)(sizeof(*e) + e->len);
	}
	if (changed)
		event_add(w->on_quiet, &quiet);
}

static void
on_quiet(int fd, short what, void *arg)
{
	struct watch *w = arg;

	w->changed(w->arg);
}

struct watch *
watch_new(struct event_base *base, const struct settings *s, void (*changed)(void *arg),
    void *arg, struct err *err)
{
	struct watch *w = calloc(1, sizeof(*w));

	if (!w) {
		err_nomem(err);
		return NULL;
	}
	w->changed = changed;
	w->arg = arg;
	w->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (w->fd < 0) {
		err_sys(err, "inotify");
		watch_free(w);
		return NULL;
	}
	w->on_events = event_new(base, w->fd, EV_READ | EV_PERSIST, on_events, w);
	w->on_quiet = evtimer_new(base, on_quiet, w);
	if (!w->on_events || !w->on_quiet || event_add(w->on_events, NULL) < 0)
		err_nomem(err);
	else if (add_all(w, s, err))
		return w;
	watch_free(w);
	return NULL;
}

void
watch_free(struct watch *w)
{
	if (!w)
		return;
	if (w->on_events)
		event_free(w->on_events);
	if (w->on_quiet)
		event_free(w->on_quiet);
	if (w->fd >= 0)
		close(w->fd);
	for (uint32_t i = 0; i < w->n; i++)
		free(w->list[i].name);
	free(w->list);
	free(w);
}
