/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One case, done to the plugin: its calls in the order in which a broker makes them, and
 * what comes back looked at as closely as can be. What breaks the plugin interface (a
 * value that cannot be read, a length that cannot be, an event that is not whole or not
 * the plugin's) is a breach; it is told and the case goes on.
 */
#ifndef WORKER_FUZZ_TARGET_H
#define WORKER_FUZZ_TARGET_H

#include "worker/fuzz/shared.h"
#include "worker/plugin.h"

struct target {
	enum fuzz_target kind;
	struct plugin plugin;
	struct fuzz_up *up;
	const char *config, *params;
	uint64_t memory_bytes;
	/* Where a case's events are put: up to the very end of readable memory. */
	uint8_t *end;
	const char *source;
	uintptr_t base; /* where it is loaded */
	/* Of the source target. The file, what it holds, and who empties it; or who feeds
	 * it otherwise, and where it is told that this is done. */
	enum fuzz_way way;
	int file_fd;
	uint32_t file_size;
	bool (*empty_file)(void *arg, struct err *err);
	bool (*feed)(void *arg, uint32_t part, struct err *err);
	const _Atomic uint32_t *fed;
	void *arg;
	void (*on_event)(void *arg, const uint8_t *payload, uint32_t n);
	/* Events of system calls that it wants, by itself or for its fields. */
	uint16_t type[FUZZ_TYPES];
	uint32_t n_types;
	const uint8_t *rare; /* of shared.h; NULL: every field is asked for */
	bool spares;         /* this case leaves them out */
	bool is_new;         /* this case covered something new */
	uint8_t *map;        /* of coverage_fold */
};

/* Memory only, before confinement. */
bool target_init(struct target *t, struct fuzz_up *up, struct err *err);
/* Loads the plugin; for all targets but INIT initialises it. */
bool target_load(struct target *t, const char *path, struct err *err);
/* Runs one case; false: the campaign is gone. */
bool target_run(struct target *t, const uint8_t *bytes, uint32_t n, struct err *err);
/* Opens with the parameters and hands the payloads of some events to on_event. */
bool target_harvest(struct target *t, struct err *err);

/* event.c. Which events it wants, once it is initialised. */
void event_note_types(struct target *t);
/* The event of a part, up to the very end of readable memory. */
struct plugin_event *event_make(struct target *t, const struct case_part *p);

/* check.c. Tells of a breach, once per message. */
void target_breach(struct target *t, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* Adds a find for the campaign; dropped when there is no room. */
void target_find(struct fuzz_up *up, enum fuzz_find_kind kind, const uint8_t *bytes,
    uint32_t n, const char *message);

/* What came back. */
void check_fields(struct target *t, const struct plugin_extract_field *asked,
    const struct plugin_extract_field *got, uint32_t n);
void check_rc(struct target *t, const char *call, int32_t rc);
/* A text that the plugin returned; NULL is fine. */
void check_text(struct target *t, const char *call, const char *text);
/* Of next_batch: false when the rest cannot be looked at. */
bool check_events(struct target *t, struct plugin_event *const *event, uint32_t n);
void check_async_event(struct target *t, const struct plugin_event *event);

#endif
