/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "base/limits.h"
#include "broker/capture/scap.h"
#include "proto/async.h"
#include "proto/plugin_api.h"

enum {
	BYTE_ORDER_MAGIC = 0x1a2b3c4d,
	MAJOR = 1,
	MINOR = 2,
	BLOCK_HEAD = 8,
	BLOCK_TAIL = 4,
	SECTION_BODY = 16,
	EVENT_HEAD = sizeof(struct plugin_event),
	OLD_EVENT_HEAD = EVENT_HEAD - 4, /* without nparams */
	PADDING = 3,                     /* bytes behind an event, at most */
	/* Blocks that are not large have so much behind their head, at most. */
	SMALL_BLOCK = 1 << 16,
	READ_AHEAD = 128 << 10, /* what zlib keeps of the file */
};

/* Types of events that a file begins with: how things were before. */
static const uint16_t state_types[] = {
    228, /* containers */
    272,
    324,
    354, /* users and groups that came and went */
    356,
    358,
    360,
    PLUGIN_ASYNC_EVENT_TYPE,
};

struct block_head {
	uint32_t type, len; /* len: of everything */
};

struct scap_reader {
	gzFile file;
	char *name;
	uint64_t n_block;
	struct block_head head; /* of the block that is next */
	bool has_head;
	bool leading; /* nothing but state in this section so far */
	bool failed;
	struct scap_counts counts;
	_Alignas(8) uint8_t event[LIMIT_EVENT_BYTES + PADDING];
};

/* Reading. */

/* What zlib has to say, if anything. */
static bool
fail_by_zlib(struct scap_reader *r, struct err *err)
{
	int number;
	const char *text = gzerror(r->file, &number), *colon;

	if (number == Z_OK)
		return true;
	if (number == Z_ERRNO)
		text = strerror(errno);
	/* It knows the file by its descriptor. */
	else if (*text == '<' && (colon = strstr(text, ": ")))
		text = colon + 2;
	return err_set(err, ERR_SYNTAX, "error reading file: %s: %s, ernum=%d", r->name,
	    text, number);
}

/* Falco names a line of its own source here; the number of the block says more. */
static bool
fail_short(struct scap_reader *r, unsigned wanted, unsigned got, struct err *err)
{
	return err_set(err, ERR_SYNTAX,
	    "expecting %u bytes, read %u at %s, line %llu. Is the file truncated?",
	    wanted, got, r->name, (unsigned long long)r->n_block);
}

/* n bytes of a part of "whole", of which "done" were read before. */
static bool
read_part(struct scap_reader *r, void *to, uint32_t n, uint32_t done, uint32_t whole,
    struct err *err)
{
	int got = gzread(r->file, to, n);

	if (got == (int)n)
		return true;
	if (got < 0)
		return fail_by_zlib(r, err);
	return fail_short(r, whole, done + (unsigned)got, err);
}

static bool
read_exactly(struct scap_reader *r, void *to, uint32_t n, struct err *err)
{
	return read_part(r, to, n, 0, n, err);
}

static bool
skip(struct scap_reader *r, uint32_t n, struct err *err)
{
	uint8_t waste[4096];

	while (n > 0) {
		unsigned part = n < sizeof(waste) ? n : (unsigned)sizeof(waste);
		if (!read_exactly(r, waste, part, err))
			return false;
		n -= part;
	}
	return true;
}

/* The head of the next block. *ret_end: there is none, and should be none. */
static bool
read_head(struct scap_reader *r, bool *ret_end, struct err *err)
{
	int got;

	*ret_end = false;
	if (r->has_head)
		return true;
	r->n_block++;
	got = gzread(r->file, &r->head, BLOCK_HEAD);
	if (got == BLOCK_HEAD) {
		r->has_head = true;
		return true;
	}
	if (got > 0)
		return fail_short(r, BLOCK_HEAD, (unsigned)got, err);
	/* A compressed file that breaks off between two blocks. */
	if (!fail_by_zlib(r, err))
		return false;
	*ret_end = true;
	return true;
}

static bool
fail_length(const struct scap_reader *r, struct err *err)
{
	return err_set(err, ERR_SYNTAX, "block length too short %u", r->head.len);
}

static bool
read_tail(struct scap_reader *r, struct err *err)
{
	uint32_t tail;

	if (!read_exactly(r, &tail, sizeof(tail), err))
		return false;
	if (tail != r->head.len)
		return err_set(err, ERR_SYNTAX,
		    "wrong block total length, header=%u, trailer=%u", r->head.len, tail);
	r->has_head = false;
	return true;
}

/* Blocks. */

enum block_kind {
	KIND_META, /* those that nobody knows, too */
	KIND_HEAD,
	KIND_EVENT,
	KIND_LEGACY,
};

static enum block_kind
kind_of(uint32_t type)
{
	switch (type) {
#define SCAP_BLOCK_KIND(id, number, kind)                                                \
	case number:                                                                     \
		return KIND_##kind;
		SCAP_BLOCKS(SCAP_BLOCK_KIND)
#undef SCAP_BLOCK_KIND
	default:
		return KIND_META;
	}
}

static bool
read_section_head(struct scap_reader *r, struct err *err)
{
	struct {
		uint32_t magic;
		uint16_t major, minor;
		uint64_t length;
	} section;

	_Static_assert(sizeof(section) == SECTION_BODY, "section header");
	if (r->head.type != SCAP_SECTION)
		return err_set(err, ERR_SYNTAX, "invalid block type");
	if (!read_exactly(r, &section, sizeof(section), err))
		return false;
	if (section.magic != BYTE_ORDER_MAGIC)
		return err_set(err, ERR_SYNTAX, "invalid magic number");
	if (section.major != MAJOR || section.minor > MINOR)
		return err_set(err, ERR_SYNTAX,
		    "cannot correctly parse the capture. Upgrade your version.");
	r->counts.sections++;
	r->leading = true;
	return read_tail(r, err);
}

/* A section up to its first event. *ret_end: it has none. */
static bool
read_section(struct scap_reader *r, bool *ret_end, struct err *err)
{
	if (!read_section_head(r, err))
		return false;
	while (read_head(r, ret_end, err)) {
		enum block_kind kind = kind_of(r->head.type);

		if (*ret_end || kind == KIND_EVENT || kind == KIND_LEGACY)
			return true;
		if (r->head.len < BLOCK_HEAD + BLOCK_TAIL)
			return fail_length(r, err);
		if (!skip(r, r->head.len - BLOCK_HEAD - BLOCK_TAIL, err) ||
		    !read_tail(r, err))
			return false;
	}
	return false;
}

/* Events. */

static bool
fail_event(const char *why, struct err *err)
{
	return err_set(err, ERR_SYNTAX, "invalid event: %s", why);
}

/* What a plugin event must be, whoever wrote it. */
static bool
check_plugin_event(struct scap_event *e, const struct plugin_event *h, struct err *err)
{
	uint32_t n[2];

	if (h->nparams != 2 || h->len < PLUGIN_EVENT_PAYLOAD_OFF)
		return fail_event("a plugin event without its parameters", err);
	memcpy(n, e->bytes + EVENT_HEAD, sizeof(n));
	if (n[0] != sizeof(e->plugin_id) || n[1] != h->len - PLUGIN_EVENT_PAYLOAD_OFF)
		return fail_event("a plugin event's parameters do not fill it", err);
	memcpy(&e->plugin_id, e->bytes + EVENT_HEAD + sizeof(n), sizeof(e->plugin_id));
	return true;
}

static bool
check_async_event(struct scap_event *e, struct err *err)
{
	struct async_view v;

	if (!async_check(&v, e->bytes, e->len, err))
		return err_wrap(err, "invalid event");
	e->async_name = v.name;
	memcpy(&e->plugin_id, e->bytes + ASYNC_ID_OFF, sizeof(e->plugin_id));
	return true;
}

/* Of other types the lengths have two bytes mostly, but not always: more than that they
 * are within the event is not known here. */
static bool
check_event(struct scap_event *e, const struct plugin_event *h, struct err *err)
{
	if (h->type >= PLUGIN_EVENT_TYPES_N)
		return true;
	if (h->type == PLUGIN_EVENT_TYPE)
		return check_plugin_event(e, h, err);
	if (h->type == PLUGIN_ASYNC_EVENT_TYPE)
		return check_async_event(e, err);
	if ((uint64_t)h->nparams * sizeof(uint16_t) > h->len - EVENT_HEAD)
		return fail_event("more parameters than it has room for", err);
	return true;
}

static bool
is_state_type(uint16_t type)
{
	for (size_t i = 0; i < sizeof(state_types) / sizeof(*state_types); i++) {
		if (state_types[i] == type)
			return true;
	}
	return false;
}

/* The rest of a block whose event is not wanted; its header, which is read, says what it
 * is. */
static enum scap_rc
skip_event(struct scap_reader *r, struct scap_event *e, uint32_t rest, struct err *err)
{
	e->bytes = NULL;
	r->leading = false;
	if (!skip(r, rest, err))
		return SCAP_FAILED;
	r->has_head = false;
	return SCAP_SKIPPED;
}

/* The block at hand, which holds an event. */
static enum scap_rc
read_event(struct scap_reader *r, struct scap_event *e, struct err *err)
{
	const struct block_head *head = &r->head;
	const bool is_old = kind_of(head->type) == KIND_LEGACY;
	const bool has_flags = head->type == SCAP_EVENT_FLAGS ||
			       head->type == SCAP_EVENT_FLAGS_LARGE ||
			       head->type == SCAP_EVENT_FLAGS_OLD;
	const bool is_large =
	    head->type == SCAP_EVENT_LARGE || head->type == SCAP_EVENT_FLAGS_LARGE;
	const uint32_t before = has_flags ? 6 : 2; /* u16 cpu, u32 flags */
	const uint32_t event_head = is_old ? OLD_EVENT_HEAD : EVENT_HEAD;
	uint8_t pre[6] = {0};
	const uint32_t body = head->len - BLOCK_HEAD;
	uint32_t flags = 0, room, tail;
	struct plugin_event h = {0};

	if (head->len < BLOCK_HEAD + before + event_head + BLOCK_TAIL) {
		fail_length(r, err);
		return SCAP_FAILED;
	}
	if (!is_large && body > SMALL_BLOCK) {
		err_set(err, ERR_SYNTAX,
		    "event block length %u greater than NON-LARGE read buffer size %u",
		    body, SMALL_BLOCK);
		return SCAP_FAILED;
	}
	/* The trailer is the last four bytes, behind the padding. */
	room = body - before - BLOCK_TAIL;
	if (!read_part(r, pre, before, 0, body, err) ||
	    !read_part(r, r->event, event_head, before, body, err))
		return SCAP_FAILED;
	if (has_flags)
		memcpy(&flags, pre + 2, sizeof(flags));
	memcpy(&h, r->event, event_head);
	*e = (struct scap_event){
	    .bytes = r->event, .len = h.len, .ts_ns = h.ts, .type = h.type};
	if (h.len < event_head || h.len > room) {
		fail_event("its length is not the block's", err);
		return SCAP_FAILED;
	}
	if (is_old || h.len > LIMIT_EVENT_BYTES || room > sizeof(r->event)) {
		*(is_old ? &r->counts.legacy : &r->counts.large) += 1;
		return skip_event(r, e, room - event_head + BLOCK_TAIL, err);
	}
	/* Of events the trailer is not looked at, by Falco neither. */
	if (!read_part(r, r->event + event_head, room - event_head, before + event_head,
		body, err) ||
	    !read_part(r, &tail, sizeof(tail), before + room, body, err) ||
	    !check_event(e, &h, err))
		return SCAP_FAILED;
	r->has_head = false;
	r->leading = r->leading && is_state_type(e->type);
	e->is_state = r->leading || (flags & SCAP_FLAG_STATE);
	return SCAP_GOT_EVENT;
}

static enum scap_rc
next(struct scap_reader *r, struct scap_event *e, struct err *err)
{
	enum scap_rc rc;
	bool is_end;

	for (;;) {
		if (!read_head(r, &is_end, err))
			return SCAP_FAILED;
		if (is_end)
			return SCAP_END;
		enum block_kind kind = kind_of(r->head.type);
		if (kind == KIND_META || kind == KIND_HEAD) {
			/* Another file behind this one. */
			if (!read_section(r, &is_end, err))
				return SCAP_FAILED;
			continue;
		}
		rc = read_event(r, e, err);
		if (rc == SCAP_FAILED || e->type < PLUGIN_EVENT_TYPES_N)
			return rc;
		r->counts.unknown++;
	}
}

enum scap_rc
scap_reader_next(struct scap_reader *r, struct scap_event *ret_event, struct err *err)
{
	enum scap_rc rc;

	if (r->failed) {
		err_set(err, ERR_SYNTAX, "the file cannot be read any further");
		return SCAP_FAILED;
	}
	rc = next(r, ret_event, err);
	r->failed = rc == SCAP_FAILED;
	r->counts.events += rc == SCAP_GOT_EVENT;
	return rc;
}

bool
scap_reader_is_opening(const struct scap_reader *r)
{
	return r->leading && r->counts.sections == 1;
}

const struct scap_counts *
scap_reader_counts(const struct scap_reader *r)
{
	return &r->counts;
}

/* Opening. */

static bool
read_start(struct scap_reader *r, struct err *err)
{
	bool is_end;

	if (!read_head(r, &is_end, err))
		return false;
	if (is_end)
		return fail_short(r, BLOCK_HEAD, 0, err);
	if (!read_section(r, &is_end, err))
		return false;
	return !is_end || err_set(err, ERR_SYNTAX, "no events in file");
}

struct scap_reader *
scap_reader_fdopen(int fd, const char *name, struct err *err)
{
	struct scap_reader *r = calloc(1, sizeof(*r));

	if (!r || !(r->name = strdup(name)) || !(r->file = gzdopen(fd, "rb"))) {
		err_nomem(err);
		close(fd);
		scap_reader_free(r);
		return NULL;
	}
	gzbuffer(r->file, READ_AHEAD);
	if (read_start(r, err))
		return r;
	scap_reader_free(r);
	return NULL;
}

struct scap_reader *
scap_reader_open(const char *path, struct err *err)
{
	/* Not to wait where something else than a file stands. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;

	if (fd < 0) {
		err_set(err, ERR_SYS, "%s", strerror(errno));
		return NULL;
	}
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		close(fd);
		err_set(err, ERR_USAGE, "not a file");
		return NULL;
	}
	return scap_reader_fdopen(fd, path, err);
}

void
scap_reader_free(struct scap_reader *r)
{
	if (!r)
		return;
	if (r->file)
		gzclose(r->file);
	free(r->name);
	free(r);
}
