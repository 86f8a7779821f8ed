/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/ring.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "base/limits.h"
#include "proto/ring_pair.h"

static uint8_t taken[LIMIT_FRAME_BYTES];

static int
setup(void **state)
{
	*state = calloc(1, sizeof(struct ring_pair));
	ring_pair_init(*state);
	return 0;
}

static int
teardown(void **state)
{
	ring_pair_release(*state);
	free(*state);
	return 0;
}

static enum ring_rc
take(struct ring_pair *p)
{
	uint32_t type, len;

	return ring_take(&p->r, taken, sizeof(taken), &type, &len);
}

static void
test_ring_gives_records_as_they_were_put(void **state)
{
	struct ring_pair *p = *state;
	uint8_t body[5000];
	uint32_t type, len;

	/* Far more than the ring holds, of lengths that meet its end in every way. */
	for (uint32_t i = 0; i < 4000; i++) {
		uint32_t n = i * 37 % (sizeof(body) + 1);
		memset(body, (int)(i & 0xff), n);
		assert_int_equal(ring_put(&p->w, i, body, n), RING_OK);
		assert_int_equal(
		    ring_take(&p->r, taken, sizeof(taken), &type, &len), RING_OK);
		assert_int_equal(type, i);
		assert_int_equal(len, n);
		assert_memory_equal(taken, body, n);
	}
	assert_int_equal(take(p), RING_EMPTY);
}

static void
test_ring_is_full_when_no_room_is_left_and_not_before(void **state)
{
	struct ring_pair *p = *state;
	uint8_t body[1008] = {0};
	uint32_t n = 0;

	while (ring_put(&p->w, 1, body, sizeof(body)) == RING_OK)
		n++;
	assert_int_equal(n, PAIR_BYTES / 1024);
	assert_int_equal(ring_put(&p->w, 1, body, 0), RING_FULL);
	assert_int_equal(take(p), RING_OK);
	assert_int_equal(ring_put(&p->w, 1, body, sizeof(body)), RING_OK);
	assert_int_equal(ring_put(&p->w, 1, body, 0), RING_FULL);
	for (uint32_t i = 0; i < n; i++)
		assert_int_equal(take(p), RING_OK);
	assert_int_equal(take(p), RING_EMPTY);
}

static void
test_ring_takes_one_record_of_its_whole_size(void **state)
{
	struct ring_pair *p = *state;
	void *at;

	assert_int_equal(ring_put(&p->w, 1, taken, 100), RING_OK);
	assert_int_equal(take(p), RING_OK);
	assert_int_equal(ring_reserve(&p->w, PAIR_BYTES - 15, &at), RING_TOO_BIG);
	assert_int_equal(ring_reserve(&p->w, LIMIT_FRAME_BYTES + 1, &at), RING_TOO_BIG);
	assert_int_equal(ring_reserve(&p->w, PAIR_BYTES - 16, &at), RING_OK);
	assert_int_equal((uintptr_t)at % 8, 0);
	memset(at, 7, PAIR_BYTES - 16);
	ring_commit(&p->w, 1, PAIR_BYTES - 16);
	assert_int_equal(take(p), RING_OK);
	assert_int_equal(taken[0], 7);
	assert_int_equal(taken[PAIR_BYTES - 17], 7);
}

static void
test_ring_forgets_a_reservation_without_commit(void **state)
{
	struct ring_pair *p = *state;
	void *at;

	assert_int_equal(ring_reserve(&p->w, 1000, &at), RING_OK);
	memset(at, 1, 1000);
	assert_int_equal(take(p), RING_EMPTY);
	assert_int_equal(ring_reserve(&p->w, 1000, &at), RING_OK);
	ring_commit(&p->w, 5, 10);
	assert_int_equal(take(p), RING_OK);
	assert_int_equal(take(p), RING_EMPTY);
}

static void
test_ring_refuses_a_lying_tail(void **state)
{
	/* Two records are taken, so that the head is at 40, and a third lies there up to
	 * 64: behind the head, past the ring, not on a boundary, less than a header, cut
	 * short */
	static const uint64_t lies[] = {0, 24, 32, 39, PAIR_BYTES + 48,
	    2 * PAIR_BYTES + 64, UINT64_MAX, UINT64_MAX - 7, 1ull << 63,
	    (1ull << 32) + 64, 65, 71, 63, 48, 56};
	struct ring_pair *p = *state;

	for (size_t i = 0; i < sizeof(lies) / sizeof(*lies); i++) {
		ring_pair_release(p);
		ring_pair_init(p);
		assert_int_equal(ring_put(&p->w, 1, "12345678", 8), RING_OK);
		assert_int_equal(ring_put(&p->w, 1, "", 0), RING_OK);
		assert_int_equal(take(p), RING_OK);
		assert_int_equal(take(p), RING_OK);
		assert_int_equal(ring_put(&p->w, 1, "12345678", 8), RING_OK);
		*page_word(&p->up_own, AT_TAIL) = lies[i];
		assert_int_equal(take(p), RING_BROKEN);
	}
	/* Without the lie it is a good one; and a tail that stands still is none. */
	ring_pair_release(p);
	ring_pair_init(p);
	assert_int_equal(ring_put(&p->w, 1, "12345678", 8), RING_OK);
	*page_word(&p->up_own, AT_TAIL) = 0;
	assert_int_equal(take(p), RING_EMPTY);
	*page_word(&p->up_own, AT_TAIL) = 24;
	assert_int_equal(take(p), RING_OK);
}

static void
test_ring_refuses_a_lying_record_header(void **state)
{
	/* word of the header, its value; the tail says 16 + 64 */
	static const struct {
		uint32_t word, value;
		enum ring_rc rc;
	} lies[] = {
	    {0, 65, RING_BROKEN},
	    {0, 0x7fffffff, RING_BROKEN},
	    {0, UINT32_MAX, RING_BROKEN},
	    {0, UINT32_MAX - 15, RING_BROKEN},
	    {0, UINT32_MAX - 22, RING_BROKEN},
	    {0, LIMIT_FRAME_BYTES, RING_BROKEN},
	    {0, LIMIT_FRAME_BYTES + 1, RING_BROKEN},
	    {2, 1, RING_BROKEN},
	    {2, UINT32_MAX, RING_BROKEN},
	    {3, 1, RING_BROKEN},
	    {0, 64, RING_OK},
	    {0, 57, RING_OK},
	    /* the type is the caller's to judge */
	    {1, UINT32_MAX, RING_OK},
	};
	struct ring_pair *p = *state;
	uint8_t body[64] = {0};

	for (size_t i = 0; i < sizeof(lies) / sizeof(*lies); i++) {
		ring_pair_release(p);
		ring_pair_init(p);
		assert_int_equal(ring_put(&p->w, 1, body, sizeof(body)), RING_OK);
		*data_word(&p->up_own, 4 * lies[i].word) = lies[i].value;
		assert_int_equal(take(p), lies[i].rc);
	}
}

static void
test_ring_refuses_a_replayed_record(void **state)
{
	struct ring_pair *p = *state;

	assert_int_equal(ring_put(&p->w, 1, "a", 1), RING_OK);
	assert_int_equal(ring_put(&p->w, 1, "b", 1), RING_OK);
	memcpy(p->up_own.data + 24, p->up_own.data, 24);
	assert_int_equal(take(p), RING_OK);
	assert_int_equal(take(p), RING_BROKEN);
}

static void
test_ring_refuses_a_record_larger_than_the_caller_takes(void **state)
{
	struct ring_pair *p = *state;
	uint8_t small[17];
	uint32_t type, len;

	small[16] = 0x5a;
	assert_int_equal(ring_put(&p->w, 1, "12345678901234567", 17), RING_OK);
	assert_int_equal(ring_take(&p->r, small, 16, &type, &len), RING_BROKEN);
	assert_int_equal(small[16], 0x5a);
}

static void
test_ring_refuses_a_lying_head(void **state)
{
	static const uint64_t lies[] = {0, 1016, 2056, UINT64_MAX, 1025, 1ull << 63};
	uint8_t body[1008] = {0};

	for (size_t i = 0; i < sizeof(lies) / sizeof(*lies); i++) {
		struct ring_pair *p = *state;
		void *at;

		ring_pair_release(p);
		ring_pair_init(p);
		while (ring_put(&p->w, 1, body, sizeof(body)) == RING_OK)
			continue;
		assert_int_equal(take(p), RING_OK);
		assert_int_equal(ring_put(&p->w, 1, body, sizeof(body)), RING_OK);
		/* 1024 was seen; the tail is at PAIR_BYTES + 1024 */
		*page_word(&p->down_own, AT_PEER_HEAD) =
		    lies[i] == 2056 ? PAIR_BYTES + 1032 : lies[i];
		assert_int_equal(ring_reserve(&p->w, 8, &at), RING_BROKEN);
		assert_false(ring_writer_sleep(&p->w, 8));
	}
}

static void
test_ring_memory_is_sealed_at_its_size(void **state)
{
	struct ring_pair *p = *state;
	off_t size = lseek(p->up_fd, 0, SEEK_END);

	assert_int_equal(size, 4096 + PAIR_BYTES);
	assert_int_equal(ftruncate(p->up_fd, size - 4096), -1);
	assert_int_equal(errno, EPERM);
	assert_int_equal(ftruncate(p->up_fd, size + 4096), -1);
	assert_int_equal(errno, EPERM);
}

static void
test_ring_map_refuses_memory_that_could_fault(void **state)
{
	struct ring_map m;
	struct err err;
	int fd = memfd_create("unsealed", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	assert_int_equal(ftruncate(fd, 4096 + PAIR_BYTES), 0);
	assert_false(ring_map(&m, fd, PAIR_BYTES, false, &err));
	assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW), 0);
	assert_true(ring_map(&m, fd, PAIR_BYTES, false, &err));
	ring_unmap(&m);
	ring_unmap(&m); /* once more is nothing */
	assert_false(ring_map(&m, fd, PAIR_BYTES * 2, false, &err));
	assert_false(ring_map(&m, fd, PAIR_BYTES - 8, false, &err));
	close(fd);
	assert_false(ring_memfd_new("odd", 12288, &fd, &err));
	assert_false(ring_memfd_new("none", 0, &fd, &err));
}

static void
test_ring_peer_cannot_write_what_is_sealed_against_it(void **state)
{
	struct ring_pair *p = *state;
	struct ring_map m;
	struct err err;

	assert_true(ring_seal_future_writes(p->down_fd, &err));
	assert_false(ring_map(&m, p->down_fd, PAIR_BYTES, true, &err));
	assert_true(ring_map(&m, p->down_fd, PAIR_BYTES, false, &err));
	assert_int_equal(mprotect(m.page, 4096, PROT_READ | PROT_WRITE), -1);
	assert_int_equal(pwrite(p->down_fd, "x", 1, 0), -1);
	assert_int_equal(
	    fallocate(p->down_fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4096),
	    -1);
	assert_int_equal(fcntl(p->down_fd, F_ADD_SEALS, F_SEAL_WRITE), -1);
	/* The owner's own mapping goes on. */
	*page_word(&p->down_own, AT_TAIL) = 8;
	assert_int_equal(*page_word(&m, AT_TAIL), 8);
	ring_unmap(&m);
}

static void
test_ring_reader_maps_read_only(void **state)
{
	struct ring_pair *p = *state;
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		struct sigaction sa = {.sa_handler = SIG_DFL};
		sigaction(SIGSEGV, &sa, NULL);
		*page_word(&p->up_seen, AT_TAIL) = 8;
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
}

static void
test_ring_data_is_mapped_twice_in_a_row(void **state)
{
	struct ring_pair *p = *state;

	p->up_own.data[5] = 0x5a;
	assert_int_equal(p->up_own.data[PAIR_BYTES + 5], 0x5a);
	assert_int_equal(p->up_seen.data[PAIR_BYTES + 5], 0x5a);
}

static void
test_ring_reader_sleeps_only_when_nothing_is_there(void **state)
{
	struct ring_pair *p = *state;

	assert_false(ring_writer_must_wake(&p->w));
	assert_true(ring_reader_sleep(&p->r));
	assert_int_equal((uint32_t)*page_word(&p->down_own, AT_DATA_WAITING) & 1, 1);
	assert_int_equal(ring_put(&p->w, 1, "", 0), RING_OK);
	assert_true(ring_writer_must_wake(&p->w));
	/* Once is enough for one sleep, and every sleep has its own. */
	assert_int_equal(ring_put(&p->w, 1, "", 0), RING_OK);
	assert_false(ring_writer_must_wake(&p->w));
	ring_reader_awake(&p->r);
	assert_int_equal(take(p), RING_OK);
	assert_false(ring_writer_must_wake(&p->w));
	assert_false(ring_reader_sleep(&p->r));
	assert_false(ring_writer_must_wake(&p->w));
	/* One of two taken: the other is known already, and no sleep. */
	assert_int_equal(ring_put(&p->w, 1, "", 0), RING_OK);
	assert_int_equal(take(p), RING_OK);
	assert_false(ring_reader_sleep(&p->r));
	assert_int_equal(take(p), RING_OK);
	assert_true(ring_reader_sleep(&p->r));
	assert_true(ring_writer_must_wake(&p->w));
}

static void
test_ring_writer_sleeps_only_when_there_is_no_room(void **state)
{
	struct ring_pair *p = *state;
	uint8_t body[1008] = {0};

	assert_false(ring_writer_sleep(&p->w, 8));
	assert_false(ring_reader_must_wake(&p->r));
	while (ring_put(&p->w, 1, body, sizeof(body)) == RING_OK)
		continue;
	assert_true(ring_writer_sleep(&p->w, 8));
	assert_int_equal((uint32_t)*page_word(&p->up_own, AT_SPACE_WAITING) & 1, 1);
	assert_true(ring_reader_must_wake(&p->r));
	assert_int_equal(take(p), RING_OK);
	ring_writer_awake(&p->w);
	assert_false(ring_reader_must_wake(&p->r));
	assert_true(ring_writer_sleep(&p->w, 2000));
	assert_false(ring_writer_sleep(&p->w, 8));
}

static void
test_ring_lying_tail_does_not_put_the_reader_to_sleep(void **state)
{
	struct ring_pair *p = *state;

	*page_word(&p->up_own, AT_TAIL) = 3;
	assert_false(ring_reader_sleep(&p->r));
	assert_int_equal(take(p), RING_BROKEN);
}

#define T(name) cmocka_unit_test_setup_teardown(test_ring_##name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(gives_records_as_they_were_put),
	    T(is_full_when_no_room_is_left_and_not_before),
	    T(takes_one_record_of_its_whole_size),
	    T(forgets_a_reservation_without_commit),
	    T(refuses_a_lying_tail),
	    T(refuses_a_lying_record_header),
	    T(refuses_a_replayed_record),
	    T(refuses_a_record_larger_than_the_caller_takes),
	    T(refuses_a_lying_head),
	    T(memory_is_sealed_at_its_size),
	    T(map_refuses_memory_that_could_fault),
	    T(peer_cannot_write_what_is_sealed_against_it),
	    T(reader_maps_read_only),
	    T(data_is_mapped_twice_in_a_row),
	    T(reader_sleeps_only_when_nothing_is_there),
	    T(writer_sleeps_only_when_there_is_no_room),
	    T(lying_tail_does_not_put_the_reader_to_sleep),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
