/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/ring.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"

enum {
	PAGE_BYTES = 4096,
	RECORD_HEAD_BYTES = 16,
	CACHE_LINE = 64,
	SMALL_BYTES = 4096, /* larger ones go past the caches: chunk.c */
};

#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 0x0010
#endif
#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif

/* The page of indices; each on a cache line of its own. Written by one process alone. */
struct ring_page {
	_Alignas(64) _Atomic uint64_t tail;
	_Alignas(64) _Atomic uint64_t peer_head;
	_Alignas(64) _Atomic uint32_t data_waiting;
	_Alignas(64) _Atomic uint32_t space_waiting;
	_Alignas(64) _Atomic uint64_t note;
};

_Static_assert(sizeof(struct ring_page) <= PAGE_BYTES - RING_REST_BYTES,
    "indices leave the rest of their page alone");

struct record_head {
	uint32_t len, type;
	uint64_t seq;
};

_Static_assert(sizeof(struct record_head) == RECORD_HEAD_BYTES, "record head");

static bool
size_is_possible(uint32_t data_bytes)
{
	return data_bytes >= PAGE_BYTES && (data_bytes & (data_bytes - 1)) == 0;
}

/* What a ring takes in its memfd. */
static off_t
ring_bytes(uint32_t data_bytes)
{
	return PAGE_BYTES + (off_t)data_bytes;
}

static bool
memfd_new(const char *name, off_t bytes, int *ret_fd, struct err *err)
{
	int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL);
	/* Kernels before 6.3 do not know the last flag. */
	if (fd < 0 && errno == EINVAL)
		fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0)
		return err_sys(err, "memfd_create");
	if (ftruncate(fd, bytes) != 0 ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW) != 0) {
		err_sys(err, "ring memory of %lld bytes", (long long)bytes);
		close(fd);
		return false;
	}
	*ret_fd = fd;
	return true;
}

bool
ring_memfd_new(const char *name, uint32_t data_bytes, int *ret_fd, struct err *err)
{
	if (!size_is_possible(data_bytes))
		return err_set(err, ERR_USAGE, "a ring cannot have %u bytes", data_bytes);
	return memfd_new(name, ring_bytes(data_bytes), ret_fd, err);
}

bool
ring_pair_new(const char *name, uint32_t first_bytes, uint32_t second_bytes, int *ret_fd,
    struct err *err)
{
	if (!size_is_possible(first_bytes) || !size_is_possible(second_bytes))
		return err_set(err, ERR_USAGE, "a ring cannot have %u and %u bytes",
		    first_bytes, second_bytes);
	return memfd_new(
	    name, ring_bytes(first_bytes) + ring_bytes(second_bytes), ret_fd, err);
}

bool
ring_seal_future_writes(int fd, struct err *err)
{
	if (fcntl(fd, F_ADD_SEALS, F_SEAL_FUTURE_WRITE | F_SEAL_SEAL) != 0)
		return err_sys(err, "sealing ring memory");
	return true;
}

/* Touching it cannot be made to fault. */
static bool
check_memory(int fd, off_t bytes, struct err *err)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return err_sys(err, "ring memory");
	int seals = fcntl(fd, F_GET_SEALS);
	if (seals < 0 ||
	    (seals & (F_SEAL_SHRINK | F_SEAL_GROW)) != (F_SEAL_SHRINK | F_SEAL_GROW) ||
	    st.st_size != bytes)
		return err_set(err, ERR_USAGE, "ring memory is not sealed at its size");
	return true;
}

static bool
map_at(struct ring_map *m, int fd, off_t at, uint32_t data_bytes, bool writable,
    struct err *err)
{
	int prot = writable ? PROT_READ | PROT_WRITE : PROT_READ;
	size_t span = PAGE_BYTES + 2 * (size_t)data_bytes;
	/* Address space first, so that the two copies of the data lie side by side. */
	uint8_t *base = mmap(NULL, span, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (base == MAP_FAILED)
		return err_sys(err, "address space for a ring");
	if (mmap(base, PAGE_BYTES + data_bytes, prot, MAP_SHARED | MAP_FIXED, fd, at) ==
		MAP_FAILED ||
	    mmap(base + PAGE_BYTES + data_bytes, data_bytes, prot, MAP_SHARED | MAP_FIXED,
		fd, at + PAGE_BYTES) == MAP_FAILED) {
		err_sys(err, "mapping a ring");
		munmap(base, span);
		return false;
	}
	*m = (struct ring_map){
	    .page = base, .data = base + PAGE_BYTES, .size = data_bytes};
	return true;
}

bool
ring_map(struct ring_map *m, int fd, uint32_t data_bytes, bool writable, struct err *err)
{
	if (!size_is_possible(data_bytes))
		return err_set(err, ERR_USAGE, "a ring cannot have %u bytes", data_bytes);
	return check_memory(fd, ring_bytes(data_bytes), err) &&
	       map_at(m, fd, 0, data_bytes, writable, err);
}

bool
ring_pair_map(struct ring_map *first, struct ring_map *second, int fd,
    uint32_t first_bytes, uint32_t second_bytes, bool writable, struct err *err)
{
	off_t at = ring_bytes(first_bytes);

	if (!size_is_possible(first_bytes) || !size_is_possible(second_bytes))
		return err_set(err, ERR_USAGE, "a ring cannot have %u and %u bytes",
		    first_bytes, second_bytes);
	if (!check_memory(fd, at + ring_bytes(second_bytes), err) ||
	    !map_at(first, fd, 0, first_bytes, writable, err))
		return false;
	if (map_at(second, fd, at, second_bytes, writable, err))
		return true;
	ring_unmap(first);
	return false;
}

void
ring_unmap(struct ring_map *m)
{
	if (m->page)
		munmap(m->page, PAGE_BYTES + 2 * (size_t)m->size);
	*m = (struct ring_map){0};
}

static struct ring_page *
page(const struct ring_map *m)
{
	return m->page;
}

void
ring_note(struct ring_map *own, uint64_t note)
{
	atomic_store_explicit(&page(own)->note, note, memory_order_relaxed);
}

uint64_t
ring_peer_note(const struct ring_map *peer)
{
	return atomic_load_explicit(&page(peer)->note, memory_order_relaxed);
}

void *
ring_rest(const struct ring_map *m)
{
	return (uint8_t *)m->page + PAGE_BYTES - RING_REST_BYTES;
}

uint64_t
ring_reader_fill(const struct ring_reader *r)
{
	uint64_t n =
	    atomic_load_explicit(&page(r->peer)->tail, memory_order_relaxed) - r->head;

	return n <= r->peer->size ? n : r->peer->size;
}

void
ring_writer_init(struct ring_writer *w, struct ring_map *own, const struct ring_map *peer)
{
	*w = (struct ring_writer){.own = own, .peer = peer};
}

void
ring_reader_init(struct ring_reader *r, struct ring_map *own, const struct ring_map *peer)
{
	*r = (struct ring_reader){.own = own, .peer = peer};
}

static uint64_t
record_bytes(uint32_t len)
{
	return (RECORD_HEAD_BYTES + (uint64_t)len + 7) & ~7ull;
}

enum ring_rc
ring_reserve(struct ring_writer *w, uint32_t max_len, void **ret_p)
{
	uint64_t need = record_bytes(max_len);

	if (max_len > LIMIT_FRAME_BYTES || need > w->own->size)
		return RING_TOO_BIG;
	if (w->own->size - (w->tail - w->peer_head) < need) {
		/* W3 pairs with R2: what the reader has copied may be written over. It is
		 * S2 as well, hence more than an acquire. */
		uint64_t head =
		    atomic_load_explicit(&page(w->peer)->peer_head, memory_order_seq_cst);
		if (head < w->peer_head || head > w->tail || head % 8 != 0)
			return RING_BROKEN;
		w->peer_head = head;
		if (w->own->size - (w->tail - head) < need)
			return RING_FULL;
	}
	*ret_p = w->own->data + (w->tail & (w->own->size - 1)) + RECORD_HEAD_BYTES;
	return RING_OK;
}

/* Small records follow one another at once, and the reader's processor still has the
 * lines of the next. */
static void
warm_next(const struct ring_writer *w, uint64_t bytes)
{
#if defined(__x86_64__)
	/* Mapped twice: none of this leaves the ring. */
	const uint8_t *to = w->own->data + (w->tail & (w->own->size - 1));

	/* Which the compiler has no word for that all processors know. */
	for (uint64_t i = CACHE_LINE; i <= bytes; i += CACHE_LINE)
		__asm__ volatile("prefetchw %0" : : "m"(to[i]));
#endif
}

void
ring_commit(struct ring_writer *w, uint32_t type, uint32_t len)
{
	struct record_head h = {.len = len, .type = type, .seq = w->seq++};

	/* W1: head and body before the tail. */
	memcpy(w->own->data + (w->tail & (w->own->size - 1)), &h, sizeof(h));
	w->tail += record_bytes(len);
	/* W2 pairs with R1. */
	atomic_store_explicit(&page(w->own)->tail, w->tail, memory_order_release);
	if (len < SMALL_BYTES)
		warm_next(w, record_bytes(len));
}

enum ring_rc
ring_put(struct ring_writer *w, uint32_t type, const void *p, uint32_t len)
{
	void *dst;
	enum ring_rc rc = ring_reserve(w, len, &dst);

	if (rc != RING_OK)
		return rc;
	memcpy(dst, p, len);
	ring_commit(w, type, len);
	return RING_OK;
}

/* The peer may change shared bytes at any moment: copy as volatile words, once. */
static struct record_head
load_head(const uint8_t *p)
{
	const volatile uint64_t *v = (const volatile uint64_t *)(const void *)p;
	uint64_t words[2] = {v[0], v[1]};
	struct record_head h;

	memcpy(&h, words, sizeof(h));
	return h;
}

/* Lines that another processor has written, one after the other. The C library copies so
 * much by an instruction that some processors do five times slower when source and
 * destination are not aligned alike. */
static void
copy_out(uint8_t *to, const uint8_t *from, uint32_t n)
{
	typedef uint64_t lanes __attribute__((vector_size(16), may_alias, aligned(1)));
	uint32_t i = 0;

	for (; i + CACHE_LINE <= n; i += CACHE_LINE) {
		const lanes *in = (const lanes *)(const void *)(from + i);
		lanes *out = (lanes *)(void *)(to + i);
		const lanes a = in[0], b = in[1], c = in[2], d = in[3];
		out[0] = a;
		out[1] = b;
		out[2] = c;
		out[3] = d;
	}
	memcpy(to + i, from + i, n - i);
}

enum ring_rc
ring_take(
    struct ring_reader *r, void *dst, uint32_t cap, uint32_t *ret_type, uint32_t *ret_len)
{
	uint32_t size = r->peer->size;

	if (r->peer_tail == r->head) {
		/* R1 pairs with W2. */
		uint64_t tail =
		    atomic_load_explicit(&page(r->peer)->tail, memory_order_acquire);
		if (tail == r->head)
			return RING_EMPTY;
		/* A tail behind our head is, unsigned, far beyond size. */
		if (tail - r->head > size || tail % 8 != 0)
			return RING_BROKEN;
		r->peer_tail = tail;
	}
	uint64_t have = r->peer_tail - r->head;
	const uint8_t *at = r->peer->data + (r->head & (size - 1));
	/* Mapped whatever "have" is; less than a header is refused with the length. */
	struct record_head h = load_head(at);
	if (h.len > LIMIT_FRAME_BYTES || h.len > cap || record_bytes(h.len) > have ||
	    h.seq != r->seq)
		return RING_BROKEN;
	copy_out(dst, at + RECORD_HEAD_BYTES, h.len);
	r->head += record_bytes(h.len);
	r->seq++;
	/* R2 pairs with W3: only now may the writer have the room back. */
	atomic_store_explicit(&page(r->own)->peer_head, r->head, memory_order_release);
	*ret_type = h.type;
	*ret_len = h.len;
	return RING_OK;
}

bool
ring_reader_sleep(struct ring_reader *r)
{
	/* S1, S2. */
	atomic_store_explicit(
	    &page(r->own)->data_waiting, ++r->sleeps << 1 | 1, memory_order_seq_cst);
	if (r->peer_tail == r->head &&
	    atomic_load_explicit(&page(r->peer)->tail, memory_order_seq_cst) == r->head)
		return true;
	ring_reader_awake(r);
	return false;
}

void
ring_reader_awake(struct ring_reader *r)
{
	atomic_store_explicit(
	    &page(r->own)->data_waiting, r->sleeps << 1, memory_order_relaxed);
}

bool
ring_writer_sleep(struct ring_writer *w, uint32_t max_len)
{
	void *p;

	/* S1; S2 is the load in ring_reserve. */
	atomic_store_explicit(
	    &page(w->own)->space_waiting, ++w->sleeps << 1 | 1, memory_order_seq_cst);
	if (ring_reserve(w, max_len, &p) == RING_FULL)
		return true;
	ring_writer_awake(w);
	return false;
}

void
ring_writer_awake(struct ring_writer *w)
{
	atomic_store_explicit(
	    &page(w->own)->space_waiting, w->sleeps << 1, memory_order_relaxed);
}

/* Asleep, and not woken by us since it lay down? One wake-up is enough for each sleep. */
static bool
is_to_be_woken(uint32_t peer_waiting, uint32_t *woken)
{
	if (!(peer_waiting & 1) || peer_waiting == *woken)
		return false;
	*woken = peer_waiting;
	return true;
}

bool
ring_writer_must_wake(struct ring_writer *w)
{
	/* K1: the tail once more, for the price of one full barrier per round rather than
	 * per record; K2. */
	atomic_store_explicit(&page(w->own)->tail, w->tail, memory_order_seq_cst);
	return is_to_be_woken(
	    atomic_load_explicit(&page(w->peer)->data_waiting, memory_order_seq_cst),
	    &w->woken);
}

bool
ring_reader_must_wake(struct ring_reader *r)
{
	atomic_store_explicit(&page(r->own)->peer_head, r->head, memory_order_seq_cst);
	return is_to_be_woken(
	    atomic_load_explicit(&page(r->peer)->space_waiting, memory_order_seq_cst),
	    &r->woken);
}
