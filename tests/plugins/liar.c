/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Gives three good events, then one that lies about itself, as "lie=" in the open
 * parameters says, then (where the lie lets it live) one more and the end.
 *
 * Falco ends with an error when the type, the number of parameters or the plugin id is
 * wrong; lengths that lie it does not check.
 */
#define KIT_NAME "liar"
#define KIT_ID   4305
#define KIT_OWN_next_batch
#include "tests/plugins/kit.h"

enum lie {
	LIE_NONE,
	LIE_OTHER_ID,
	LIE_TYPE,         /* a system call event */
	LIE_ASYNC,        /* an async event out of next_batch */
	LIE_SHORT,        /* shorter than its header */
	LIE_LONG,         /* longer than any memory behind it */
	LIE_PARAMS,       /* four billion parameters */
	LIE_PARAM_LENGTH, /* a parameter that ends outside the event */
	LIE_NULL_EVENT,
	LIE_NULL_ARRAY,
	LIE_COUNT,         /* four billion events */
	LIE_EMPTY_SUCCESS, /* success without an event */
	LIE_RC,            /* a return code that does not exist */
	LIE_WILD_POINTER,
};

static void
put(unsigned char *m, size_t off, uint64_t v, size_t n)
{
	memcpy(m + off, &v, n);
}

static int32_t
lie(struct kit_instance *h, enum lie what, uint32_t *nevts, struct plugin_event ***evts)
{
	unsigned char *m = h->memory[0];

	switch (what) {
	case LIE_OTHER_ID:
		put(m, 34, 999, 4);
		break;
	case LIE_TYPE:
		put(m, 20, 2, 2);
		break;
	case LIE_ASYNC:
		put(m, 20, PLUGIN_ASYNC_EVENT_TYPE, 2);
		break;
	case LIE_SHORT:
		put(m, 16, 20, 4);
		break;
	case LIE_LONG:
		put(m, 16, UINT32_MAX, 4);
		break;
	case LIE_PARAMS:
		put(m, 22, UINT32_MAX, 4);
		break;
	case LIE_PARAM_LENGTH:
		put(m, 30, UINT32_MAX - 3, 4);
		break;
	case LIE_NULL_EVENT:
		h->event[0] = NULL;
		break;
	case LIE_NULL_ARRAY:
		*evts = NULL;
		break;
	case LIE_COUNT:
		*nevts = UINT32_MAX;
		break;
	case LIE_EMPTY_SUCCESS:
		*nevts = 0;
		break;
	case LIE_RC:
		return 12345;
	case LIE_WILD_POINTER:
		h->event[0] = (struct plugin_event *)(uintptr_t)0xdeadbeef000;
		break;
	case LIE_NONE:
		break;
	}
	return PLUGIN_SUCCESS;
}

int32_t
plugin_next_batch(
    plugin_state *s, plugin_instance *hv, uint32_t *nevts, struct plugin_event ***evts)
{
	struct kit_instance *h = hv;

	(void)s;
	*nevts = 0;
	*evts = h->event;
	if (h->next == 5)
		return PLUGIN_EOF;
	h->event[0] = kit_numbered_event(h, 0, KIT_ID, h->next);
	*nevts = 1;
	if (h->next++ == 3)
		return lie(
		    h, (enum lie)kit_param(h->params, "lie=", LIE_NONE), nevts, evts);
	return PLUGIN_SUCCESS;
}
