/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/outputs/http_spool.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/signals.h"
#include "broker/outputs/spool.h"

enum {
	/* Between tries of a line: doubled each time. */
	RETRY_MIN_MS = 100,
	RETRY_MAX_MS = 10000,
	/* Between looks at a folder that is not free yet, or at *stop. */
	LOOK_MS = 50,
};

struct http_spool {
	char *dir;
	uint64_t max_bytes;
	struct http_spool_user user;
	struct out_env env;
	uint64_t damaged; /* as counted so far */

	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	/* Under lock. */
	struct spool *spool; /* NULL: not open yet; it stays once it is there */
	bool ending;
};

/* Spools that this process holds. */
static atomic_uint n_open;

static bool
open_spool(struct http_spool *s, struct err *err)
{
	struct spool *spool = spool_open(s->dir, s->max_bytes, err);

	if (!spool)
		return false;
	atomic_fetch_add(&n_open, 1);
	pthread_mutex_lock(&s->lock);
	s->spool = spool;
	pthread_cond_broadcast(&s->changed);
	pthread_mutex_unlock(&s->lock);
	return true;
}

static struct spool *
spool_of(struct http_spool *s)
{
	pthread_mutex_lock(&s->lock);
	struct spool *spool = s->spool;
	pthread_mutex_unlock(&s->lock);
	return spool;
}

static bool
is_ending(struct http_spool *s)
{
	pthread_mutex_lock(&s->lock);
	bool ending = s->ending;
	pthread_mutex_unlock(&s->lock);
	return ending;
}

/* Until there is something new, ms are over (0: for ever), or it is to end. */
static void
rest(struct http_spool *s, uint32_t ms)
{
	struct timespec at;

	clock_mono_in(&at, ms);
	pthread_mutex_lock(&s->lock);
	if (!s->ending && ms == 0)
		pthread_cond_wait(&s->changed, &s->lock);
	/* New lines do not make an old one succeed sooner. */
	while (!s->ending && ms > 0 &&
	       pthread_cond_timedwait(&s->changed, &s->lock, &at) == 0) {
	}
	pthread_mutex_unlock(&s->lock);
}

/* Records that cannot be read are not alerts any more, and nobody knows how many. */
static void
count_damage(struct http_spool *s, struct spool *spool)
{
	struct spool_counts c;

	spool_counts(spool, &c);
	if (c.damaged == s->damaged)
		return;
	atomic_fetch_add(&s->env.lost[OUTPUTS_DAMAGED], c.damaged - s->damaged);
	s->damaged = c.damaged;
	log_error("http: the spool was damaged: what could not be read is left out");
}

static void
deliver(struct http_spool *s, struct spool *spool)
{
	uint32_t pause_ms = RETRY_MIN_MS, failures = 0;
	enum outputs_loss why;
	struct buf line;
	struct err err;
	bool final;

	buf_init(&line, LIMIT_OUTPUT_LINE_BYTES + 1);
	while (!atomic_load(s->env.stop)) {
		bool any = spool_next(spool, &line);
		count_damage(s, spool);
		if (!any) {
			if (is_ending(s))
				break;
			rest(s, 0);
		} else if (s->user.post(
			       s->user.arg, line.data, line.len, &final, &why, &err)) {
			if (failures > 0)
				log_notice("http: alerts are delivered again");
			failures = 0;
			pause_ms = RETRY_MIN_MS;
			spool_done(spool);
		} else if (final) {
			atomic_fetch_add(&s->env.lost[why], 1);
			log_error("http: %s: an alert is given up", err.msg);
			spool_done(spool);
		} else {
			/* Told once for each outage, and when it is over. */
			if (failures++ == 0)
				log_error("http: %s: alerts wait in the spool", err.msg);
			/* What cannot be delivered now is for the next run. */
			if (is_ending(s))
				break;
			rest(s, pause_ms);
			pause_ms =
			    2 * pause_ms < RETRY_MAX_MS ? 2 * pause_ms : RETRY_MAX_MS;
		}
	}
	buf_release(&line);
}

static void *
run(void *arg)
{
	struct http_spool *s = arg;
	struct err err;

	while (!spool_of(s) && !is_ending(s) && !open_spool(s, &err))
		rest(s, LOOK_MS);
	if (spool_of(s))
		deliver(s, spool_of(s));
	return NULL;
}

static bool
start(struct http_spool *s, struct err *err)
{
	sigset_t old;

	/* Else the thread goes on trying. */
	if (!open_spool(s, err) && (err->code != ERR_USAGE || atomic_load(&n_open) == 0))
		return false;
	signals_block(&old);
	int rc = pthread_create(&s->thread, NULL, run, s);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return rc == 0 || err_set(err, ERR_SYS, "http: thread: %s", strerror(rc));
}

static void
release(struct http_spool *s)
{
	if (s->spool) {
		spool_close(s->spool);
		atomic_fetch_sub(&n_open, 1);
	}
	pthread_cond_destroy(&s->changed);
	pthread_mutex_destroy(&s->lock);
	free(s->dir);
	free(s);
}

struct http_spool *
http_spool_new(const char *dir, uint64_t max_bytes, const struct http_spool_user *user,
    const struct out_env *env, struct err *err)
{
	struct http_spool *s = calloc(1, sizeof(*s));
	char *copy = strdup(dir);
	pthread_condattr_t attr;

	if (!s || !copy) {
		free(s);
		free(copy);
		err_nomem(err);
		return NULL;
	}
	*s = (struct http_spool){
	    .dir = copy, .max_bytes = max_bytes, .user = *user, .env = *env};
	pthread_mutex_init(&s->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&s->changed, &attr);
	pthread_condattr_destroy(&attr);
	if (start(s, err))
		return s;
	release(s);
	return NULL;
}

/* The spool, once it is open; NULL when there is no time left for that. */
static struct spool *
wait_for_spool(struct http_spool *s)
{
	struct timespec at;

	pthread_mutex_lock(&s->lock);
	while (!s->spool && !atomic_load(s->env.stop)) {
		clock_mono_in(&at, LOOK_MS);
		pthread_cond_timedwait(&s->changed, &s->lock, &at);
	}
	struct spool *spool = s->spool;
	pthread_mutex_unlock(&s->lock);
	return spool;
}

bool
http_spool_put(struct http_spool *s, const struct out_batch *b, struct out_loss *ret_loss,
    struct err *err)
{
	struct spool *spool = wait_for_spool(s);

	*ret_loss = (struct out_loss){.why = OUTPUTS_SPOOL};
	if (!spool) {
		*ret_loss = (struct out_loss){b->n, OUTPUTS_GIVEN_UP};
		return err_set(err, ERR_USAGE, "%s is still in use", s->dir);
	}
	for (uint32_t i = 0; i < b->n; i++) {
		const struct queue_line *l = &b->line[i];
		ret_loss->n += !spool_put(spool, b->base + l->offset, l->len, err);
	}
	pthread_mutex_lock(&s->lock);
	pthread_cond_broadcast(&s->changed);
	pthread_mutex_unlock(&s->lock);
	return ret_loss->n == 0;
}

uint64_t
http_spool_bytes(struct http_spool *s)
{
	struct spool *spool = spool_of(s);
	struct spool_counts c = {.bytes = 0};

	if (spool)
		spool_counts(spool, &c);
	return c.bytes;
}

void
http_spool_free(struct http_spool *s, uint32_t wait_ms)
{
	struct timespec at;

	if (!s)
		return;
	pthread_mutex_lock(&s->lock);
	s->ending = true;
	pthread_cond_broadcast(&s->changed);
	pthread_mutex_unlock(&s->lock);
	clock_mono_in(&at, wait_ms);
	if (pthread_clockjoin_np(s->thread, NULL, CLOCK_MONOTONIC, &at) != 0) {
		s->user.interrupt(s->user.arg);
		pthread_join(s->thread, NULL);
	}
	release(s);
}
