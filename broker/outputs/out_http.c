/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One POST per alert over a connection that is kept, by libcurl.
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

#include "base/limits.h"
#include "base/log.h"
#include "broker/outputs/out.h"
#include "broker/outputs/spool.h"

enum {
	/* Between tries of a line in the spool: doubled each time. */
	RETRY_MIN_MS = 100,
	RETRY_MAX_MS = 10000,
};

struct out_http {
	struct out out;
	bool echo;
	uint32_t tries; /* of one alert, when they time out */
	const atomic_bool *stop;
	CURL *curl; /* with a spool: the thread's */
	struct curl_slist *headers;

	struct spool *spool; /* NULL: none */
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool ending, has_thread;   /* under lock */
	atomic_bool give_up;       /* no more tries */
	atomic_uint_fast64_t lost; /* refused for good */
};

static size_t
swallow(char *text, size_t size, size_t n, void *echo)
{
	if (echo)
		fwrite(text, size, n, stdout);
	return size * n;
}

static int
on_progress(void *arg, curl_off_t dt, curl_off_t dn, curl_off_t ut, curl_off_t un)
{
	const struct out_http *o = arg;

	/* stop is the output thread's: it may be gone before ours is. */
	return o->spool ? o->give_up : atomic_load(o->stop);
}

/* *ret_final: trying again would not help. */
static bool
post(struct out_http *o, const char *line, size_t len, bool *ret_final, struct err *err)
{
	CURLcode rc = CURLE_OK;
	long status = 0;

	*ret_final = false;
	curl_easy_setopt(o->curl, CURLOPT_POSTFIELDS, line);
	curl_easy_setopt(o->curl, CURLOPT_POSTFIELDSIZE, (long)len);
	for (uint32_t i = 0; i < o->tries; i++) {
		rc = curl_easy_perform(o->curl);
		if (rc != CURLE_OPERATION_TIMEDOUT || o->spool || atomic_load(o->stop))
			break;
	}
	if (o->echo)
		fflush(stdout);
	if (rc != CURLE_OK)
		return err_set(err, ERR_SYS, "libcurl failed to perform call: %s",
		    curl_easy_strerror(rc));
	curl_easy_getinfo(o->curl, CURLINFO_RESPONSE_CODE, &status);
	*ret_final = status < 500 && status != 408 && status != 429;
	if (status >= 400)
		return err_set(
		    err, ERR_PEER, "the server answered with status %ld", status);
	return true;
}

static bool
http_write(
    struct out *out, const struct out_batch *b, uint32_t *ret_failed, struct err *err)
{
	struct out_http *o = (struct out_http *)out;
	uint32_t failed = 0;

	for (uint32_t i = 0; i < b->n; i++) {
		const struct queue_line *l = &b->line[i];
		bool final;
		failed += o->spool
			      ? !spool_put(o->spool, b->base + l->offset, l->len, err)
			      : !post(o, b->base + l->offset, l->len, &final, err);
	}
	*ret_failed = failed;
	if (o->spool) {
		pthread_mutex_lock(&o->lock);
		pthread_cond_signal(&o->changed);
		pthread_mutex_unlock(&o->lock);
	}
	return failed == 0;
}

/* The spool's thread. */

static void
deadline_in(struct timespec *ret, uint32_t ms)
{
	clock_gettime(CLOCK_MONOTONIC, ret);
	ret->tv_sec += ms / 1000;
	ret->tv_nsec += (long)(ms % 1000) * 1000000;
	if (ret->tv_nsec >= 1000000000) {
		ret->tv_nsec -= 1000000000;
		ret->tv_sec++;
	}
}

/* Until there is something new, ms are over (0: for ever), or it is to end. */
static void
rest(struct out_http *o, uint32_t ms)
{
	struct timespec at;

	deadline_in(&at, ms);
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

static void *
deliver(void *arg)
{
	struct out_http *o = arg;
	uint32_t pause_ms = RETRY_MIN_MS, failures = 0;
	struct buf line;
	struct err err;

	buf_init(&line, LIMIT_OUTPUT_LINE_BYTES + 1);
	while (!atomic_load(&o->give_up)) {
		bool final;

		if (!spool_next(o->spool, &line)) {
			if (is_ending(o))
				break;
			rest(o, 0);
			continue;
		}
		if (post(o, line.data, line.len, &final, &err)) {
			if (failures > 0)
				log_notice("http: alerts are delivered again");
			failures = 0;
			pause_ms = RETRY_MIN_MS;
			spool_done(o->spool);
		} else if (final) {
			atomic_fetch_add(&o->lost, 1);
			log_error("http: %s: an alert is given up", err.msg);
			spool_done(o->spool);
		} else {
			tell(++failures, &err);
			/* What cannot be delivered now is for the next run. */
			if (is_ending(o))
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
		clock_gettime(CLOCK_REALTIME, &at);
		at.tv_sec += wait_ms / 1000;
		at.tv_nsec += (long)(wait_ms % 1000) * 1000000;
		if (at.tv_nsec >= 1000000000) {
			at.tv_nsec -= 1000000000;
			at.tv_sec++;
		}
		if (pthread_timedjoin_np(o->thread, NULL, &at) != 0) {
			atomic_store(&o->give_up, true);
			pthread_join(o->thread, NULL);
		}
	}
	spool_close(o->spool);
	pthread_cond_destroy(&o->changed);
	pthread_mutex_destroy(&o->lock);
}

static uint64_t
http_given_up(const struct out *out)
{
	return atomic_load(&((const struct out_http *)out)->lost);
}

static void
http_free(struct out *out, uint32_t wait_ms)
{
	struct out_http *o = (struct out_http *)out;

	if (o->spool)
		end_spool(o, wait_ms);
	curl_easy_cleanup(o->curl);
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
	SET(CURLOPT_XFERINFOFUNCTION, on_progress);
	SET(CURLOPT_XFERINFODATA, o);
	SET(CURLOPT_NOPROGRESS, 0L);
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
out_http_new(const struct settings *s, const atomic_bool *stop, struct err *err)
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
		.given_up = http_given_up,
		.free = http_free},
	    .echo = s->http.echo,
	    .tries = s->http.max_consecutive_timeouts + 1,
	    .stop = stop,
	    .curl = curl_easy_init(),
	    .headers =
		curl_slist_append(NULL, s->json_output ? "Content-Type: application/json"
						       : "Content-Type: text/plain"),
	};
	if (!o->curl || !o->headers)
		err_nomem(err);
	else if (configure(o, s, err) && (!wants_spool(s) || start_spool(o, s, err)))
		return &o->out;
	http_free(&o->out, 0);
	return NULL;
}
