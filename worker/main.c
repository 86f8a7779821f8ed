/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mews-worker: the process that holds one plugin. The launcher has built the walls around
 * it and left it descriptors 3 to 7: the control channel, the rings up and down, and the
 * eventfds that wake the broker and us.
 *
 * The plugin is called from a thread of its own: Go's runtime looks for the bounds of the
 * main thread's stack on every call, in a /proc that is not there, and such a call takes
 * a hundred times as long.
 */
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "base/limits.h"
#include "worker/confine.h"
#include "worker/crash.h"
#include "worker/json_text.h"
#include "worker/serve.h"

enum {
	CONTROL_FD = 3,
	UP_FD,
	DOWN_FD,
	WAKE_BROKER_FD,
	WAKE_WORKER_FD
};

/* What plugins have in Falco's main thread. Untouched pages are no memory. */
enum {
	STACK_BYTES = 8 << 20
};

static bool
map_rings(struct worker_rings *r, struct err *err)
{
	if (!ring_pair_map(&r->up, &r->side_up, UP_FD, LIMIT_RING_UP_BYTES,
		LIMIT_RING_SIDE_UP_BYTES, true, err) ||
	    !ring_pair_map(&r->down, &r->side_down, DOWN_FD, LIMIT_RING_DOWN_BYTES,
		LIMIT_RING_SIDE_DOWN_BYTES, false, err))
		return false;
	close(UP_FD);
	close(DOWN_FD);
	return true;
}

static bool
prepare(unsigned *ret_n_cpus, struct err *err)
{
	const struct sigaction ignore = {.sa_handler = SIG_IGN};
	cpu_set_t cpus;
	int flags = fcntl(CONTROL_FD, F_GETFL);

	json_text_seed();
	if (flags < 0 || fcntl(CONTROL_FD, F_SETFL, flags | O_NONBLOCK) < 0)
		return err_sys(err, "control channel");
	/* A peer that hangs up is an error of write, for us and for plugins. */
	if (sigaction(SIGPIPE, &ignore, NULL) < 0)
		return err_sys(err, "sigaction");
	*ret_n_cpus = sched_getaffinity(0, sizeof(cpus), &cpus) == 0
			  ? (unsigned)CPU_COUNT(&cpus)
			  : 1;
	return true;
}

struct service {
	struct worker *worker;
	struct err *err;
	bool ok;
};

static void *
serve(void *arg)
{
	struct service *s = arg;

	s->ok = crash_watch_stack(s->err) && worker_serve(s->worker, s->err);
	return NULL;
}

static bool
serve_on_thread(struct worker *w, struct err *err)
{
	struct service s = {.worker = w, .err = err};
	pthread_attr_t attr;
	pthread_t thread;

	pthread_attr_init(&attr);
	int rc = pthread_attr_setstacksize(&attr, STACK_BYTES);
	if (rc == 0)
		rc = pthread_create(&thread, &attr, serve, &s);
	pthread_attr_destroy(&attr);
	if (rc != 0)
		return err_set(err, ERR_SYS, "no thread for the plugin (error %d)", rc);
	pthread_join(thread, NULL);
	return s.ok;
}

int
main(void)
{
	static struct worker_rings rings;
	static struct worker worker;
	struct err err = {0};
	unsigned n_cpus = 1;

	bool ok = map_rings(&rings, &err) && prepare(&n_cpus, &err) &&
		  crash_watch(&rings.up, &err) &&
		  worker_init(&worker, CONTROL_FD, &rings, WAKE_BROKER_FD, WAKE_WORKER_FD,
		      n_cpus, &err) &&
		  confine_enter(&err) && worker_ready(&worker, &err) &&
		  serve_on_thread(&worker, &err);
	if (!ok && err.code != ERR_GONE)
		dprintf(STDERR_FILENO, "mews-worker: %s\n", err.msg);
	/* Threads of the plugin may be running: nothing is torn down under them. */
	return ok ? 0 : 1;
}
