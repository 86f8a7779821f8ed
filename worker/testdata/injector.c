/* SPDX-License-Identifier: Apache-2.0 */
/* Injects one event when it gets the handler and one for its state; has metrics and a
 * configuration. For own_test.c. */
#include <stdlib.h>
#include <string.h>

#include "proto/plugin_api.h"

#define SYM(name, required, type, params) PLUGIN_EXPORT type plugin_##name params;
#include "proto/plugin_symbols.h"
#undef SYM

const char *
plugin_get_required_api_version(void)
{
	return "3.12.0";
}

const char *
plugin_get_version(void)
{
	return "0.1.0";
}

const char *
plugin_get_name(void)
{
	return "injector";
}

const char *
plugin_get_description(void)
{
	return "injects";
}

const char *
plugin_get_contact(void)
{
	return "nobody";
}

const char *
plugin_get_last_error(plugin_state *s)
{
	(void)s;
	return "so it is";
}

plugin_state *
plugin_init(const struct plugin_init_input *in, int32_t *rc)
{
	/* Without parsing and extraction there are no tables. */
	*rc = in->tables ? PLUGIN_FAILURE : PLUGIN_SUCCESS;
	return malloc(1);
}

void
plugin_destroy(plugin_state *s)
{
	free(s);
}

const char *
plugin_get_async_events(void)
{
	return "[\"tick\"]";
}

static int32_t
emit(plugin_owner *owner, plugin_async_handler handler, const char *data)
{
	const uint32_t n[3] = {4, 5, 5}, id = 9;
	struct plugin_event e = {.ts = UINT64_MAX,
	    .tid = UINT64_MAX,
	    .len = 26 + 12 + 14,
	    .type = PLUGIN_ASYNC_EVENT_TYPE,
	    .nparams = 3};
	char m[26 + 12 + 14];

	memcpy(m, &e, sizeof(e));
	memcpy(m + 26, n, sizeof(n));
	memcpy(m + 38, &id, 4);
	memcpy(m + 42, "tick", 5);
	memcpy(m + 47, data, 5);
	return handler(owner, (struct plugin_event *)m, NULL);
}

int32_t
plugin_set_async_event_handler(
    plugin_state *s, plugin_owner *owner, plugin_async_handler handler)
{
	static plugin_async_handler kept;

	(void)s;
	if (handler) {
		kept = handler;
		return emit(owner, handler, "event");
	}
	/* Still there until this returns. */
	return emit(owner, kept, "last.");
}

int32_t
plugin_dump_state(plugin_state *s, plugin_owner *owner, plugin_async_handler handler)
{
	(void)s;
	return emit(owner, handler, "state");
}

struct plugin_metric *
plugin_get_metrics(plugin_state *s, uint32_t *n)
{
	static struct plugin_metric m[] = {
	    {.name = "u32", .value = {.u32 = 7}, .value_type = 0},
	    {.name = "s64", .type = 1, .value = {.s64 = -8}, .value_type = 3},
	    {.name = "float", .type = 1, .value = {.f = 0.25f}, .value_type = 5},
	};

	(void)s;
	*n = 3;
	return m;
}

int32_t
plugin_set_config(plugin_state *s, const struct plugin_set_config_input *in)
{
	(void)s;
	return strcmp(in->config, "good") == 0 ? PLUGIN_SUCCESS : PLUGIN_FAILURE;
}
