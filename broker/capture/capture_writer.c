/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/capture/capture_writer.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "broker/capture/scap.h"
#include "broker/outputs/queue.h"

/* What a line of the queue is: with the number of its file in the queue's "priority". */
enum entry {
	ENTRY_OPEN, /* the path, behind a byte of flags */
	ENTRY_STATE,
	ENTRY_EVENT,
	ENTRY_TOLD,
	ENTRY_CLOSE,
	ENTRY_N,
};

struct capture_file {
	struct capture_writer *writer;
	uint32_t number;
	bool is_used; /* by whoever opened it */
	_Atomic int state;
	_Atomic uint64_t bytes;

	uint64_t max_bytes; /* set before ENTRY_OPEN */

	/* The thread's. */
	struct scap_writer *scap;
	bool awaits_state;
	struct buf held; /* u32 length, event; … */
};

struct capture_writer {
	struct queue queue;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool stop, ended, orphaned; /* under lock */
	uint64_t put;               /* lines */
	_Atomic uint64_t done;
	_Atomic uint64_t waiting_bytes; /* of events in the queue */
	uint64_t stalled_at;            /* done when waiting was given up, + 1 */
	uint64_t flushed_ns;
	_Atomic uint64_t n_files, n_events, dropped_full, dropped_large, failed;
	struct capture_file file[LIMIT_CAPTURE_FILES];
};

enum {
	FLUSH_NS = 1000000000, /* so often, while events come */
	ROOM_LOOK_NS = 1000000,
};

/* The thread. */

static void
fail(struct capture_file *f, const struct err *err)
{
	log_error("a capture file is given up: %s", err->msg);
	atomic_fetch_add(&f->writer->failed, 1);
	atomic_store(&f->state, CAPTURE_FAILED);
}

static void
write_event(struct capture_file *f, const void *event, uint32_t len, bool is_state)
{
	uint64_t bytes;
	struct err err;

	if (atomic_load(&f->state) != CAPTURE_OPEN || !f->scap)
		return;
	if (!scap_writer_event(f->scap, event, len, is_state, &err)) {
		if (err.code == ERR_LIMIT)
			atomic_fetch_add(&f->writer->dropped_large, 1);
		else
			fail(f, &err);
		return;
	}
	atomic_fetch_add(&f->writer->n_events, 1);
	bytes = scap_writer_bytes(f->scap);
	atomic_store(&f->bytes, bytes);
	if (f->max_bytes > 0 && bytes >= f->max_bytes)
		atomic_store(&f->state, CAPTURE_FULL);
}

/* The state is there, or is not waited for any longer. */
static void
release_held(struct capture_file *f)
{
	uint32_t len;

	f->awaits_state = false;
	for (size_t at = 0; at < f->held.len; at += sizeof(len) + len) {
		memcpy(&len, f->held.data + at, sizeof(len));
		write_event(f, f->held.data + at + sizeof(len), len, false);
	}
	buf_release(&f->held);
	buf_init(&f->held, LIMIT_CAPTURE_HELD_BYTES);
}

static void
take_event(struct capture_file *f, const char *event, uint32_t len)
{
	if (f->awaits_state && !buf_reserve(&f->held, sizeof(len) + len))
		release_held(f);
	if (!f->awaits_state) {
		write_event(f, event, len, false);
		return;
	}
	buf_add(&f->held, &len, sizeof(len));
	buf_add(&f->held, event, len);
}

static void
begin(struct capture_file *f, const char *line, uint32_t len)
{
	char path[LIMIT_CAPTURE_PATH_BYTES];
	struct err err;
	int fd;

	buf_init(&f->held, LIMIT_CAPTURE_HELD_BYTES);
	f->awaits_state = line[0] & CAPTURE_AWAITS_STATE;
	memcpy(path, line + 1, len - 1);
	path[len - 1] = '\0';
	/* Where everybody may write, a link that somebody put there is not followed. */
	fd = open(path,
	    O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC |
		(line[0] & CAPTURE_APPENDS ? O_APPEND : O_TRUNC),
	    0600);
	if (fd < 0)
		err_sys(&err, "cannot make %s", path);
	else
		f->scap = scap_writer_new(fd, &err);
	if (!f->scap)
		fail(f, &err);
	else
		atomic_fetch_add(&f->writer->n_files, 1);
}

static void
close_file(struct capture_file *f)
{
	struct err err;

	release_held(f);
	if (f->scap && !scap_writer_close(f->scap, &err) &&
	    atomic_load(&f->state) != CAPTURE_FAILED)
		fail(f, &err);
	f->scap = NULL;
	buf_release(&f->held);
	/* From here on the slot is the other thread's again. */
	atomic_store(&f->state, CAPTURE_FREE);
}

static void
take_line(struct capture_writer *w, uint32_t what, const char *line, uint32_t len)
{
	struct capture_file *f = &w->file[what / ENTRY_N];

	switch ((enum entry)(what % ENTRY_N)) {
	case ENTRY_OPEN:
		begin(f, line, len);
		break;
	case ENTRY_STATE:
		write_event(f, line, len, !f->awaits_state);
		break;
	case ENTRY_EVENT:
		take_event(f, line, len);
		break;
	case ENTRY_TOLD:
		release_held(f);
		break;
	case ENTRY_CLOSE:
	case ENTRY_N:
		close_file(f);
		break;
	}
}

/* Now and then, so that little is lost with the program. */
static void
flush_all(struct capture_writer *w)
{
	uint64_t now = clock_mono_ns();
	struct err err;

	if (now - w->flushed_ns < FLUSH_NS)
		return;
	w->flushed_ns = now;
	for (uint32_t i = 0; i < LIMIT_CAPTURE_FILES; i++) {
		struct capture_file *f = &w->file[i];
		if (atomic_load(&f->state) == CAPTURE_OPEN && f->scap &&
		    !scap_writer_flush(f->scap, &err))
			fail(f, &err);
	}
}

static void
release(struct capture_writer *w)
{
	queue_release(&w->queue);
	pthread_cond_destroy(&w->changed);
	pthread_mutex_destroy(&w->lock);
	free(w);
}

static void *
run(void *arg)
{
	struct capture_writer *w = arg;
	struct queue_chunk *c;
	bool ends = false, orphaned;

	while (!ends) {
		c = queue_take(&w->queue);
		for (uint32_t i = 0; c && i < c->n; i++) {
			const struct queue_line *line = &c->line[i];
			take_line(w, line->priority, c->text + line->offset, line->len);
			queue_done(&w->queue, 1, line->len + 1);
			atomic_fetch_sub(&w->waiting_bytes, line->len);
			atomic_fetch_add(&w->done, 1);
		}
		flush_all(w);
		pthread_mutex_lock(&w->lock);
		/* Woken with nothing there: all is written. */
		ends = !c && w->stop;
		w->ended = ends;
		orphaned = w->orphaned;
		pthread_cond_signal(&w->changed);
		pthread_mutex_unlock(&w->lock);
		if (c)
			queue_recycle(&w->queue, c);
	}
	if (orphaned)
		release(w);
	return NULL;
}

/* Whoever has events. */

struct capture_writer *
capture_writer_new(struct err *err)
{
	struct capture_writer *w = calloc(1, sizeof(*w));

	if (!w) {
		err_nomem(err);
		return NULL;
	}
	/* The last part is for what begins and ends files. */
	queue_init(
	    &w->queue, 0, LIMIT_CAPTURE_QUEUE_BYTES + LIMIT_CAPTURE_QUEUE_BYTES / 8);
	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->changed, NULL);
	for (uint32_t i = 0; i < LIMIT_CAPTURE_FILES; i++) {
		w->file[i].writer = w;
		w->file[i].number = i;
	}
	errno = pthread_create(&w->thread, NULL, run, w);
	if (errno == 0)
		return w;
	err_sys(err, "pthread_create");
	release(w);
	return NULL;
}

static void
deadline_in(struct timespec *ts, uint32_t ms)
{
	clock_gettime(CLOCK_REALTIME, ts);
	ts->tv_sec += ms / 1000;
	ts->tv_nsec += ms % 1000 * 1000000;
	if (ts->tv_nsec >= 1000000000) {
		ts->tv_sec++;
		ts->tv_nsec -= 1000000000;
	}
}

bool
capture_writer_drain(struct capture_writer *w)
{
	struct timespec deadline;
	bool done;

	deadline_in(&deadline, LIMIT_CAPTURE_STOP_MS);
	pthread_mutex_lock(&w->lock);
	while (atomic_load(&w->done) < w->put &&
	       pthread_cond_timedwait(&w->changed, &w->lock, &deadline) == 0) {
	}
	done = atomic_load(&w->done) == w->put;
	pthread_mutex_unlock(&w->lock);
	return done;
}

void
capture_writer_free(struct capture_writer *w)
{
	struct timespec deadline;
	pthread_t thread;
	bool ended;

	if (!w)
		return;
	thread = w->thread;
	deadline_in(&deadline, LIMIT_CAPTURE_STOP_MS);
	pthread_mutex_lock(&w->lock);
	w->stop = true;
	pthread_mutex_unlock(&w->lock);
	queue_wake(&w->queue);
	pthread_mutex_lock(&w->lock);
	while (
	    !w->ended && pthread_cond_timedwait(&w->changed, &w->lock, &deadline) == 0) {
	}
	ended = w->ended;
	/* A write that does not return holds the thread and what it uses. */
	w->orphaned = !ended;
	pthread_mutex_unlock(&w->lock);
	if (ended) {
		pthread_join(thread, NULL);
		release(w);
		return;
	}
	log_error("a capture file is given up: the disk does not answer");
	pthread_detach(thread);
}

void
capture_writer_counts(struct capture_writer *w, struct capture_counts *ret_counts)
{
	*ret_counts = (struct capture_counts){
	    .files = atomic_load(&w->n_files),
	    .events = atomic_load(&w->n_events),
	    .dropped_full = atomic_load(&w->dropped_full),
	    .dropped_large = atomic_load(&w->dropped_large),
	    .failed = atomic_load(&w->failed),
	};
}

static bool
put(struct capture_file *f, enum entry what, const void *p, uint32_t len)
{
	struct capture_writer *w = f->writer;

	if (!queue_put(&w->queue, f->number * ENTRY_N + what, p, len))
		return false;
	queue_flush(&w->queue);
	w->put++;
	atomic_fetch_add(&w->waiting_bytes, len);
	return true;
}

static bool
put_event(struct capture_file *f, enum entry what, const void *p, uint32_t len)
{
	return atomic_load(&f->writer->waiting_bytes) + len <=
		   LIMIT_CAPTURE_QUEUE_BYTES &&
	       put(f, what, p, len);
}

/* Until there is room, while the thread gets on. */
static bool
put_waiting(struct capture_file *f, const void *p, uint32_t len)
{
	static const struct timespec look = {.tv_nsec = ROOM_LOOK_NS};
	struct capture_writer *w = f->writer;
	uint64_t since = clock_mono_ns(), done = atomic_load(&w->done);

	if (w->stalled_at == done + 1)
		return false;
	for (;;) {
		nanosleep(&look, NULL);
		if (put_event(f, ENTRY_EVENT, p, len))
			return true;
		if (atomic_load(&w->done) != done) {
			done = atomic_load(&w->done);
			since = clock_mono_ns();
		} else if (clock_mono_ns() - since >
			   LIMIT_CAPTURE_STALL_MS * 1000000ull) {
			w->stalled_at = done + 1;
			return false;
		}
	}
}

static void
put_step(struct capture_file *f, enum entry what, const void *p, uint32_t len)
{
	if (!put(f, what, p, len))
		atomic_store(&f->state, CAPTURE_FAILED);
}

struct capture_file *
capture_file_open(struct capture_writer *w, const char *path, uint64_t max_bytes,
    unsigned flags, struct err *err)
{
	char line[1 + LIMIT_CAPTURE_PATH_BYTES];
	struct capture_file *f = NULL;
	size_t len = strlen(path);

	if (len >= LIMIT_CAPTURE_PATH_BYTES) {
		err_set(err, ERR_LIMIT, "the path of the capture file is too long");
		return NULL;
	}
	for (uint32_t i = 0; !f && i < LIMIT_CAPTURE_FILES; i++) {
		if (!w->file[i].is_used && atomic_load(&w->file[i].state) == CAPTURE_FREE)
			f = &w->file[i];
	}
	if (!f) {
		err_set(err, ERR_LIMIT, "too many capture files are open");
		return NULL;
	}
	f->is_used = true;
	f->max_bytes = max_bytes;
	atomic_store(&f->bytes, 0);
	atomic_store(&f->state, CAPTURE_OPEN);
	line[0] = (char)flags;
	memcpy(line + 1, path, len);
	put_step(f, ENTRY_OPEN, line, (uint32_t)len + 1);
	return f;
}

void
capture_file_put_state(struct capture_file *f, const void *event, uint32_t len)
{
	if (!put_event(f, ENTRY_STATE, event, len))
		atomic_fetch_add(&f->writer->dropped_full, 1);
}

void
capture_file_state_told(struct capture_file *f)
{
	put_step(f, ENTRY_TOLD, "", 0);
}

void
capture_file_put(struct capture_file *f, const void *event, uint32_t len, bool waits)
{
	if (!put_event(f, ENTRY_EVENT, event, len) &&
	    !(waits && put_waiting(f, event, len)))
		atomic_fetch_add(&f->writer->dropped_full, 1);
}

enum capture_state
capture_file_state(const struct capture_file *f)
{
	return (enum capture_state)atomic_load(&f->state);
}

uint64_t
capture_file_bytes(const struct capture_file *f)
{
	return atomic_load(&f->bytes);
}

void
capture_file_close(struct capture_file *f)
{
	f->is_used = false;
	put_step(f, ENTRY_CLOSE, "", 0);
}
