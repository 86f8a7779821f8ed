/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>

#include <cmocka.h>

#include "base/limits.h"
#include "broker/capture/scap.h"
#include "proto/plugin_api.h"

#define GOLDEN "tests/data/scap/golden.scap"

/* A file in memory; plain, as the tests write it. */
struct image {
	uint8_t bytes[256 << 10];
	uint32_t len;
};

static struct image image;

static void
add(const void *p, uint32_t n)
{
	assert_true(image.len + n <= sizeof(image.bytes));
	if (n)
		memcpy(image.bytes + image.len, p, n);
	image.len += n;
}

static void
add_u32(uint32_t v)
{
	add(&v, sizeof(v));
}

static void
add_block(uint32_t type, const void *body, uint32_t n)
{
	uint32_t len = 8 + (n + 3) / 4 * 4 + 4;

	add_u32(type);
	add_u32(len);
	add(body, n);
	add("\0\0\0", -n & 3);
	add_u32(len);
}

static void
add_section(uint32_t magic, uint16_t major, uint16_t minor)
{
	uint8_t body[16];

	memcpy(body, &magic, 4);
	memcpy(body + 4, &major, 2);
	memcpy(body + 6, &minor, 2);
	memset(body + 8, 0xff, 8);
	add_block(SCAP_SECTION, body, sizeof(body));
}

static void
start_image(void)
{
	image.len = 0;
	add_section(0x1a2b3c4d, 1, 2);
}

/* An event with so many parameters of no meaning, of lengths of "width" bytes. */
static uint32_t
make_event(uint8_t *p, uint16_t type, uint64_t ts, uint32_t nparams, uint32_t width)
{
	struct plugin_event h = {.ts = ts,
	    .tid = UINT64_MAX,
	    .len = (uint32_t)sizeof(h) + nparams * width,
	    .type = type,
	    .nparams = nparams};

	memcpy(p, &h, sizeof(h));
	memset(p + sizeof(h), 0, nparams * width);
	return h.len;
}

static uint32_t
make_plugin_event(uint8_t *p, uint64_t ts, uint32_t id, const char *payload)
{
	struct plugin_event h = {.ts = ts,
	    .tid = UINT64_MAX,
	    .len = PLUGIN_EVENT_PAYLOAD_OFF + (uint32_t)strlen(payload),
	    .type = PLUGIN_EVENT_TYPE,
	    .nparams = 2};
	uint32_t n[3] = {4, (uint32_t)strlen(payload), id};

	memcpy(p, &h, sizeof(h));
	memcpy(p + sizeof(h), n, sizeof(n));
	memcpy(p + PLUGIN_EVENT_PAYLOAD_OFF, payload, n[1]);
	return h.len;
}

static uint32_t
make_async_event(uint8_t *p, uint64_t ts, uint32_t id, const char *name)
{
	struct plugin_event h = {.ts = ts,
	    .tid = UINT64_MAX,
	    .len = 26 + 12 + 4 + (uint32_t)strlen(name) + 1,
	    .type = PLUGIN_ASYNC_EVENT_TYPE,
	    .nparams = 3};
	uint32_t n[4] = {4, (uint32_t)strlen(name) + 1, 0, id};

	memcpy(p, &h, sizeof(h));
	memcpy(p + sizeof(h), n, sizeof(n));
	memcpy(p + sizeof(h) + sizeof(n), name, n[1]);
	return h.len;
}

static void
add_event(uint32_t block, uint32_t flags, const uint8_t *event, uint32_t len)
{
	static uint8_t body[70000];
	uint32_t at = 2;

	memset(body, 0, 8);
	if (block == SCAP_EVENT_FLAGS || block == SCAP_EVENT_FLAGS_LARGE) {
		memcpy(body + 2, &flags, 4);
		at = 6;
	}
	memcpy(body + at, event, len);
	add_block(block, body, at + len);
}

static int
memory_file(const void *p, size_t n)
{
	int fd = memfd_create("scap_test", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, p, n), n);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

static struct scap_reader *
open_image(struct err *err)
{
	return scap_reader_fdopen(memory_file(image.bytes, image.len), "image", err);
}

/* Reads on until something else than an event; how many there were. */
static uint32_t
count_events(struct scap_reader *r, enum scap_rc *ret_rc, struct err *err)
{
	struct scap_event e;
	uint32_t n = 0;

	while ((*ret_rc = scap_reader_next(r, &e, err)) == SCAP_GOT_EVENT)
		n++;
	return n;
}

static void
open_fails(const char *why)
{
	struct err err;

	assert_null(open_image(&err));
	assert_string_equal(err.msg, why);
}

static void
reading_fails(uint32_t events_before, const char *why)
{
	struct scap_reader *r;
	enum scap_rc rc;
	struct err err;

	r = open_image(&err);
	assert_non_null(r);
	assert_int_equal(count_events(r, &rc, &err), events_before);
	assert_int_equal(rc, SCAP_FAILED);
	assert_string_equal(err.msg, why);
	/* And stays so. */
	assert_int_equal(count_events(r, &rc, &err), 0);
	assert_int_equal(rc, SCAP_FAILED);
	scap_reader_free(r);
}

static void
test_scap_reads_what_falco_wrote(void **state)
{
	struct scap_reader *r;
	struct scap_event e;
	struct err err;

	r = scap_reader_open(GOLDEN, &err);
	assert_non_null(r);
	for (uint64_t i = 0; i < 12; i++) {
		char payload[8];
		int n = snprintf(payload, sizeof(payload), "%u", (unsigned)i);

		assert_int_equal(scap_reader_next(r, &e, &err), SCAP_GOT_EVENT);
		assert_int_equal(e.ts_ns, 1700000000000000000u + i * 1000000u);
		assert_int_equal(e.type, PLUGIN_EVENT_TYPE);
		assert_int_equal(e.plugin_id, 999);
		assert_int_equal(e.len, PLUGIN_EVENT_PAYLOAD_OFF + n);
		assert_memory_equal(e.bytes + PLUGIN_EVENT_PAYLOAD_OFF, payload, n);
		assert_false(e.is_state);
		assert_false(scap_reader_is_opening(r));
	}
	assert_int_equal(scap_reader_next(r, &e, &err), SCAP_END);
	assert_int_equal(scap_reader_counts(r)->events, 12);
	scap_reader_free(r);
}

static size_t
unpacked(int fd, uint8_t *to, size_t cap)
{
	gzFile f = gzdopen(fd, "rb");
	int n;

	assert_non_null(f);
	n = gzread(f, to, (unsigned)cap);
	assert_true(n >= 0);
	gzclose(f);
	return (size_t)n;
}

/* Byte for byte what Falco writes of the same events. */
static void
test_scap_writes_as_falco_does(void **state)
{
	static uint8_t theirs[4096], ours[4096], event[LIMIT_EVENT_BYTES];
	int fd = memfd_create("ours", MFD_CLOEXEC);
	struct scap_writer *w;
	size_t n;
	struct err err;

	w = scap_writer_new(dup(fd), &err);
	assert_non_null(w);
	for (uint32_t i = 0; i < 12; i++) {
		char payload[8];
		uint32_t len;

		snprintf(payload, sizeof(payload), "%u", i);
		len = make_plugin_event(
		    event, 1700000000000000000u + i * 1000000u, 999, payload);
		assert_true(scap_writer_event(w, event, len, false, &err));
	}
	assert_true(scap_writer_close(w, &err));
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	n = unpacked(open(GOLDEN, O_RDONLY | O_CLOEXEC), theirs, sizeof(theirs));
	assert_int_equal(unpacked(fd, ours, sizeof(ours)), n);
	assert_memory_equal(ours, theirs, n);
}

static void
test_scap_gives_back_what_was_written(void **state)
{
	static uint8_t event[LIMIT_EVENT_BYTES];
	int fd = memfd_create("ours", MFD_CLOEXEC);
	struct plugin_event h;
	struct scap_reader *r;
	struct scap_writer *w;
	struct scap_event e;
	struct err err;
	uint32_t len;

	w = scap_writer_new(dup(fd), &err);
	assert_non_null(w);
	len = make_async_event(event, 5, 3, "state");
	assert_true(scap_writer_event(w, event, len, false, &err));
	len = make_plugin_event(event, 6, 3, "payload");
	assert_true(scap_writer_event(w, event, len, false, &err));
	/* The largest there is. */
	h = (struct plugin_event){.ts = 7,
	    .tid = UINT64_MAX,
	    .len = sizeof(event),
	    .type = PLUGIN_EVENT_TYPE,
	    .nparams = 2};
	len = sizeof(event) - PLUGIN_EVENT_PAYLOAD_OFF;
	memset(event, 'x', sizeof(event));
	memcpy(event, &h, sizeof(h));
	memcpy(event + 26, &(uint32_t){4}, 4);
	memcpy(event + 30, &len, 4);
	memcpy(event + 34, &(uint32_t){3}, 4);
	assert_true(scap_writer_event(w, event, sizeof(event), false, &err));
	assert_true(scap_writer_flush(w, &err));
	assert_true(scap_writer_flush(w, &err));
	len = make_async_event(event, 8, 3, "late");
	assert_true(scap_writer_event(w, event, len, true, &err));
	/* Of a kind with short lengths. */
	len = make_event(event, 300, 9, 3, 2);
	assert_true(scap_writer_event(w, event, len, false, &err));
	assert_false(scap_writer_event(w, event, 70000, false, &err));
	assert_int_equal(err.code, ERR_LIMIT);
	assert_true(scap_writer_close(w, &err));

	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	r = scap_reader_fdopen(fd, "ours", &err);
	assert_non_null(r);
	assert_int_equal(scap_reader_next(r, &e, &err), SCAP_GOT_EVENT);
	assert_true(e.is_state);
	assert_true(scap_reader_is_opening(r));
	assert_string_equal(e.async_name, "state");
	assert_int_equal(e.plugin_id, 3);
	assert_int_equal(scap_reader_next(r, &e, &err), SCAP_GOT_EVENT);
	assert_false(e.is_state);
	assert_false(scap_reader_is_opening(r));
	assert_int_equal(scap_reader_next(r, &e, &err), SCAP_GOT_EVENT);
	assert_int_equal(e.len, sizeof(event));
	assert_int_equal(e.bytes[sizeof(event) - 1], 'x');
	assert_int_equal(scap_reader_next(r, &e, &err), SCAP_GOT_EVENT);
	assert_true(e.is_state);
	assert_string_equal(e.async_name, "late");
	assert_int_equal(scap_reader_next(r, &e, &err), SCAP_GOT_EVENT);
	assert_int_equal(e.type, 300);
	assert_int_equal(e.ts_ns, 9);
	assert_false(e.is_state);
	assert_int_equal(scap_reader_next(r, &e, &err), SCAP_END);
	scap_reader_free(r);
}

static void
test_scap_takes_sections_one_behind_the_other(void **state)
{
	uint8_t event[64];
	struct scap_reader *r;
	struct scap_event e;
	struct err err;
	uint32_t len;

	start_image();
	add_block(0x77777777, "nobody knows", 12);
	len = make_plugin_event(event, 1, 3, "one");
	add_event(SCAP_EVENT_LARGE, 0, event, len);
	add_section(0x1a2b3c4d, 1, 0);
	add_block(SCAP_MACHINE, "short", 5);
	len = make_async_event(event, 2, 3, "state");
	add_event(SCAP_EVENT_LARGE, 0, event, len);
	len = make_plugin_event(event, 3, 3, "two");
	add_event(SCAP_EVENT, 0, event, len);
	r = open_image(&err);
	assert_non_null(r);
	assert_int_equal(scap_reader_next(r, &e, &err), SCAP_GOT_EVENT);
	assert_false(e.is_state);
	assert_int_equal(scap_reader_next(r, &e, &err), SCAP_GOT_EVENT);
	assert_true(e.is_state);
	assert_false(scap_reader_is_opening(r));
	assert_int_equal(scap_reader_next(r, &e, &err), SCAP_GOT_EVENT);
	assert_false(e.is_state);
	assert_int_equal(e.ts_ns, 3);
	assert_int_equal(scap_reader_next(r, &e, &err), SCAP_END);
	assert_int_equal(scap_reader_counts(r)->sections, 2);
	scap_reader_free(r);
}

static void
test_scap_skips_what_it_cannot_use(void **state)
{
	uint8_t event[64];
	struct scap_reader *r;
	struct scap_event e;
	struct err err;
	uint32_t len, large = 3u << 20;

	start_image();
	len = make_event(event, 454, 1, 0, 0);
	add_event(SCAP_EVENT, 0, event, len);
	/* Without nparams. */
	len = make_event(event, 6, 1, 0, 0);
	add_event(SCAP_EVENT_OLD, 0, event, len);
	len = make_plugin_event(event, 2, 3, "p");
	add_event(SCAP_EVENT_LARGE, 0, event, len);
	r = open_image(&err);
	assert_non_null(r);
	assert_int_equal(scap_reader_next(r, &e, &err), SCAP_SKIPPED);
	assert_int_equal(e.type, 6);
	assert_int_equal(scap_reader_next(r, &e, &err), SCAP_GOT_EVENT);
	assert_int_equal(scap_reader_next(r, &e, &err), SCAP_END);
	assert_int_equal(scap_reader_counts(r)->unknown, 1);
	assert_int_equal(scap_reader_counts(r)->legacy, 1);
	scap_reader_free(r);

	/* One that is larger than any may be; a hole in a file costs nothing. */
	int fd = memfd_create("large", MFD_CLOEXEC);
	struct plugin_event h = {
	    .ts = 1, .len = large - 14, .type = PLUGIN_EVENT_TYPE, .nparams = 2};

	start_image();
	assert_int_equal(write(fd, image.bytes, image.len), image.len);
	uint32_t head[2] = {SCAP_EVENT_LARGE, large};
	assert_int_equal(write(fd, head, 8), 8);
	assert_int_equal(write(fd, "\0\0", 2), 2);
	assert_int_equal(write(fd, &h, sizeof(h)), sizeof(h));
	assert_true(lseek(fd, image.len + large, SEEK_SET) > 0);
	start_image();
	add_event(SCAP_EVENT_LARGE, 0, event, len);
	assert_int_equal(write(fd, image.bytes + 28, image.len - 28), image.len - 28);
	lseek(fd, 0, SEEK_SET);
	r = scap_reader_fdopen(fd, "large", &err);
	assert_non_null(r);
	assert_int_equal(scap_reader_next(r, &e, &err), SCAP_SKIPPED);
	assert_int_equal(scap_reader_next(r, &e, &err), SCAP_GOT_EVENT);
	assert_int_equal(scap_reader_counts(r)->large, 1);
	scap_reader_free(r);
}

static void
test_scap_names_what_is_wrong_with_the_start(void **state)
{
	uint8_t event[64];
	uint32_t len = make_plugin_event(event, 1, 3, "p");
	struct err err;

	image.len = 0;
	open_fails("expecting 8 bytes, read 0 at image, line 1. Is the file truncated?");
	add("abc", 3);
	open_fails("expecting 8 bytes, read 3 at image, line 1. Is the file truncated?");
	image.len = 0;
	add_event(SCAP_EVENT_LARGE, 0, event, len);
	open_fails("invalid block type");
	image.len = 0;
	add_section(0x4d3c2b1a, 1, 2);
	open_fails("invalid magic number");
	image.len = 0;
	add_section(0x1a2b3c4d, 2, 0);
	open_fails("cannot correctly parse the capture. Upgrade your version.");
	image.len = 0;
	add_section(0x1a2b3c4d, 1, 3);
	open_fails("cannot correctly parse the capture. Upgrade your version.");
	start_image();
	open_fails("no events in file");
	image.bytes[image.len - 4] ^= 4;
	open_fails("wrong block total length, header=28, trailer=24");
	start_image();
	add_u32(SCAP_MACHINE);
	add_u32(11);
	open_fails("block length too short 11");
	start_image();
	add_u32(SCAP_MACHINE);
	add_u32(UINT32_MAX);
	add("some", 4);
	open_fails("expecting 4096 bytes, read 4 at image, line 2. Is the file "
		   "truncated?");
	assert_null(scap_reader_open("/nowhere/at/all", &err));
	assert_string_equal(err.msg, "No such file or directory");
	assert_null(scap_reader_open("/dev", &err));
	assert_string_equal(err.msg, "not a file");
}

static void
test_scap_names_what_is_wrong_with_an_event(void **state)
{
	uint8_t event[64];
	uint32_t len = make_plugin_event(event, 1, 3, "p"), whole;

	start_image();
	add_event(SCAP_EVENT_LARGE, 0, event, len);
	whole = image.len;
	image.len -= 5;
	reading_fails(
	    0, "expecting 48 bytes, read 43 at image, line 2. Is the file truncated?");
	image.len = whole;
	add_u32(SCAP_EVENT_LARGE);
	reading_fails(
	    1, "expecting 8 bytes, read 4 at image, line 3. Is the file truncated?");
	image.len = whole;
	add_u32(SCAP_EVENT_LARGE);
	add_u32(20);
	reading_fails(1, "block length too short 20");
	image.len = whole;
	add_u32(SCAP_EVENT);
	add_u32(70000);
	reading_fails(
	    1, "event block length 69992 greater than NON-LARGE read buffer size 65536");
	image.len = whole;
	add_block(SCAP_MACHINE, "x", 1);
	reading_fails(1, "invalid block type");

	image.len = whole;
	event[16]++; /* len */
	add_event(SCAP_EVENT_LARGE, 0, event, len);
	reading_fails(1, "invalid event: a plugin event's parameters do not fill it");
	image.len = whole;
	event[18] = 0xff;
	add_event(SCAP_EVENT_LARGE, 0, event, len);
	reading_fails(1, "invalid event: its length is not the block's");
	image.len = whole;
	make_plugin_event(event, 1, 3, "p");
	event[22] = 3; /* nparams */
	add_event(SCAP_EVENT_LARGE, 0, event, len);
	reading_fails(1, "invalid event: a plugin event without its parameters");
	image.len = whole;
	len = make_async_event(event, 1, 3, "name");
	event[len - 1] = 'x';
	add_event(SCAP_EVENT_LARGE, 0, event, len);
	reading_fails(1, "invalid event: a malformed async event");
	image.len = whole;
	len = make_event(event, 300, 1, 2, 2);
	event[22] = 3;
	add_event(SCAP_EVENT, 0, event, len);
	reading_fails(1, "invalid event: more parameters than it has room for");
}

static void
test_scap_names_what_is_wrong_with_the_compression(void **state)
{
	static uint8_t packed[4096];
	FILE *f = fopen(GOLDEN, "rbe");
	struct scap_reader *r;
	enum scap_rc rc;
	struct err err;
	size_t n;

	assert_non_null(f);
	n = fread(packed, 1, sizeof(packed), f);
	fclose(f);
	r = scap_reader_fdopen(memory_file(packed, n - 20), "cut", &err);
	assert_non_null(r);
	assert_true(count_events(r, &rc, &err) < 12);
	assert_int_equal(rc, SCAP_FAILED);
	assert_non_null(strstr(err.msg, "Is the file truncated?"));
	scap_reader_free(r);
	/* All events are there, the checksum is not, or is another one. */
	r = scap_reader_fdopen(memory_file(packed, n - 8), "cut", &err);
	assert_non_null(r);
	count_events(r, &rc, &err);
	assert_int_equal(rc, SCAP_FAILED);
	assert_string_equal(
	    err.msg, "error reading file: cut: unexpected end of file, ernum=-5");
	scap_reader_free(r);
	packed[n - 7] ^= 1;
	assert_null(scap_reader_fdopen(memory_file(packed, n), "wrong", &err));
	assert_string_equal(
	    err.msg, "error reading file: wrong: incorrect data check, ernum=-3");
}

static void
test_scap_writer_tells_of_a_full_disk(void **state)
{
	static uint8_t event[LIMIT_EVENT_BYTES];
	int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
	uint32_t len = make_plugin_event(event, 1, 3, "p");
	struct scap_writer *w;
	struct err err;

	if (fd < 0)
		skip();
	w = scap_writer_new(fd, &err);
	assert_non_null(w);
	assert_true(scap_writer_event(w, event, len, false, &err));
	assert_false(scap_writer_flush(w, &err));
	assert_int_equal(err.code, ERR_SYS);
	assert_false(scap_writer_event(w, event, len, false, &err));
	assert_false(scap_writer_close(w, &err));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_scap_reads_what_falco_wrote),
	    cmocka_unit_test(test_scap_writes_as_falco_does),
	    cmocka_unit_test(test_scap_gives_back_what_was_written),
	    cmocka_unit_test(test_scap_takes_sections_one_behind_the_other),
	    cmocka_unit_test(test_scap_skips_what_it_cannot_use),
	    cmocka_unit_test(test_scap_names_what_is_wrong_with_the_start),
	    cmocka_unit_test(test_scap_names_what_is_wrong_with_an_event),
	    cmocka_unit_test(test_scap_names_what_is_wrong_with_the_compression),
	    cmocka_unit_test(test_scap_writer_tells_of_a_full_disk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
