/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/plugin.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/limits.h"
#include "worker/host.h"
#include "worker/quirks.h"
#include "worker/schema.h"
#include "worker/tables.h"

/* What a description may take: fields with their texts, mostly. */
enum {
	ARENA_BYTES = 64 << 20
};

static const char reserved_source[] = "syscall";

/* What the plugin said, "" for NULL, cut to max bytes. */
static char *
keep_text(struct plugin *p, const char *s, size_t max)
{
	return s ? arena_strndup(&p->arena, s, strnlen(s, max))
		 : arena_strdup(&p->arena, "");
}

/* Symbols. */

static bool
open_object(struct plugin *p, const char *path, const char *shown_path, struct err *err)
{
	void *object = dlopen(path, RTLD_NOW | RTLD_LOCAL);

	if (!object) {
		const char *why = dlerror();
		size_t n = strlen(path);
		/* People know the file by another name than we do in here. */
		if (why && strncmp(why, path, n) == 0 && why[n] == ':')
			return err_set(err, ERR_PLUGIN,
			    "can't load plugin dynamic library: %s%s", shown_path,
			    why + n);
		return err_set(err, ERR_PLUGIN, "can't load plugin dynamic library: %s",
		    why ? why : "");
	}
	/* ISO C has no cast from an object pointer to a function pointer; POSIX does. */
#define SYM(name, required, type, params)                                                \
	*(void **)(void *)&p->sym.name = dlsym(object, "plugin_" #name);
#include "proto/plugin_symbols.h"
#undef SYM
	p->one_by_one = object_is_rust(object);
	constant_memory_find(&p->constants, object);
	return true;
}

/* Three numbers at the start; what follows them is free. */
static bool
parse_version(const char *s, unsigned v[3])
{
	return s && sscanf(s, "%u.%u.%u", &v[0], &v[1], &v[2]) == 3;
}

static bool
check_api_version(const struct plugin *p, struct err *err)
{
	const char *text, *why = NULL;
	unsigned v[3];

	if (!p->sym.get_required_api_version)
		return err_set(err, ERR_PLUGIN,
		    "plugin_get_required_api_version symbol not implemented");
	text = p->sym.get_required_api_version();
	if (!parse_version(text, v))
		return err_set(err, ERR_PLUGIN,
		    "plugin provided an invalid required API version: '%s'",
		    text ? text : "");
	if (v[0] != PLUGIN_API_VERSION_MAJOR)
		why = "major versions disagree";
	else if (v[1] > PLUGIN_API_VERSION_MINOR)
		why = "framework's minor is less than the requested one";
	else if (v[1] == PLUGIN_API_VERSION_MINOR && v[2] > PLUGIN_API_VERSION_PATCH)
		why = "framework's patch is less than the requested one";
	if (why)
		return err_set(err, ERR_PLUGIN,
		    "plugin required API version '%s' not compatible with the "
		    "framework's API "
		    "version '" PLUGIN_API_VERSION "': %s",
		    text, why);
	return true;
}

static bool
check_required_symbols(const struct plugin *p, struct err *err)
{
	const struct {
		const char *name;
		bool there;
	} required[] = {
	    {"get_required_api_version", p->sym.get_required_api_version != NULL},
	    {"get_version", p->sym.get_version != NULL},
	    {"get_name", p->sym.get_name != NULL},
	    {"get_description", p->sym.get_description != NULL},
	    {"get_contact", p->sym.get_contact != NULL},
	    {"init", p->sym.init != NULL},
	    {"destroy", p->sym.destroy != NULL},
	    {"get_last_error", p->sym.get_last_error != NULL},
	};

	for (size_t i = 0; i < sizeof(required) / sizeof(*required); i++) {
		if (!required[i].there)
			return err_set(err, ERR_PLUGIN,
			    "required symbol not implemented: '%s'", required[i].name);
	}
	return true;
}

/* Description. */

static bool
read_description(struct plugin *p, struct err *err)
{
	const struct plugin_symbols *s = &p->sym;
	Control__Loaded *i = &p->info;
	unsigned v[3];

	i->name = keep_text(p, s->get_name(), LIMIT_NAME_BYTES);
	i->description = keep_text(p, s->get_description(), LIMIT_TEXT_BYTES);
	i->contact = keep_text(p, s->get_contact(), LIMIT_TEXT_BYTES);
	i->version = keep_text(p, s->get_version(), LIMIT_NAME_BYTES);
	i->required_api_version =
	    keep_text(p, s->get_required_api_version(), LIMIT_NAME_BYTES);
	if (!i->name || !i->description || !i->contact || !i->version ||
	    !i->required_api_version)
		return err_nomem(err);
	if (!parse_version(i->version, v))
		return err_set(err, ERR_PLUGIN,
		    "plugin provided an invalid version string: '%s'", i->version);
	return true;
}

static bool
has_identity(const struct plugin *p, bool *ret_half)
{
	const char *source = p->sym.get_event_source ? p->sym.get_event_source() : NULL;
	bool id = p->sym.get_id && p->sym.get_id() != 0;
	bool named = source && *source;

	*ret_half = id != named;
	return id && named;
}

static bool
read_capabilities(struct plugin *p, struct err *err)
{
	const struct plugin_symbols *s = &p->sym;
	bool sourcing = s->open && s->close && s->next_batch, half = false;

	if (sourcing)
		has_identity(p, &half);
	/* A capability shows by all of its functions; some of them cannot stand alone. */
	/* clang-format off */
	const struct {
		enum plugin_capability capability;
		bool all, broken;
		const char *message;
	} rows[] = {
		{PLUGIN_SOURCING, sourcing && !half, !sourcing && (s->open || s->close || s->next_batch),
		 "must implement all of 'plugin_open', 'plugin_close', and 'plugin_next_batch' (event sourcing)"},
		{PLUGIN_SOURCING, sourcing && !half, half,
		 "must implement both 'plugin_get_id' and 'plugin_get_event_source' or neither (event sourcing)"},
		{PLUGIN_EXTRACTION, s->get_fields && s->extract_fields, !s->get_fields && s->extract_fields,
		 "must implement both 'plugin_get_fields' and 'plugin_extract_fields' (field extraction)"},
		{PLUGIN_PARSING, s->parse_event != NULL, false, NULL},
		{PLUGIN_ASYNC, s->get_async_events && s->set_async_event_handler,
		 !s->get_async_events && s->set_async_event_handler,
		 "must implement both 'plugin_get_async_events' and 'plugin_set_async_event_handler' (async events)"},
		{PLUGIN_LISTENING, s->capture_open && s->capture_close, s->capture_open && !s->capture_close,
		 "must implement both 'plugin_capture_open' and 'plugin_capture_close' (capture listening)"},
	};
	/* clang-format on */
	struct buf broken;

	buf_init(&broken, sizeof(err->msg));
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		if (rows[i].all)
			p->info.capabilities |= rows[i].capability;
		if (rows[i].broken)
			buf_addf(
			    &broken, "%s%s", broken.len ? ", " : "", rows[i].message);
	}
	p->info.has_capabilities = true;
	bool ok = true;
	if (broken.len)
		ok = err_set(
		    err, ERR_PLUGIN, "broken plugin capabilities: %s", buf_str(&broken));
	else if (p->info.capabilities == 0)
		ok = err_set(err, ERR_PLUGIN, "plugin does not implement any capability");
	buf_release(&broken);
	return ok;
}

static bool
read_source(struct plugin *p, struct err *err)
{
	bool half;

	p->info.has_id = true;
	if (!(p->info.capabilities & PLUGIN_SOURCING) || !has_identity(p, &half))
		return true;
	p->info.id = p->sym.get_id();
	p->info.source = keep_text(p, p->sym.get_event_source(), LIMIT_NAME_BYTES);
	if (!p->info.source)
		return err_nomem(err);
	if (strcmp(p->info.source, reserved_source) == 0)
		return err_set(err, ERR_PLUGIN,
		    "plugin can't implement the reserved event source '%s'",
		    p->info.source);
	return true;
}

/* The sources that a capability is for: those named, and the plugin's own. */
static bool
read_sources(struct plugin *p, const char *symbol, const char *(*get)(void),
    struct name_list *l, struct err *err)
{
	if (get &&
	    !name_list_parse(get(), p->info.name, symbol, false, &p->arena, l, err))
		return false;
	return !p->info.source || name_list_add(l, &p->arena, p->info.source, err);
}

static bool
read_lists(struct plugin *p, struct err *err)
{
	const struct plugin_symbols *s = &p->sym;
	uint32_t caps = p->info.capabilities;

	if (caps & PLUGIN_EXTRACTION &&
	    (!fields_json_parse(s->get_fields(), p->info.name, &p->arena, &p->info.fields,
		 &p->info.n_fields, err) ||
		!read_sources(p, "get_extract_event_sources",
		    s->get_extract_event_sources, &p->extract_sources, err)))
		return false;
	if (caps & PLUGIN_PARSING &&
	    !read_sources(p, "get_parse_event_sources", s->get_parse_event_sources,
		&p->parse_sources, err))
		return false;
	return !(caps & PLUGIN_ASYNC) ||
	       (read_sources(p, "get_async_event_sources", s->get_async_event_sources,
		    &p->async_sources, err) &&
		   name_list_parse(s->get_async_events(), p->info.name,
		       "get_async_events", true, &p->arena, &p->async_events, err));
}

static bool
read_schema(struct plugin *p, struct err *err)
{
	uint32_t type = PLUGIN_SCHEMA_NONE;
	const char *schema =
	    p->sym.get_init_schema ? p->sym.get_init_schema(&type) : NULL;

	p->info.has_schema_type = true;
	if (!schema || !*schema || type == PLUGIN_SCHEMA_NONE)
		return true;
	p->info.schema_type = type;
	p->info.schema = keep_text(p, schema, LIMIT_PLUGIN_JSON_BYTES / 2);
	return p->info.schema || err_nomem(err);
}

static void
fill_rest(struct plugin *p)
{
	const struct plugin_symbols *s = &p->sym;
	Control__Loaded *i = &p->info;

	i->extract_sources = p->extract_sources.name;
	i->n_extract_sources = p->extract_sources.n;
	i->parse_sources = p->parse_sources.name;
	i->n_parse_sources = p->parse_sources.n;
	i->async_sources = p->async_sources.name;
	i->n_async_sources = p->async_sources.n;
	i->async_events = p->async_events.name;
	i->n_async_events = p->async_events.n;
	i->has_has_open_params = i->has_has_event_to_string = i->has_has_progress = true;
	i->has_has_metrics = i->has_has_set_config = true;
	i->has_open_params = s->list_open_params != NULL;
	i->has_event_to_string = s->event_to_string != NULL;
	i->has_progress = s->get_progress != NULL;
	i->has_metrics = s->get_metrics != NULL;
	i->has_set_config = s->set_config != NULL;
	/* With the function, the answer needs a state, which is not there yet. */
	if (!s->get_required_event_schema_version)
		i->required_schema_version = (char *)(uintptr_t) "3.0.0";
}

bool
plugin_load(struct plugin *p, const char *path, const char *shown_path, struct err *err)
{
	*p = (struct plugin){.info = CONTROL__LOADED__INIT};
	arena_init(&p->arena, ARENA_BYTES);
	if (!open_object(p, path, shown_path, err) || !check_api_version(p, err) ||
	    !check_required_symbols(p, err) || !read_description(p, err) ||
	    !read_capabilities(p, err) || !read_source(p, err))
		return err_wrap(err, "cannot load plugin %s", shown_path);
	if (!read_lists(p, err) || !read_schema(p, err))
		return false;
	fill_rest(p);
	return true;
}

/* Life. */

const char *
plugin_last_error(const struct plugin *p)
{
	const char *s;

	if (!p->state)
		return "plugin handle or 'get_last_error' function not defined";
	s = p->sym.get_last_error(p->state);
	return s ? s : "";
}

/* Without an answer: everything for who listens to system calls, else plugin events
 * alone. */
static void
read_types(const struct plugin *p, uint16_t *(*get)(uint32_t *, plugin_state *),
    const struct name_list *sources, struct type_set *t)
{
	uint32_t n = 0, known = 0;
	const uint16_t *type = get ? get(&n, p->state) : NULL;

	*t = (struct type_set){0};
	for (uint32_t i = 0; type && i < n; i++) {
		if (type[i] < PLUGIN_EVENT_TYPES_N) {
			t->bits[type[i] / 64] |= 1ull << type[i] % 64;
			known++;
		}
	}
	if (known > 0)
		return;
	t->all = sources->n == 0 || name_list_has(sources, reserved_source);
	t->bits[PLUGIN_EVENT_TYPE / 64] |= 1ull << PLUGIN_EVENT_TYPE % 64;
}

void
plugin_ask_types(struct plugin *p)
{
	if (p->info.capabilities & PLUGIN_EXTRACTION)
		read_types(p, p->sym.get_extract_event_types, &p->extract_sources,
		    &p->extract_types);
	if (p->info.capabilities & PLUGIN_PARSING)
		read_types(
		    p, p->sym.get_parse_event_types, &p->parse_sources, &p->parse_types);
}

static bool
check_config(const struct plugin *p, const char **config, struct err *err)
{
	if (p->info.schema_type == PLUGIN_SCHEMA_NONE)
		return true;
	if (p->info.schema_type != PLUGIN_SCHEMA_JSON)
		return err_set(err, ERR_PLUGIN,
		    "error in plugin %s: get_init_schema returned an unknown schema type "
		    "%u",
		    p->info.name, p->info.schema_type);
	if (!**config)
		*config = "{}";
	return schema_check(p->info.schema, *config, p->info.name, err);
}

/* Events of system calls are of one version; a plugin that reads them may ask for no
 * later one. */
static bool
check_event_schema(const struct plugin *p, struct err *err)
{
	const char *text = p->sym.get_required_event_schema_version
			       ? p->sym.get_required_event_schema_version(p->state)
			       : NULL;
	unsigned want[3], have[3];

	if (!(p->info.capabilities & (PLUGIN_EXTRACTION | PLUGIN_PARSING)) || !text ||
	    !*text)
		return true;
	parse_version(PLUGIN_EVENT_SCHEMA, have);
	bool ok = parse_version(text, want) && want[0] <= have[0];
	if (ok && want[0] == have[0])
		ok = want[1] < have[1] || (want[1] == have[1] && want[2] <= have[2]);
	return ok || err_set(err, ERR_PLUGIN,
			 "plugin '%s' required event schema version '%s' not compatible "
			 "with the event schema version in use '" PLUGIN_EVENT_SCHEMA "'",
			 p->info.name, text);
}

bool
plugin_init(struct plugin *p, struct host *host, const char *config, struct err *err)
{
	int32_t rc = PLUGIN_FAILURE;

	if (!check_config(p, &config, err))
		return false;
	const struct plugin_init_input in = {
	    .config = config,
	    .owner = host,
	    .get_owner_last_error = host_last_error,
	    .tables = p->info.capabilities & (PLUGIN_PARSING | PLUGIN_EXTRACTION)
			  ? tables_for_init()
			  : NULL,
	    .log_fn = host_log,
	};
	p->state = p->sym.init(&in, &rc);
	if (rc != PLUGIN_SUCCESS)
		return err_set(err, ERR_PLUGIN, "could not initialize plugin: %s",
		    plugin_last_error(p));
	if (!check_event_schema(p, err))
		return false;
	plugin_ask_types(p);
	return true;
}

bool
plugin_set_config(struct plugin *p, const char *config, struct err *err)
{
	if (!p->sym.set_config)
		return err_set(
		    err, ERR_PLUGIN, "plugin '%s' has no set_config", p->info.name);
	if (!check_config(p, &config, err))
		return false;
	const struct plugin_set_config_input in = {.config = config};
	if (p->sym.set_config(p->state, &in) != PLUGIN_SUCCESS)
		return err_set(err, ERR_PLUGIN, "set_config error for plugin '%s' : %s",
		    p->info.name, plugin_last_error(p));
	return true;
}

void
plugin_release(struct plugin *p)
{
	if (p->state)
		p->sym.destroy(p->state);
	p->state = NULL;
	arena_release(&p->arena);
}
