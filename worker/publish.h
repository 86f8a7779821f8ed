/* SPDX-License-Identifier: Apache-2.0 */
/* Chunks of a batch with their first-stage columns, and answers to extraction requests.
 */
#ifndef WORKER_PUBLISH_H
#define WORKER_PUBLISH_H

#include "proto/call.h"
#include "worker/extract.h"
#include "worker/outbox.h"
#include "worker/parse.h"
#include "worker/source.h"

struct publisher {
	struct source *source;
	struct plan *plan;
	struct extractor *extractor;
	struct parser *parser;
	struct outbox *out;
	struct call_note *call;
	/* Broker and worker can run at the same time: chunks are made small enough for
	 * one to evaluate while the other extracts. */
	bool parallel;
	/* Extracting from an event takes so long that who waits for a chunk notices. */
	bool dear;
	/* The clock as the serving thread last read it: after next_batch, after a chunk
	 * is filled, after a sleep. Reading it costs as much as a field. */
	uint64_t now_ns;
	uint32_t requests; /* answered so far */
};

/* The next chunk of the batch, in SOURCE_PUBLISHING and with a free outbox. */
bool publish_chunk(struct publisher *p, struct err *err);

/* Answers a checked request; a request for what is not there is the broker's mistake,
 * ERR_PEER. */
bool publish_answer(
    struct publisher *p, const struct extract_view *request, struct err *err);

#endif
