/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/limits.h"
#include "broker/capture/capture_writer.h"
#include "broker/capture/scap.h"
#include "proto/plugin_api.h"

static char folder[] = "/tmp/capture_writer_test.XXXXXX", path[64];

static uint32_t
make(uint8_t *p, uint16_t type, uint64_t ts, const void *data, uint32_t len)
{
	struct plugin_event h = {.ts = ts, .tid = UINT64_MAX, .type = type};
	uint32_t n[3] = {4, 2, len}, at = sizeof(h);

	h.nparams = type == PLUGIN_EVENT_TYPE ? 2 : 3;
	if (h.nparams == 2)
		n[1] = len;
	memcpy(p + at, n, h.nparams * 4);
	at += h.nparams * 4;
	memset(p + at, 0, 6);
	p[at] = 9;
	at += 4;
	if (h.nparams == 3) {
		memcpy(p + at, "s", 2);
		at += 2;
	}
	memcpy(p + at, data, len);
	h.len = at + len;
	memcpy(p, &h, sizeof(h));
	return h.len;
}

static void
put(struct capture_file *f, uint64_t ts, bool waits)
{
	uint8_t event[64];

	capture_file_put(f, event, make(event, PLUGIN_EVENT_TYPE, ts, "x", 1), waits);
}

static void
put_state(struct capture_file *f, uint64_t ts)
{
	uint8_t event[64];

	capture_file_put_state(
	    f, event, make(event, PLUGIN_ASYNC_EVENT_TYPE, ts, "x", 1));
}

/* The times of the file's events are these, those of state negative. */
static void
assert_times(const int64_t *time, uint32_t n)
{
	struct scap_reader *r;
	struct scap_event e;
	struct err err;

	r = scap_reader_open(path, &err);
	assert_non_null(r);
	for (uint32_t i = 0; i < n; i++) {
		assert_int_equal(scap_reader_next(r, &e, &err), SCAP_GOT_EVENT);
		assert_int_equal(
		    e.is_state ? -(int64_t)e.ts_ns : (int64_t)e.ts_ns, time[i]);
	}
	assert_int_equal(scap_reader_next(r, &e, &err), SCAP_END);
	scap_reader_free(r);
}

static struct capture_file *
open_one(struct capture_writer *w, uint64_t max_bytes, unsigned flags)
{
	struct capture_file *f;
	struct err err;

	f = capture_file_open(w, path, max_bytes, flags, &err);
	assert_non_null(f);
	return f;
}

static struct capture_writer *
writer(void)
{
	struct err err;
	struct capture_writer *w = capture_writer_new(&err);

	assert_non_null(w);
	return w;
}

static void
test_capture_writer_puts_state_first(void **state)
{
	static const int64_t times[] = {-3, -4, 1, 2, 5, -6, 7};
	struct capture_writer *w = writer();
	struct capture_file *f = open_one(w, 0, CAPTURE_AWAITS_STATE);

	put(f, 1, false);
	put(f, 2, false);
	put_state(f, 3);
	put_state(f, 4);
	capture_file_state_told(f);
	put(f, 5, false);
	put_state(f, 6);
	put(f, 7, false);
	capture_file_close(f);
	assert_true(capture_writer_drain(w));
	assert_times(times, 7);
	/* What never tells its state holds back nothing for good. */
	f = open_one(w, 0, CAPTURE_AWAITS_STATE);
	put(f, 1, false);
	capture_file_close(f);
	assert_true(capture_writer_drain(w));
	assert_times(&(int64_t){1}, 1);
	/* Another section behind it. */
	f = open_one(w, 0, CAPTURE_APPENDS);
	put_state(f, 2);
	put(f, 3, false);
	capture_file_close(f);
	assert_true(capture_writer_drain(w));
	assert_times((const int64_t[]){1, -2, 3}, 3);
	capture_writer_free(w);
}

static void
test_capture_writer_holds_back_no_more_than_its_limit(void **state)
{
	static uint8_t event[LIMIT_EVENT_BYTES], data[LIMIT_EVENT_BYTES / 2];
	static int64_t times[20];
	struct capture_writer *w = writer();
	struct capture_file *f = open_one(w, 0, CAPTURE_AWAITS_STATE);
	uint32_t len = 0;

	for (int i = 0; i < 20; i++) {
		len = make(event, PLUGIN_EVENT_TYPE, i + 1, data, sizeof(data));
		capture_file_put(f, event, len, false);
		times[i] = i + 1;
	}
	assert_true((uint64_t)len * 20 > LIMIT_CAPTURE_HELD_BYTES);
	put_state(f, 50);
	capture_file_close(f);
	assert_true(capture_writer_drain(w));
	struct scap_reader *r;
	struct scap_event e;
	struct err err;
	r = scap_reader_open(path, &err);
	assert_non_null(r);
	for (int i = 0; i < 20; i++) {
		assert_int_equal(scap_reader_next(r, &e, &err), SCAP_GOT_EVENT);
		assert_int_equal(e.ts_ns, times[i]);
	}
	assert_int_equal(scap_reader_next(r, &e, &err), SCAP_GOT_EVENT);
	assert_true(e.is_state);
	scap_reader_free(r);
	capture_writer_free(w);
}

static void
test_capture_writer_ends_at_the_limit(void **state)
{
	static uint8_t event[70000], data[60000];
	struct capture_writer *w = writer();
	struct capture_file *f = open_one(w, 1 << 20, 0);
	struct capture_counts counts;
	uint64_t x = 88172645463325252u;
	struct stat st;

	for (int i = 0; i < 40; i++) {
		/* Nothing that can be compressed. */
		for (size_t k = 0; k < sizeof(data); k++) {
			x ^= x << 13;
			x ^= x >> 7;
			x ^= x << 17;
			data[k] = (uint8_t)x;
		}
		capture_file_put(f, event,
		    make(event, PLUGIN_EVENT_TYPE, i, data, sizeof(data)), true);
	}
	assert_true(capture_writer_drain(w));
	assert_int_equal(capture_file_state(f), CAPTURE_FULL);
	assert_in_range(capture_file_bytes(f), 1 << 20, (1 << 20) + (256 << 10));
	capture_file_close(f);
	assert_true(capture_writer_drain(w));
	assert_int_equal(stat(path, &st), 0);
	assert_in_range(st.st_size, 1 << 20, (1 << 20) + (256 << 10));
	capture_writer_counts(w, &counts);
	assert_in_range(counts.events, 17, 25);
	assert_int_equal(counts.files, 1);
	assert_int_equal(counts.dropped_full, 0);
	capture_writer_free(w);
}

/* What comes out of the pipe, into a file. */
static void *
copy(void *arg)
{
	int in = open(arg, O_RDONLY | O_CLOEXEC);
	int out = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	char part[4096];
	ssize_t n;

	while ((n = read(in, part, sizeof(part))) > 0) {
		if (write(out, part, (size_t)n) != n)
			break;
	}
	close(in);
	close(out);
	return NULL;
}

/* A pipe that nobody reads is a disk that does nothing. */
static void
test_capture_writer_drops_for_a_slow_disk(void **state)
{
	static uint8_t event[70000], data[60000];
	const uint32_t n = 2 * LIMIT_CAPTURE_QUEUE_BYTES / sizeof(data);
	struct capture_writer *w = writer();
	struct capture_counts counts;
	struct capture_file *f;
	pthread_t reader;
	char pipe[80];
	struct err err;
	uint64_t before, got = 0;

	snprintf(pipe, sizeof(pipe), "%s/pipe", folder);
	assert_int_equal(mkfifo(pipe, 0600), 0);
	f = capture_file_open(w, pipe, 0, 0, &err);
	assert_non_null(f);
	for (uint32_t i = 0; i < n; i++)
		capture_file_put(f, event,
		    make(event, PLUGIN_EVENT_TYPE, i, data, sizeof(data)), false);
	capture_writer_counts(w, &counts);
	assert_in_range(counts.dropped_full, n / 3, n - 1);
	/* Whoever waits does so once. */
	before = clock_mono_ns();
	for (uint32_t i = 0; i < 100; i++)
		capture_file_put(f, event,
		    make(event, PLUGIN_EVENT_TYPE, i, data, sizeof(data)), true);
	assert_in_range((clock_mono_ns() - before) / 1000000, LIMIT_CAPTURE_STALL_MS,
	    2 * LIMIT_CAPTURE_STALL_MS - 1);
	capture_file_close(f);
	capture_writer_counts(w, &counts);
	assert_int_equal(pthread_create(&reader, NULL, copy, pipe), 0);
	assert_true(capture_writer_drain(w));
	pthread_join(reader, NULL);
	capture_writer_free(w);
	unlink(pipe);

	struct scap_reader *r = scap_reader_open(path, &err);
	struct scap_event e;
	assert_non_null(r);
	while (scap_reader_next(r, &e, &err) == SCAP_GOT_EVENT)
		assert_int_equal(e.ts_ns, got++);
	scap_reader_free(r);
	assert_int_equal(got + counts.dropped_full, n + 100);
}

static void
test_capture_writer_has_so_many_files(void **state)
{
	struct capture_file *file[LIMIT_CAPTURE_FILES];
	struct capture_writer *w = writer();
	struct capture_counts counts;
	char nowhere[80];
	struct err err;

	snprintf(nowhere, sizeof(nowhere), "%s/none/x", folder);
	for (uint32_t i = 0; i < LIMIT_CAPTURE_FILES; i++) {
		file[i] = capture_file_open(w, nowhere, 0, 0, &err);
		assert_non_null(file[i]);
	}
	assert_null(capture_file_open(w, nowhere, 0, 0, &err));
	assert_int_equal(err.code, ERR_LIMIT);
	assert_true(capture_writer_drain(w));
	for (uint32_t i = 0; i < LIMIT_CAPTURE_FILES; i++) {
		assert_int_equal(capture_file_state(file[i]), CAPTURE_FAILED);
		put(file[i], 1, true);
		capture_file_close(file[i]);
	}
	assert_true(capture_writer_drain(w));
	capture_file_close(open_one(w, 0, 0));
	assert_true(capture_writer_drain(w));
	capture_writer_counts(w, &counts);
	assert_int_equal(counts.failed, LIMIT_CAPTURE_FILES);
	assert_int_equal(counts.files, 1);
	capture_writer_free(w);
}

static int
make_folder(void **state)
{
	if (!mkdtemp(folder))
		return -1;
	snprintf(path, sizeof(path), "%s/file", folder);
	return 0;
}

static int
remove_folder(void **state)
{
	unlink(path);
	return rmdir(folder);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_capture_writer_puts_state_first),
	    cmocka_unit_test(test_capture_writer_holds_back_no_more_than_its_limit),
	    cmocka_unit_test(test_capture_writer_ends_at_the_limit),
	    cmocka_unit_test(test_capture_writer_drops_for_a_slow_disk),
	    cmocka_unit_test(test_capture_writer_has_so_many_files),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
