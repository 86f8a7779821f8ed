/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/outputs/spool.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "base/limits.h"

enum {
	SEGMENT_BYTES = 4 << 20, /* a new file past this size */
	RECORD_MAGIC = 0x3150534d,
	POSITION_MAGIC = 0x3150504d,
};

struct record_head {
	uint32_t magic, len, crc;
};

/* Where the oldest record that is not done begins; in a file of its own. */
struct position {
	uint32_t magic, crc;
	uint64_t segment, offset;
};

struct spool {
	pthread_mutex_t lock;
	int dir_fd, lock_fd, position_fd;
	uint64_t max_bytes, bytes; /* of all segments, what is done not counted */
	uint64_t damaged;
	/* Segments first … last; the last is written to. */
	uint64_t first, last;
	int read_fd, write_fd;
	uint64_t read_at, write_at;
	uint32_t next_len; /* of the record at read_at once it was read; 0: it was not */
};

static void
segment_name(char *out, size_t size, uint64_t number)
{
	snprintf(out, size, "%016" PRIx64 ".seg", number);
}

static int
segment_open(const struct spool *s, uint64_t number, int flags)
{
	char name[32];

	segment_name(name, sizeof(name), number);
	return openat(s->dir_fd, name, flags | O_CLOEXEC, 0600);
}

static uint64_t
size_of(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && st.st_size > 0 ? (uint64_t)st.st_size : 0;
}

/* The record at "at": its length, and its text when out is not NULL. False: there is none
 * that is whole. */
static bool
read_record(int fd, uint64_t at, uint64_t size, uint32_t *ret_len, struct buf *out)
{
	struct record_head h;

	if (size - at < sizeof(h) || pread(fd, &h, sizeof(h), (off_t)at) != sizeof(h) ||
	    h.magic != RECORD_MAGIC || h.len > LIMIT_OUTPUT_LINE_BYTES ||
	    h.len > size - at - sizeof(h))
		return false;
	buf_clear(out);
	if (!buf_reserve(out, h.len + 1) ||
	    pread(fd, out->data, h.len, (off_t)(at + sizeof(h))) != (ssize_t)h.len)
		return false;
	out->data[h.len] = '\0';
	out->len = h.len;
	*ret_len = h.len;
	return crc32(0, (const Bytef *)out->data, h.len) == h.crc;
}

static uint32_t
position_crc(const struct position *p)
{
	return (uint32_t)crc32(0, (const Bytef *)&p->segment, 2 * sizeof(uint64_t));
}

static void
save_position(struct spool *s)
{
	struct position p = {
	    .magic = POSITION_MAGIC, .segment = s->first, .offset = s->read_at};

	p.crc = position_crc(&p);
	/* Should it not be written, lines are delivered again: that is allowed. */
	(void)!pwrite(s->position_fd, &p, sizeof(p), 0);
}

static void
load_position(struct spool *s)
{
	struct position p;

	s->read_at = 0;
	if (pread(s->position_fd, &p, sizeof(p), 0) == sizeof(p) &&
	    p.magic == POSITION_MAGIC && p.crc == position_crc(&p) &&
	    p.segment == s->first)
		s->read_at = p.offset;
	/* Behind what had to be cut off there is nothing that was read. */
	if (s->first == s->last && s->read_at > s->write_at)
		s->read_at = s->write_at;
}

/* The first and the last segment that are there; true when there are any. */
static bool
find_segments(struct spool *s)
{
	DIR *d = fdopendir(dup(s->dir_fd));
	struct dirent *e;
	bool any = false;

	if (!d)
		return false;
	rewinddir(d);
	while ((e = readdir(d))) {
		uint64_t n;
		char tail[8];
		if (sscanf(e->d_name, "%16" SCNx64 "%7s", &n, tail) != 2 ||
		    strcmp(tail, ".seg") != 0)
			continue;
		if (!any || n < s->first)
			s->first = n;
		if (!any || n > s->last)
			s->last = n;
		any = true;
	}
	closedir(d);
	return any;
}

/* Whole records of the last segment; what is torn behind them is cut off. */
static bool
mend_last(struct spool *s, struct err *err)
{
	uint64_t size = size_of(s->write_fd), at = 0;
	struct buf text;
	uint32_t len;

	buf_init(&text, LIMIT_OUTPUT_LINE_BYTES + 1);
	while (at < size && read_record(s->write_fd, at, size, &len, &text))
		at += sizeof(struct record_head) + len;
	buf_release(&text);
	s->write_at = at;
	if (at == size)
		return true;
	s->damaged++;
	return ftruncate(s->write_fd, (off_t)at) == 0 || err_sys(err, "ftruncate");
}

static void
count_bytes(struct spool *s)
{
	s->bytes = 0;
	for (uint64_t n = s->first; n <= s->last; n++) {
		int fd = segment_open(s, n, O_RDONLY);
		if (fd < 0)
			continue;
		s->bytes += size_of(fd);
		close(fd);
	}
	s->bytes -= s->read_at < s->bytes ? s->read_at : s->bytes;
}

static bool
open_all(struct spool *s, const char *dir, struct err *err)
{
	if (mkdir(dir, 0700) < 0 && errno != EEXIST)
		return err_sys(err, "%s", dir);
	s->dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s->dir_fd < 0)
		return err_sys(err, "%s", dir);
	s->lock_fd = openat(s->dir_fd, "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (s->lock_fd < 0)
		return err_sys(err, "%s/lock", dir);
	if (flock(s->lock_fd, LOCK_EX | LOCK_NB) < 0)
		return err_set(err, ERR_USAGE, "%s is used by another mews", dir);
	s->position_fd =
	    openat(s->dir_fd, "position", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (s->position_fd < 0)
		return err_sys(err, "%s/position", dir);
	if (!find_segments(s))
		s->first = s->last = 1;
	s->write_fd = segment_open(s, s->last, O_RDWR | O_CREAT);
	if (s->write_fd < 0)
		return err_sys(err, "%s: a segment", dir);
	if (!mend_last(s, err))
		return false;
	load_position(s);
	count_bytes(s);
	return true;
}

struct spool *
spool_open(const char *dir, uint64_t max_bytes, struct err *err)
{
	struct spool *s = calloc(1, sizeof(*s));

	if (!s) {
		err_nomem(err);
		return NULL;
	}
	pthread_mutex_init(&s->lock, NULL);
	s->dir_fd = s->lock_fd = s->position_fd = s->read_fd = s->write_fd = -1;
	s->max_bytes = max_bytes;
	if (open_all(s, dir, err))
		return s;
	spool_close(s);
	return NULL;
}

static void
close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void
spool_close(struct spool *s)
{
	if (!s)
		return;
	close_fd(&s->read_fd);
	close_fd(&s->write_fd);
	close_fd(&s->position_fd);
	close_fd(&s->lock_fd);
	close_fd(&s->dir_fd);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

static bool
write_record(struct spool *s, const char *line, size_t len, struct err *err)
{
	struct record_head h = {RECORD_MAGIC, (uint32_t)len,
	    (uint32_t)crc32(0, (const Bytef *)line, (uInt)len)};

	if (pwrite(s->write_fd, &h, sizeof(h), (off_t)s->write_at) == sizeof(h) &&
	    pwrite(s->write_fd, line, len, (off_t)(s->write_at + sizeof(h))) ==
		(ssize_t)len)
		return true;
	err_sys(err, "spool");
	/* Half of a record must not be in the way of the next. */
	if (ftruncate(s->write_fd, (off_t)s->write_at) < 0)
		s->damaged++;
	return false;
}

static bool
next_segment(struct spool *s, struct err *err)
{
	int fd = segment_open(s, s->last + 1, O_RDWR | O_CREAT | O_TRUNC);

	if (fd < 0)
		return err_sys(err, "spool: a new segment");
	close(s->write_fd);
	s->write_fd = fd;
	s->write_at = 0;
	s->last++;
	return true;
}

bool
spool_put(struct spool *s, const char *line, size_t len, struct err *err)
{
	uint64_t size = sizeof(struct record_head) + len;
	bool done;

	pthread_mutex_lock(&s->lock);
	if (s->bytes + size > s->max_bytes || len > LIMIT_OUTPUT_LINE_BYTES)
		done = err_set(err, ERR_LIMIT, "the spool is full");
	else
		done = (s->write_at < SEGMENT_BYTES || next_segment(s, err)) &&
		       write_record(s, line, len, err);
	if (done) {
		s->write_at += size;
		s->bytes += size;
	}
	pthread_mutex_unlock(&s->lock);
	return done;
}

/* The segment at hand is through: it goes, and the next is opened. */
static void
drop_segment(struct spool *s)
{
	char name[32];

	close_fd(&s->read_fd);
	segment_name(name, sizeof(name), s->first);
	s->first++;
	s->read_at = 0;
	save_position(s);
	unlinkat(s->dir_fd, name, 0);
}

static bool
take(struct spool *s, struct buf *out)
{
	for (;;) {
		uint64_t size;

		if (s->read_fd < 0)
			s->read_fd = segment_open(s, s->first, O_RDONLY);
		size = s->first == s->last ? s->write_at
		       : s->read_fd >= 0   ? size_of(s->read_fd)
					   : 0;
		if (s->read_at < size && s->read_fd >= 0 &&
		    read_record(s->read_fd, s->read_at, size, &s->next_len, out))
			return true;
		if (s->read_at < size) {
			/* Lengths cannot be trusted behind it: the rest of the file. */
			s->damaged++;
			s->bytes -= size - s->read_at;
			s->read_at = size;
		}
		if (s->first == s->last)
			return false;
		drop_segment(s);
	}
}

bool
spool_next(struct spool *s, struct buf *out)
{
	bool any;

	pthread_mutex_lock(&s->lock);
	any = take(s, out);
	pthread_mutex_unlock(&s->lock);
	return any;
}

void
spool_done(struct spool *s)
{
	pthread_mutex_lock(&s->lock);
	s->read_at += sizeof(struct record_head) + s->next_len;
	s->bytes -= sizeof(struct record_head) + s->next_len;
	save_position(s);
	pthread_mutex_unlock(&s->lock);
}

void
spool_counts(struct spool *s, struct spool_counts *ret_counts)
{
	pthread_mutex_lock(&s->lock);
	*ret_counts = (struct spool_counts){.bytes = s->bytes, .damaged = s->damaged};
	pthread_mutex_unlock(&s->lock);
}
