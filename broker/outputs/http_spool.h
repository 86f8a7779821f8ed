/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lines for a server that wait on disk, and the thread that delivers them: the oldest
 * first, each until the server takes it, refuses it for good, or the program ends, in
 * which case the next run goes on.
 */
#ifndef BROKER_OUTPUTS_HTTP_SPOOL_H
#define BROKER_OUTPUTS_HTTP_SPOOL_H

#include "broker/outputs/out.h"

/* Who delivers, called by the thread. */
struct http_spool_user {
	/* *ret_final: trying again would not help; *ret_why is set when it is false. */
	bool (*post)(void *arg, const char *line, size_t len, bool *ret_final,
	    enum outputs_loss *ret_why, struct err *err);
	/* Has post return soon, whatever it waits for; not the thread's call. */
	void (*interrupt)(void *arg);
	void *arg;
};

struct http_spool;

/* A folder that an output of this process still holds, which is being replaced, is waited
 * for. */
struct http_spool *http_spool_new(const char *dir, uint64_t max_bytes,
    const struct http_spool_user *user, const struct out_env *env, struct err *err);

/* True once all lines are on disk. */
bool http_spool_put(struct http_spool *s, const struct out_batch *b,
    struct out_loss *ret_loss, struct err *err);
/* That wait. */
uint64_t http_spool_bytes(struct http_spool *s);

/* What waits is tried once more, for wait_ms at most, and stays on disk otherwise. */
void http_spool_free(struct http_spool *s, uint32_t wait_ms);

#endif
