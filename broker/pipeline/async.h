/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Asynchronous events of a pipeline that wait for their turn: in the order of their
 * times, those without one first, equals as they came.
 *
 * Bounded as in Falco by a number of events, and by their bytes; what finds no room is
 * dropped and counted.
 */
#ifndef BROKER_PIPELINE_ASYNC_H
#define BROKER_PIPELINE_ASYNC_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/limits.h"
#include "broker/supervisor/plugins.h"

/* An event of type 402, checked; the memory of whoever has it. */
struct async_event {
	uint64_t ts_ns; /* all ones: none */
	uint64_t order; /* of arrival */
	const char *name;
	uint32_t len;
	_Alignas(8) uint8_t bytes[];
};

struct async_queue {
	struct async_event **heap;
	uint32_t n;
	uint64_t bytes, arrived;
	uint64_t dropped_full, dropped_future;
	uint64_t told_full_ns, told_future_ns; /* when the log said so last */
};

bool async_queue_init(struct async_queue *q, struct err *err);
void async_queue_release(struct async_queue *q);

/*
 * An event that a plugin injects into a source, as it came from the worker. source_id is
 * the id of the source's plugin (0: system calls), which is written into the event. What
 * an honest worker would not have sent is ERR_PEER; what is dropped is no error.
 */
bool async_queue_put(struct async_queue *q, const struct plugin *plugin,
    const char *source, uint32_t source_id, const void *peer_event, uint32_t len,
    struct err *err);

/* Is there an event that is due when it is ts_ns? */
bool async_queue_is_due(const struct async_queue *q, uint64_t ts_ns);
/* The first one, which there must be, now the caller's: freed with free. */
struct async_event *async_queue_take(struct async_queue *q);
/* Gives an event without a time this one. */
void async_event_set_time(struct async_event *e, uint64_t ts_ns);

#endif
