/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One POST per alert over a connection that is kept, by libcurl: one under way at a time,
 * so that the server gets them in order. By curl's multi interface, because that can be
 * interrupted from another thread wherever it waits.
 *
 * With a spool a line is taken as soon as it is on disk (http_spool.h). Without, it is
 * tried when its turn comes, and again only when it times out, as in Falco.
 */
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>

#include "broker/outputs/http_spool.h"
#include "broker/outputs/out.h"

enum {
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
	struct http_spool *spool; /* NULL: none */
	atomic_bool give_up;      /* no more tries */
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

/* As in struct http_spool_user. */
static bool
post(void *arg, const char *line, size_t len, bool *ret_final, enum outputs_loss *ret_why,
    struct err *err)
{
	struct out_http *o = arg;
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
http_write(struct out *out, const struct out_batch *b, struct out_loss *ret_loss,
    struct err *err)
{
	struct out_http *o = (struct out_http *)out;

	return o->spool ? http_spool_put(o->spool, b, ret_loss, err)
			: post_line(o, b, ret_loss, err);
}

static uint64_t
http_spooled_bytes(struct out *out)
{
	const struct out_http *o = (struct out_http *)out;

	return o->spool ? http_spool_bytes(o->spool) : 0;
}

static void
give_up(void *arg)
{
	struct out_http *o = arg;

	atomic_store(&o->give_up, true);
	http_interrupt(&o->out);
}

static bool
wants_spool(const struct settings *s)
{
	return s->http.spool_dir && *s->http.spool_dir;
}

static bool
start_spool(struct out_http *o, const struct settings *s, struct err *err)
{
	const struct http_spool_user user = {post, give_up, o};

	if (!wants_spool(s))
		return true;
	o->spool = http_spool_new(
	    s->http.spool_dir, (uint64_t)s->http.spool_mb << 20, &user, &o->env, err);
	return o->spool != NULL;
}

static void
http_free(struct out *out, uint32_t wait_ms)
{
	struct out_http *o = (struct out_http *)out;

	http_spool_free(o->spool, wait_ms);
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
	else if (configure(o, s, err) && start_spool(o, s, err))
		return &o->out;
	http_free(&o->out, 0);
	return NULL;
}
