/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One POST per alert over a connection that is kept, by libcurl: one under way at a time,
 * so that the server gets them in order. By curl's multi interface, because that can be
 * interrupted from another thread wherever it waits.
 *
 * With a spool a line is taken as soon as it is on disk, and a thread of its own
 * delivers: the oldest first, each until the server takes it, refuses it for good (4xx),
 * or the program ends, in which case the next run goes on. Without, a line is tried when
 * its turn comes, and again only when it times out, as in Falco.
 */
#include <curl/curl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "broker/outputs/out.h"
#include "broker/outputs/spool.h"

enum {
	/* Between tries of a line in the spool: doubled each time. */
	RETRY_MIN_MS = 100,
	RETRY_MAX_MS = 10000,
	POLL_MS = 1000, /* libcurl's own deadlines come first */
};

struct out_http {
	struct out out;
	struct out_env env;
	bool echo;
	uint32_t tries; /* of one alert, when they time out */
	/* With a spool: its thread's. But interrupting is anybody's. */
	CURLM *multi;
	CURL *curl;
	struct curl_slist *headers;

	struct spool *spool; /* NULL: none */
	uint64_t damaged;    /* as counted so far */
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool ending, has_thread; /* under lock */
	atomic_bool give_up;     /* no more tries */
};

static size_t
swallow(char *text, size_t size, size_t n, void *echo)
{
	if (echo)
		fwrite(text, size, n, stdout);
	return size * n;
}

static bool
is_stopped(const struct out_http *o)
{
	return atomic_load(&o->give_up) || atomic_load(o->env.stop);
}

static void
http_interrupt(struct out *out)
{
	curl_multi_wakeup(((struct out_http *)out)->multi);
}

/* One transfer to its end, or until it is interrupted and is_stopped. */
static CURLcode
perform(struct out_http *o)
{
	CURLcode rc = CURLE_ABORTED_BY_CALLBACK;
	int running = 1, left;
	const CURLMsg *m;

	if (curl_multi_add_handle(o->multi, o->curl) != CURLM_OK)
		return CURLE_OUT_OF_MEMORY;
	while (running > 0 && !is_stopped(o) &&
	       curl_multi_perform(o->multi, &running) == CURLM_OK) {
		if (running > 0)
			curl_multi_poll(o->multi, NULL, 0, POLL_MS, NULL);
	}
	while ((m = curl_multi_info_read(o->multi, &left))) {
		if (m->msg == CURLMSG_DONE)
			rc = m->data.result;
	}
	curl_multi_remove_handle(o->multi, o->curl);
	return rc;
}

/* *ret_final: trying again would not help. */
static bool
post(struct out_http *o, const char *line, size_t len, bool *ret_final,
    enum outputs_loss *ret_why, struct err *err)
{
	CURLcode rc = CURLE_OK;
	long status = 0;

	*ret_final = false;
	curl_easy_setopt(o->curl, CURLOPT_POSTFIELDS, line);
	curl_easy_setopt(o->curl, CURLOPT_POSTFIELDSIZE, (long)len);
	for (uint32_t i = 0; i < o->tries; i++) {
		rc = perform(o);
		if (rc != CURLE_OPERATION_TIMEDOUT || o->spool || is_stopped(o))
			break;
	}
	if (o->echo)
		fflush(stdout);
	if (rc != CURLE_OK) {
		*ret_why = is_stopped(o)                    ? OUTPUTS_GIVEN_UP
			   : rc == CURLE_OPERATION_TIMEDOUT ? OUTPUTS_TIMEOUT
							    : OUTPUTS_FAILED;
		return err_set(err, ERR_SYS, "libcurl failed to perform call: %s",
		    curl_easy_strerror(rc));
	}
	curl_easy_getinfo(o->curl, CURLINFO_RESPONSE_CODE, &status);
	*ret_final = status < 500 && status != 408 && status != 429;
	*ret_why = OUTPUTS_REFUSED;
	if (status >= 400)
		return err_set(
		    err, ERR_PEER, "the server answered with status %ld", status);
	return true;
}

static bool
post_line(struct out_http *o, const struct out_batch *b, struct out_loss *ret_loss,
    struct err *err)
{
	bool final;

	ret_loss->n = 1;
	return post(
	    o, b->base + b->line->offset, b->line->len, &final, &ret_loss->why, err);
}

static bool
spool_lines(struct out_http *o, const struct out_batch *b, struct out_loss *ret_loss,
    struct err *err)
{
	*ret_loss = (struct out_loss){.why = OUTPUTS_SPOOL};
	for (uint32_t i = 0; i < b->n; i++) {
		const struct queue_line *l = &b->line[i];
		ret_loss->n += !spool_put(o->spool, b->base + l->offset, l->len, err);
	}
	pthread_mutex_lock(&o->lock);
	pthread_cond_signal(&o->changed);
	pthread_mutex_unlock(&o->lock);
	return ret_loss->n == 0;
}

static bool
http_write(struct out *out, const struct out_batch *b, struct out_loss *ret_loss,
    struct err *err)
{
	struct out_http *o = (struct out_http *)out;

	return o->spool ? spool_lines(o, b, ret_loss, err)
			: post_line(o, b, ret_loss, err);
}

/* The spool's thread. */

/* Until there is something new, ms are over (0: for ever), or it is to end. */
static void
rest(struct out_http *o, uint32_t ms)
{
	struct timespec at;

	clock_mono_in(&at, ms);
	pthread_mutex_lock(&o->lock);
	if (!o->ending && ms == 0)
		pthread_cond_wait(&o->changed, &o->lock);
	/* New lines do not make an old one succeed sooner. */
	while (!o->ending && ms > 0 &&
	       pthread_cond_timedwait(&o->changed, &o->lock, &at) == 0) {
	}
	pthread_mutex_unlock(&o->lock);
}

static bool
is_ending(struct out_http *o)
{
	pthread_mutex_lock(&o->lock);
	bool ending = o->ending;
	pthread_mutex_unlock(&o->lock);
	return ending;
}

/* Told once for each outage, and when it is over. */
static void
tell(uint32_t failures, const struct err *err)
{
	if (failures == 1)
		log_error("http: %s: alerts wait in the spool", err->msg);
}

/* Records that cannot be read are not alerts any more, and nobody knows how many. */
static void
count_damage(struct out_http *o)
{
	struct spool_counts c;

	spool_counts(o->spool, &c);
	if (c.damaged == o->damaged)
		return;
	atomic_fetch_add(&o->env.lost[OUTPUTS_DAMAGED], c.damaged - o->damaged);
	o->damaged = c.damaged;
	log_error("http: the spool was damaged: what could not be read is left out");
}

static uint64_t
http_spooled_bytes(struct out *out)
{
	const struct out_http *o = (struct out_http *)out;
	struct spool_counts c = {.bytes = 0};

	if (o->spool)
		spool_counts(o->spool, &c);
	return c.bytes;
}

static void *
deliver(void *arg)
{
	struct out_http *o = arg;
	uint32_t pause_ms = RETRY_MIN_MS, failures = 0;
	struct buf line;
	struct err err;

	buf_init(&line, LIMIT_OUTPUT_LINE_BYTES + 1);
	while (!is_stopped(o)) {
		enum outputs_loss why;
		bool final;

		bool any = spool_next(o->spool, &line);
		count_damage(o);
		if (!any) {
			if (is_ending(o))
				break;
			rest(o, 0);
			continue;
		}
		if (post(o, line.data, line.len, &final, &why, &err)) {
			if (failures > 0)
				log_notice("http: alerts are delivered again");
			failures = 0;
			pause_ms = RETRY_MIN_MS;
			spool_done(o->spool);
		} else if (final) {
			atomic_fetch_add(&o->env.lost[why], 1);
			log_error("http: %s: an alert is given up", err.msg);
			spool_done(o->spool);
		} else {
			tell(++failures, &err);
			/* What cannot be delivered now is for the next run. */
			if (is_ending(o) || is_stopped(o))
				break;
			rest(o, pause_ms);
			pause_ms =
			    2 * pause_ms < RETRY_MAX_MS ? 2 * pause_ms : RETRY_MAX_MS;
		}
	}
	buf_release(&line);
	return NULL;
}

static bool
wants_spool(const struct settings *s)
{
	return s->http.spool_dir && *s->http.spool_dir;
}

static bool
start_spool(struct out_http *o, const struct settings *s, struct err *err)
{
	pthread_condattr_t attr;
	sigset_t all, old;
	int rc;

	pthread_mutex_init(&o->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&o->changed, &attr);
	pthread_condattr_destroy(&attr);
	o->spool = spool_open(s->http.spool_dir, (uint64_t)s->http.spool_mb << 20, err);
	if (!o->spool)
		return false;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	rc = pthread_create(&o->thread, NULL, deliver, o);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	o->has_thread = rc == 0;
	return rc == 0 || err_set(err, ERR_SYS, "http: thread: %s", strerror(rc));
}

/* What waits is tried once more, for wait_ms at most, and stays on disk otherwise. */
static void
end_spool(struct out_http *o, uint32_t wait_ms)
{
	struct timespec at;

	if (o->has_thread) {
		pthread_mutex_lock(&o->lock);
		o->ending = true;
		pthread_cond_signal(&o->changed);
		pthread_mutex_unlock(&o->lock);
		clock_mono_in(&at, wait_ms);
		if (pthread_clockjoin_np(o->thread, NULL, CLOCK_MONOTONIC, &at) != 0) {
			atomic_store(&o->give_up, true);
			curl_multi_wakeup(o->multi);
			pthread_join(o->thread, NULL);
		}
	}
	spool_close(o->spool);
	pthread_cond_destroy(&o->changed);
	pthread_mutex_destroy(&o->lock);
}

static void
http_free(struct out *out, uint32_t wait_ms)
{
	struct out_http *o = (struct out_http *)out;

	if (o->spool)
		end_spool(o, wait_ms);
	curl_easy_cleanup(o->curl);
	curl_multi_cleanup(o->multi);
	curl_slist_free_all(o->headers);
	free(o);
	curl_global_cleanup();
}

static bool
configure(struct out_http *o, const struct settings *s, struct err *err)
{
	const struct http_settings *h = &s->http;
	CURLcode rc = CURLE_OK;

	/* The first refusal counts; what this libcurl was built without does not. */
#define SET(option, value)                                                               \
	do {                                                                             \
		if (rc == CURLE_OK || rc == CURLE_NOT_BUILT_IN)                          \
			rc = curl_easy_setopt(o->curl, option, value);                   \
	} while (0)
	SET(CURLOPT_URL, h->url);
	SET(CURLOPT_USERAGENT, h->user_agent);
	SET(CURLOPT_POST, 1L);
	SET(CURLOPT_HTTPHEADER, o->headers);
	SET(CURLOPT_NOSIGNAL, 1L);
	SET(CURLOPT_PROTOCOLS_STR, "http,https");
	SET(CURLOPT_TIMEOUT_MS, (long)s->output_timeout_ms);
	SET(CURLOPT_WRITEFUNCTION, swallow);
	SET(CURLOPT_WRITEDATA, h->echo ? o : NULL);
	/* A resolver that does not answer holds up nobody. */
	SET(CURLOPT_QUICK_EXIT, 1L);
	if (h->insecure) {
		SET(CURLOPT_SSL_VERIFYPEER, 0L);
		SET(CURLOPT_SSL_VERIFYHOST, 0L);
	}
	if (*h->ca_cert)
		SET(CURLOPT_CAINFO, h->ca_cert);
	else if (*h->ca_bundle)
		SET(CURLOPT_CAINFO, h->ca_bundle);
	else if (*h->ca_path)
		SET(CURLOPT_CAPATH, h->ca_path);
	if (h->mtls) {
		SET(CURLOPT_SSLCERT, h->client_cert);
		SET(CURLOPT_SSLKEY, h->client_key);
	}
	if (h->compress_uploads)
		SET(CURLOPT_TRANSFER_ENCODING, 1L);
	if (h->keep_alive)
		SET(CURLOPT_TCP_KEEPALIVE, 1L);
#undef SET
	return rc == CURLE_OK ||
	       err_set(err, ERR_USAGE, "libcurl error: %s", curl_easy_strerror(rc));
}

struct out *
out_http_new(const struct settings *s, const struct out_env *env, struct err *err)
{
	struct out_http *o;

	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
		err_set(err, ERR_SYS, "libcurl error: cannot be initialised");
		return NULL;
	}
	o = calloc(1, sizeof(*o));
	if (!o) {
		err_nomem(err);
		curl_global_cleanup();
		return NULL;
	}
	*o = (struct out_http){
	    .out = {.name = "http",
		.line_by_line = !wants_spool(s),
		.write = http_write,
		.interrupt = http_interrupt,
		.spooled_bytes = http_spooled_bytes,
		.free = http_free},
	    .echo = s->http.echo,
	    .tries = s->http.max_consecutive_timeouts + 1,
	    .env = *env,
	    .multi = curl_multi_init(),
	    .curl = curl_easy_init(),
	    .headers =
		curl_slist_append(NULL, s->json_output ? "Content-Type: application/json"
						       : "Content-Type: text/plain"),
	};
	if (!o->multi || !o->curl || !o->headers)
		err_nomem(err);
	else if (configure(o, s, err) && (!wants_spool(s) || start_spool(o, s, err)))
		return &o->out;
	http_free(&o->out, 0);
	return NULL;
}
