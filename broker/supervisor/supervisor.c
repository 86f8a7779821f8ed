/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/supervisor/supervisor.h"

#include <errno.h>
#include <event2/event.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "broker/supervisor/worker_internal.h"
#include "worker/launch/launcher.h"

static struct worker *
find_worker(struct supervisor *s, uint32_t id)
{
	struct worker *w;

	TAILQ_FOREACH (w, &s->workers, link) {
		if (w->id == id && w->alive)
			return w;
	}
	return NULL;
}

static void
on_launcher(int fd, short what, void *arg)
{
	struct supervisor *s = arg;
	struct launch_event e;

	while (launcher_event(s->launcher, &e)) {
		struct worker *w = find_worker(s, e.id);

		switch (e.kind) {
		case LAUNCH_EVENT_DIED:
			if (w)
				worker_died(w, &e);
			break;
		case LAUNCH_EVENT_DENIED:
			if (w)
				worker_denied(w, &e);
			break;
		case LAUNCH_EVENT_EGRESS:
			if (w)
				worker_counted(w, &e);
			break;
		case LAUNCH_EVENT_LOST:
			/* The workers have died with it. */
			err_set(&s->fatal, ERR_GONE, "the launcher is gone");
			event_del(s->on_launcher);
			event_base_loopbreak(s->base);
			return;
		}
	}
}

static void
on_watch(int fd, short what, void *arg)
{
	struct supervisor *s = arg;
	struct worker *w;

	worker_look(s, clock_mono_ns());
	TAILQ_FOREACH (w, &s->workers, link)
		worker_watch(w);
	worker_look_again(s);
}

struct supervisor *
supervisor_new(struct launcher *l, const char *worker_path, struct err *err)
{
	struct supervisor *s = calloc(1, sizeof(*s));
	cpu_set_t cpus;

	if (!s) {
		err_nomem(err);
		return NULL;
	}
	TAILQ_INIT(&s->workers);
	s->launcher = l;
	s->worker_path = worker_path;
	s->min_tier = LAUNCH_TIER_FULL;
	s->spin.is_possible =
	    sched_getaffinity(0, sizeof(cpus), &cpus) == 0 && CPU_COUNT(&cpus) > 1;
	s->libs_log_enabled = true;
	s->libs_log_severity = 6;
	s->looked_at_ns = clock_mono_ns();
	s->base = event_base_new();
	s->has_edges = s->base && (event_base_get_features(s->base) & EV_FEATURE_ET);
	if (s->base)
		s->on_launcher = event_new(
		    s->base, launcher_fd(l), EV_READ | EV_PERSIST, on_launcher, s);
	if (s->base)
		s->on_watch = event_new(s->base, -1, 0, on_watch, s);
	if (!s->on_launcher || event_add(s->on_launcher, NULL) < 0 || !s->on_watch) {
		supervisor_free(s);
		err_nomem(err);
		return NULL;
	}
	worker_look_again(s);
	return s;
}

void
supervisor_free(struct supervisor *s)
{
	struct worker *w;

	if (!s)
		return;
	while ((w = TAILQ_FIRST(&s->workers)))
		worker_free(w);
	if (s->on_launcher)
		event_free(s->on_launcher);
	if (s->on_watch)
		event_free(s->on_watch);
	if (s->base)
		event_base_free(s->base);
	free(s);
}

bool
supervisor_await(struct supervisor *s, struct worker *w, struct err *err)
{
	while (w->state != w->goal) {
		if (s->fatal.code != ERR_NONE) {
			*err = s->fatal;
			return false;
		}
		if (w->state == WORKER_FAILED || w->state == WORKER_DOWN) {
			*err = w->doom;
			return false;
		}
		if (event_base_loop(s->base, EVLOOP_ONCE) < 0)
			return err_set(err, ERR_SYS, "the event loop failed");
	}
	return true;
}

bool
supervisor_await_open_params(struct supervisor *s, struct worker *w, struct err *err)
{
	while (!w->open_params) {
		if (s->fatal.code != ERR_NONE || !w->alive || w->doom.code != ERR_NONE) {
			*err = s->fatal.code != ERR_NONE ? s->fatal : w->doom;
			return false;
		}
		if (event_base_loop(s->base, EVLOOP_ONCE) < 0)
			return err_set(err, ERR_SYS, "the event loop failed");
	}
	return true;
}

bool
supervisor_await_answer(struct supervisor *s, struct worker *w, struct err *err)
{
	while (w->ask == WORKER_ASK_PENDING && s->fatal.code == ERR_NONE) {
		if (event_base_loop(s->base, EVLOOP_ONCE) < 0)
			return err_set(err, ERR_SYS, "the event loop failed");
	}
	if (w->ask == WORKER_ASK_DONE)
		return true;
	*err = s->fatal.code != ERR_NONE       ? s->fatal
	       : w->ask_error.code != ERR_NONE ? w->ask_error
					       : w->doom;
	return false;
}

static bool
all_are_down(struct supervisor *s)
{
	struct worker *w;

	TAILQ_FOREACH (w, &s->workers, link) {
		if (w->alive)
			return false;
	}
	return true;
}

static void
end_the_late(struct supervisor *s)
{
	struct worker *w;

	TAILQ_FOREACH (w, &s->workers, link) {
		if (!w->alive || w->doomed)
			continue;
		log_warning(
		    "plugin '%s' does not stop: it is ended", w->plugin->setting->name);
		err_set(&w->doom, ERR_PLUGIN, "did not stop in time");
		w->state = WORKER_QUITTING;
		w->doomed = true;
		struct err err;
		if (!launcher_kill(s->launcher, w->id, &err))
			log_error("cannot end it: %s", err.msg);
	}
}

void
supervisor_stop(struct supervisor *s, uint32_t deadline_ms)
{
	uint64_t late, give_up;
	bool are_ended = false;
	struct worker *w;

	s->stopping = true;
	worker_look(s, clock_mono_ns());
	worker_look_soon(s);
	late = s->seen_ns + deadline_ms * 1000000ull;
	give_up = late + 2000000000ull;
	TAILQ_FOREACH (w, &s->workers, link)
		worker_stop(w);
	/* Killed workers die; should even that not be told, freeing them is all that is
	 * left. */
	while (!all_are_down(s) && s->fatal.code == ERR_NONE && s->seen_ns < give_up) {
		if (event_base_loop(s->base, EVLOOP_ONCE) < 0)
			break;
		if (!are_ended && s->seen_ns >= late) {
			end_the_late(s);
			are_ended = true;
		}
	}
}

bool
supervisor_program_path(const char *name, char *ret_path, size_t size, struct err *err)
{
	static const char *const places[] = {
	    "", "../worker/", "../worker/launch/", "../worker/fuzz/"};
	char self[PATH_MAX], *slash;
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (n < 0)
		return err_sys(err, "cannot tell where this program is");
	self[n] = '\0';
	slash = strrchr(self, '/');
	if (slash)
		slash[1] = '\0';
	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
		snprintf(ret_path, size, "%s%s%s", self, places[i], name);
		if (access(ret_path, X_OK) == 0)
			return true;
	}
	snprintf(ret_path, size, "/usr/libexec/mews/%s", name);
	if (access(ret_path, X_OK) == 0)
		return true;
	return err_set(err, ERR_SYS,
	    "the program %s is neither beside %s nor in /usr/libexec/mews", name, self);
}
