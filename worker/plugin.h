/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The plugin: its shared object, its functions, what it says about itself, and its state.
 *
 * From plugin_load on, foreign code has run in this process; nothing here defends against
 * it, the confinement does. What is checked is checked for honest plugins, with Falco's
 * messages (ERR_PLUGIN, complete). All calls come from one thread, never the main one.
 */
#ifndef WORKER_PLUGIN_H
#define WORKER_PLUGIN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "proto/control.pb-c.h"
#include "proto/plugin_api.h"
#include "worker/fields_json.h"
#include "worker/quirks.h"

enum plugin_capability {
	PLUGIN_SOURCING = 1 << 0,
	PLUGIN_EXTRACTION = 1 << 1,
	PLUGIN_PARSING = 1 << 2,
	PLUGIN_ASYNC = 1 << 3,
	PLUGIN_LISTENING = 1 << 4,
};

struct plugin_symbols {
#define SYM(name, required, type, params) type(*name) params;
#include "proto/plugin_symbols.h"
#undef SYM
};

/* Event types that a capability wants: all of them, or those whose bits are set. */
struct type_set {
	bool all;
	uint64_t bits[(PLUGIN_EVENT_TYPES_N + 63) / 64];
};

static inline bool
type_set_has(const struct type_set *t, uint16_t type)
{
	return t->all ||
	       (type < PLUGIN_EVENT_TYPES_N && t->bits[type / 64] >> type % 64 & 1);
}

struct host;

struct plugin {
	struct plugin_symbols sym;
	struct arena arena;   /* what info and the lists point to */
	Control__Loaded info; /* the plugin's description, as it is sent */
	struct name_list extract_sources, parse_sources, async_sources, async_events;
	struct type_set extract_types, parse_types; /* after plugin_init */
	plugin_state *state;                        /* NULL before plugin_init */
	bool one_by_one; /* ask for one field at a time: quirks.h */
	struct constant_memory constants;
};

/* Opens the object at path, which messages call shown_path, and checks everything that
 * Falco's plugin manager checks. */
bool plugin_load(
    struct plugin *p, const char *path, const char *shown_path, struct err *err);

/* Checks the configuration against the plugin's schema and calls init. On failure a state
 * may be there all the same, for plugin_release. */
bool plugin_init(
    struct plugin *p, struct host *host, const char *config, struct err *err);

/* After its init, which plugin_init sees to: the event types that it wants. */
void plugin_ask_types(struct plugin *p);

/* Gives it another configuration, which it must have the function for. */
bool plugin_set_config(struct plugin *p, const char *config, struct err *err);

/* The plugin's last words; "" when it has none. Valid until its next call. */
const char *plugin_last_error(const struct plugin *p);

/* Destroys the state. The object stays loaded: Go's cannot be unloaded. */
void plugin_release(struct plugin *p);

#endif
