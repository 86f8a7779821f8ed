/* SPDX-License-Identifier: Apache-2.0 */
/* One POST per alert over a connection that is kept, by libcurl. */
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>

#include "broker/out.h"

struct out_http {
	struct out out;
	bool echo;
	uint32_t tries; /* of one alert, when they time out */
	const atomic_bool *stop;
	CURL *curl;
	struct curl_slist *headers;
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

	return atomic_load(o->stop);
}

static bool
post(struct out_http *o, const char *line, size_t len, struct err *err)
{
	CURLcode rc = CURLE_OK;
	long status = 0;

	curl_easy_setopt(o->curl, CURLOPT_POSTFIELDS, line);
	curl_easy_setopt(o->curl, CURLOPT_POSTFIELDSIZE, (long)len);
	for (uint32_t i = 0; i < o->tries; i++) {
		rc = curl_easy_perform(o->curl);
		if (rc != CURLE_OPERATION_TIMEDOUT || atomic_load(o->stop))
			break;
	}
	if (o->echo)
		fflush(stdout);
	if (rc != CURLE_OK)
		return err_set(err, ERR_SYS, "libcurl failed to perform call: %s",
		    curl_easy_strerror(rc));
	curl_easy_getinfo(o->curl, CURLINFO_RESPONSE_CODE, &status);
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
		failed += !post(o, b->base + l->offset, l->len, err);
	}
	*ret_failed = failed;
	return failed == 0;
}

static void
http_free(struct out *out, uint32_t wait_ms)
{
	struct out_http *o = (struct out_http *)out;

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
	    .out = {"http", true, http_write, NULL, http_free},
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
	else if (configure(o, s, err))
		return &o->out;
	http_free(&o->out, 0);
	return NULL;
}
