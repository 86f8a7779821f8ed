/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The smallest broker there can be, for tests: it starts the real worker binary
 * unconfined, and speaks with it. Whatever goes wrong, a time-out included, fails the
 * test at hand (cmocka); an answer that is awaited is awaited for ten seconds.
 */
#ifndef WORKER_TEST_BROKER_H
#define WORKER_TEST_BROKER_H

#include <sys/types.h>

#include "proto/channel.h"
#include "proto/chunk.h"
#include "proto/ring.h"

struct test_broker {
	pid_t pid;
	struct channel channel;
	struct ring_map up, down, side_up, side_down;
	struct ring_reader in, side_in;
	struct ring_writer out, side_out;
	int wake_broker_fd, wake_worker_fd;
	uint8_t *frame; /* the last one that came; view points into it */
	struct chunk_view view;
	uint32_t
	    run_ahead;   /* of the plans that are sent; 0: what a worker takes for it */
	uint64_t n_sent; /* messages, as the worker is told */
	uint32_t n_logs;
	char log[64]; /* the last line */
};

/* Up to Ready. */
void test_broker_start(struct test_broker *b, const char *worker_path);
/* Quit, Bye, exit code 0. */
void test_broker_quit(struct test_broker *b);
/* Waits for the worker's end; its exit code, or minus its signal. */
int test_broker_reap(struct test_broker *b);
void test_broker_release(struct test_broker *b);

void test_broker_send(struct test_broker *b, const Control__Message *m);
/* The next message that is no log line; it is of this kind. */
Control__Message *test_broker_expect(
    struct test_broker *b, Control__Message__BodyCase kind);
/* Failed of this step with this text. */
void test_broker_expect_failed(
    struct test_broker *b, Control__Failed__Step step, const char *text);
/* Nothing has come, neither frame nor message, after ms. */
void test_broker_expect_silence(struct test_broker *b, int ms);

/* Whole requests with their answers. */
void test_broker_load(struct test_broker *b, const char *path);
void test_broker_init(struct test_broker *b, const char *config, uint64_t first_event);
void test_broker_open(struct test_broker *b, const char *params);
void test_broker_begin(struct test_broker *b); /* Start, which has no answer */
void test_broker_stop(struct test_broker *b);
void test_broker_plan(
    struct test_broker *b, Control__Slot *slot, size_t n, bool want_events);

/* The next frame, checked, is of this type: in b->view. */
void test_broker_frame(struct test_broker *b, enum frame_type type);
void test_broker_acknowledge(struct test_broker *b, uint32_t batch);
/* Asks for slots of events first .. first + n - 1 of a batch, and has the answer. */
/* Their numbers are 1000 for each batch, and their places in it. */
void test_broker_extract(struct test_broker *b, uint32_t batch, uint32_t first,
    uint32_t n, uint64_t events, const uint32_t *slot, uint32_t n_slots);
void test_broker_request(struct test_broker *b, const struct extract_head *h,
    const uint32_t *slot, const uint64_t *number, const void *const *raw,
    const uint32_t *raw_len);

/* Values of the frame at hand. */
uint32_t test_broker_count(const struct test_broker *b, uint32_t slot, uint32_t event);
uint64_t test_broker_num(const struct test_broker *b, uint32_t slot, uint32_t event);
const char *test_broker_str(
    const struct test_broker *b, uint32_t slot, uint32_t event, uint32_t i);

#endif
