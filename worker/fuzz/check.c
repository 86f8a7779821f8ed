/* SPDX-License-Identifier: Apache-2.0 */
/* What a plugin returned, against what the interface promises. */
#include <inttypes.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "worker/fuzz/coverage.h"
#include "worker/fuzz/hooks.h"
#include "worker/fuzz/target.h"
#include "worker/fuzz/trap.h"

enum {
	/* A list longer than this is a length that was never set. */
	VALUES_MAX = 1 << 20,
	TEXT_MAX = 64 << 20,
};

static uint64_t
hash_text(const char *s)
{
	uint64_t h = 0xcbf29ce484222325ull;

	for (; *s; s++)
		h = (h ^ (uint8_t)*s) * 0x100000001b3ull;
	return h;
}

/* Asynchronous events come from threads of the plugin's. */
static pthread_mutex_t finds_lock = PTHREAD_MUTEX_INITIALIZER;

static void
add_find(struct fuzz_up *up, enum fuzz_find_kind kind, const uint8_t *bytes, uint32_t n,
    const char *message)
{
	uint32_t at = up->finds_bytes, len = message ? (uint32_t)strlen(message) : 0;
	struct fuzz_find_head head = {kind, n, len};

	if (at > FUZZ_FIND_BYTES || FUZZ_FIND_BYTES - at < sizeof(head) + n + len)
		return;
	memcpy(up->finds + at, &head, sizeof(head));
	memcpy(up->finds + at + sizeof(head), bytes, n);
	if (len > 0)
		memcpy(up->finds + at + sizeof(head) + n, message, len);
	up->finds_bytes = at + (uint32_t)sizeof(head) + n + len;
}

void
target_find(struct fuzz_up *up, enum fuzz_find_kind kind, const uint8_t *bytes,
    uint32_t n, const char *message)
{
	pthread_mutex_lock(&finds_lock);
	add_find(up, kind, bytes, n, message);
	pthread_mutex_unlock(&finds_lock);
}

void
target_breach(struct target *t, const char *fmt, ...)
{
	char text[FUZZ_MESSAGE_BYTES];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	uint64_t h = hash_text(text);
	for (uint32_t i = 0; i < t->up->n_breaches && i < FUZZ_BREACHES; i++)
		if (t->up->breach[i] == h)
			return;
	if (t->up->n_breaches >= FUZZ_BREACHES)
		return;
	t->up->breach[t->up->n_breaches++] = h;
	target_find(t->up, FUZZ_FIND_BREACH, t->up->test_case, t->up->case_len, text);
}

/* Looking at memory that may not be there. */

enum verdict {
	READABLE,
	FREED,
	UNREADABLE
};

struct look {
	const void *p;
	size_t n; /* SIZE_MAX: a text */
};

static enum verdict
look(struct look l)
{
	volatile enum verdict v = UNREADABLE;

	if (sigsetjmp(trap_back, 0) == 0) {
		trap_reading(true);
		size_t n = l.n == SIZE_MAX ? strnlen(l.p, TEXT_MAX) : l.n;
		for (size_t i = 0; i < n; i += 64)
			(void)((const volatile uint8_t *)l.p)[i];
		if (n > 0)
			(void)((const volatile uint8_t *)l.p)[n - 1];
		v = hooks_looks_freed(l.p, n) ? FREED : READABLE;
	}
	trap_reading(false);
	return v;
}

static bool
may_read(struct target *t, const char *whose, const char *what, struct look l)
{
	switch (look(l)) {
	case READABLE:
		return true;
	case FREED:
		target_breach(t, "%s: %s points to memory that was freed", whose, what);
		return false;
	default:
		target_breach(t, "%s: %s cannot be read", whose, what);
		return false;
	}
}

/* Fields. */

static void
check_values(struct target *t, const char *name, const struct plugin_extract_field *f,
    uint32_t type)
{
	size_t size = type == PLUGIN_FIELD_BOOL ? 4 : 8;
	bool buffers = type == PLUGIN_FIELD_IPADDR || type == PLUGIN_FIELD_IPNET;

	if (buffers)
		size = sizeof(struct plugin_byte_buffer);
	if (!may_read(t, name, "its array of values",
		(struct look){f->res.str, f->res_len * size}))
		return;
	for (uint64_t i = 0; i < f->res_len; i++) {
		if (type == PLUGIN_FIELD_STRING && f->res.str[i]) {
			if (!may_read(t, name, "a text",
				(struct look){f->res.str[i], SIZE_MAX}))
				return;
		} else if (type == PLUGIN_FIELD_BOOL && f->res.boolean[i] > 1) {
			target_breach(t, "%s: a boolean is neither 0 nor 1", name);
			return;
		} else if (buffers && f->res.buf[i].ptr) {
			uint32_t n = f->res.buf[i].len;
			if (type == PLUGIN_FIELD_IPADDR && n != 4 && n != 16) {
				target_breach(t, "%s: an address of %u bytes", name, n);
				return;
			}
			if (!may_read(t, name, "an address",
				(struct look){f->res.buf[i].ptr, n}))
				return;
		}
	}
}

void
check_fields(struct target *t, const struct plugin_extract_field *asked,
    const struct plugin_extract_field *got, uint32_t n)
{
	t->up->stage = FUZZ_STAGE_CHECK;
	for (uint32_t i = 0; i < n; i++) {
		const struct plugin_extract_field *f = &got[i], *a = &asked[i];
		if (f->field_id != a->field_id || f->field != a->field ||
		    f->arg_key != a->arg_key || f->arg_index != a->arg_index ||
		    f->arg_present != a->arg_present || f->ftype != a->ftype ||
		    f->flist != a->flist)
			target_breach(t, "%s: what was asked for was changed", a->field);
		else if (f->res_len == 0)
			continue;
		else if (!a->flist && f->res_len > 1)
			target_breach(
			    t, "%s: several values, and it is no list", a->field);
		else if (f->res_len > VALUES_MAX)
			target_breach(t, "%s: a list of impossible length", a->field);
		else if (!f->res.str)
			target_breach(t, "%s: values at NULL", a->field);
		else
			check_values(t, a->field, f, a->ftype);
	}
}

void
check_rc(struct target *t, const char *call, int32_t rc)
{
	if (rc < PLUGIN_TIMEOUT || rc > PLUGIN_NOT_SUPPORTED)
		target_breach(t, "%s: returned a code that is none", call);
}

void
check_text(struct target *t, const char *call, const char *text)
{
	if (text)
		may_read(t, call, "its text", (struct look){text, SIZE_MAX});
}

/* Events. */

static uint32_t
load_u32(const void *p, size_t off)
{
	uint32_t v;

	memcpy(&v, (const char *)p + off, sizeof(v));
	return v;
}

/* Whole: a header, lengths, and parameters that fill the event and no more. */
static bool
check_event(struct target *t, const char *call, const struct plugin_event *e)
{
	const size_t head = sizeof(*e);

	if (!e) {
		target_breach(t, "%s: an event at NULL", call);
		return false;
	}
	if (!may_read(t, call, "an event", (struct look){e, head}))
		return false;
	if (e->len < head || e->nparams > (e->len - head) / sizeof(uint32_t)) {
		target_breach(t, "%s: an event that is shorter than its head", call);
		return false;
	}
	if (!may_read(t, call, "an event", (struct look){e, e->len}))
		return false;
	uint64_t need = head + e->nparams * sizeof(uint32_t);
	for (uint32_t i = 0; i < e->nparams; i++)
		need += load_u32(e, head + i * sizeof(uint32_t));
	if (need > e->len) {
		target_breach(t, "%s: an event's parameters are longer than it is", call);
		return false;
	}
	return true;
}

static void
check_plugin_event(struct target *t, const struct plugin_event *e)
{
	const Control__Loaded *info = &t->plugin.info;

	if (info->id == 0 && e->type != PLUGIN_EVENT_TYPE)
		return;
	if (e->type != PLUGIN_EVENT_TYPE || e->nparams != 2 ||
	    load_u32(e, sizeof(*e)) != sizeof(uint32_t)) {
		target_breach(t, "next_batch: an event that is no plugin event");
		return;
	}
	uint32_t id = load_u32(e, sizeof(*e) + 2 * sizeof(uint32_t));
	if (id != 0 && info->id != 0 && id != info->id)
		target_breach(t, "next_batch: an event of another plugin's id");
	else if (e->len > LIMIT_EVENT_BYTES)
		target_breach(t, "next_batch: an event larger than any may be");
}

bool
check_events(struct target *t, struct plugin_event *const *event, uint32_t n)
{
	t->up->stage = FUZZ_STAGE_CHECK;
	if (n == 0)
		return true;
	if (n > LIMIT_BATCH_EVENTS) {
		target_breach(t, "next_batch: an impossible number of events");
		return false;
	}
	if (!may_read(t, "next_batch", "its array of events",
		(struct look){event, n * sizeof(*event)}))
		return false;
	for (uint32_t i = 0; i < n; i++) {
		if (!check_event(t, "next_batch", event[i]))
			return false;
		check_plugin_event(t, event[i]);
	}
	return true;
}

void
check_async_event(struct target *t, const struct plugin_event *e)
{
	const struct name_list *names = &t->plugin.async_events;
	const size_t head = sizeof(*e) + 3 * sizeof(uint32_t);

	if (!check_event(t, "async event", e))
		return;
	if (e->type != PLUGIN_ASYNC_EVENT_TYPE || e->nparams != 3) {
		target_breach(t, "async event: it is none");
		return;
	}
	uint32_t n = load_u32(e, sizeof(*e) + sizeof(uint32_t));
	const char *name = (const char *)e + head + load_u32(e, sizeof(*e));
	if (n == 0 || name[n - 1] != '\0')
		target_breach(t, "async event: its name has no end");
	else if (!name_list_has(names, name))
		target_breach(t, "async event: a name that the plugin did not list");
}
