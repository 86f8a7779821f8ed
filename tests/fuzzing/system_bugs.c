/* SPDX-License-Identifier: Apache-2.0 */
/* Wants two events of system calls: a crash when the descriptor that open gave for a path
 * under /flag is closed. Each event is told when it is not what a driver sends. */
#define KIT_NAME "bug"
#define KIT_OWN_get_id
#define KIT_OWN_get_event_source
#define KIT_OWN_open
#define KIT_OWN_close
#define KIT_OWN_next_batch
#define KIT_OWN_get_fields
#define KIT_OWN_extract_fields
#include "tests/plugins/kit.h"

enum {
	OPEN_EXIT = 3,  /* fd, name, flags, mode, dev, ino */
	CLOSE_ENTER = 4 /* fd */
};

const char *
plugin_get_parse_event_sources(void)
{
	return "[\"syscall\"]";
}

uint16_t *
plugin_get_parse_event_types(uint32_t *n, plugin_state *s)
{
	static uint16_t types[] = {OPEN_EXIT, CLOSE_ENTER};

	(void)s;
	*n = 2;
	return types;
}

/* A parameter of an event whose lengths have two bytes; NULL: it is empty. */
static const unsigned char *
param(const struct plugin_event *e, unsigned i, uint16_t *ret_len)
{
	const unsigned char *lens = (const unsigned char *)(e + 1);
	const unsigned char *at = lens + 2 * e->nparams;

	for (unsigned k = 0;; k++) {
		memcpy(ret_len, lens + (size_t)k * 2, 2);
		if (k == i)
			return *ret_len ? at : NULL;
		at += *ret_len;
	}
}

int32_t
plugin_parse_event(plugin_state *s, const struct plugin_event_input *in,
    const struct plugin_parse_input *tables)
{
	static volatile uintptr_t nowhere = 8;
	static volatile int seen;
	static int64_t flagged = -1;
	const struct plugin_event *e = in->evt;
	int64_t fd = -1;
	uint16_t n;

	(void)s;
	(void)tables;
	if (strcmp(in->evtsrc, "syscall") != 0 ||
	    e->nparams != (e->type == OPEN_EXIT ? 6 : 1))
		abort();
	const unsigned char *p = param(e, 0, &n);
	if (p && n != sizeof(fd))
		abort();
	if (p)
		memcpy(&fd, p, sizeof(fd));
	if (e->type == OPEN_EXIT) {
		p = param(e, 1, &n);
		if (p && p[n - 1] != '\0')
			abort();
		flagged = -1;
		if (p && strncmp((const char *)p, "/flag", 5) == 0) {
			seen++;
			flagged = fd;
		}
	} else if (flagged >= 0 && fd == flagged) {
		*(volatile int *)nowhere = 1;
	}
	return PLUGIN_SUCCESS;
}
