/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A worker's working life: requests on the control channel, frames of the ring, batches
 * of the source, one after the other on one thread, until Quit or until the broker is
 * gone.
 */
#ifndef WORKER_SERVE_H
#define WORKER_SERVE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/spin.h"
#include "proto/channel.h"
#include "proto/ring.h"
#include "worker/async.h"
#include "worker/extract.h"
#include "worker/host.h"
#include "worker/listen.h"
#include "worker/outbox.h"
#include "worker/plan.h"
#include "worker/plugin.h"
#include "worker/publish.h"
#include "worker/side.h"
#include "worker/source.h"
#include "worker/tables.h"
#include "worker/uplink.h"

/* How far the plugin has come: what the broker may ask for next. */
enum serve_phase {
	SERVE_EMPTY, /* no plugin */
	SERVE_LOADED,
	SERVE_INITIALIZED, /* plan, open, open parameters */
	SERVE_OPEN,
	SERVE_RUNNING,
	SERVE_FAILED, /* load or init said no: only Quit is left */
	SERVE_DONE,
};

struct worker {
	struct channel channel; /* not blocking */
	struct uplink up;
	struct host host;
	struct plugin plugin;
	struct source source;
	struct plan plan;
	struct plan next_plan; /* waits for the end of the batches under way */
	bool has_next_plan;
	struct extractor extractor;
	struct parser parser;
	struct publisher publisher;
	struct call_note call; /* for the broker to see which call hangs */
	struct side side;
	struct async async;
	struct listen listen;
	struct tables tables;
	struct outbox out;
	struct ring_reader in;
	uint8_t *frame; /* LIMIT_FRAME_BYTES: a copy of what came down */
	int wake_fd;    /* eventfd that the broker rings */
	enum serve_phase phase;

	struct spin spin;
	uint64_t looked_ns; /* when the channel was last read */
	uint64_t told;      /* the broker's note then */
	bool look;          /* read it now */
	uint32_t looks;     /* whether to read it */
	/* Time-outs in a row that came at once, and the pause that they have earned. */
	uint32_t n_idle, pause_us;
};

struct worker_rings {
	struct ring_map up, down, side_up, side_down;
};

/* Rings are mapped and the channel is open. */
bool worker_init(struct worker *w, int control_fd, struct worker_rings *rings,
    int wake_broker_fd, int wake_worker_fd, unsigned n_cpus, struct err *err);

/* Tells the broker that it may begin. */
bool worker_ready(struct worker *w, struct err *err);
/* Returns true after Quit; ERR_GONE when the broker has hung up. On the thread that calls
 * the plugin, and never on the main one. */
bool worker_serve(struct worker *w, struct err *err);

#endif
