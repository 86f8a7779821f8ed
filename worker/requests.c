/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/requests.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "worker/confine.h"

static bool
answer(struct worker *w, Control__Message__BodyCase kind, void *body, struct err *err)
{
	Control__Message m = CONTROL__MESSAGE__INIT;

	m.body_case = kind;
	/* All members of the union are pointers to a message. */
	m.ready = body;
	return uplink_send(&w->up, &m, err);
}

/* why is from the plugin or about it; anything else ends the worker. */
static bool
answer_failed(
    struct worker *w, Control__Failed__Step step, struct err *why, struct err *err)
{
	if (why->code != ERR_PLUGIN) {
		*err = *why;
		return false;
	}
	return uplink_failed(&w->up, step, why->msg, err);
}

/* Life. */

static bool
on_load(struct worker *w, const Control__Message *m, struct err *err)
{
	const char *path = m->load->path ? m->load->path : "";
	const char *shown = m->load->shown_path ? m->load->shown_path : path;
	struct err why;

	if (!plugin_load(&w->plugin, path, shown, &why)) {
		w->phase = SERVE_FAILED;
		return answer_failed(w, CONTROL__FAILED__STEP__LOAD, &why, err);
	}
	w->phase = SERVE_LOADED;
	return answer(w, CONTROL__MESSAGE__BODY_LOADED, &w->plugin.info, err);
}

/* The types that a capability wants, into types (PLUGIN_EVENT_TYPES_N of room). */
static size_t
list_types(const struct type_set *t, uint32_t *types)
{
	size_t n = 0;

	for (uint16_t i = 0; i < PLUGIN_EVENT_TYPES_N; i++) {
		if (!t->all && type_set_has(t, i))
			types[n++] = i;
	}
	return n;
}

static const char *
last_error(void *plugin)
{
	return plugin_last_error(plugin);
}

static bool
on_init(struct worker *w, const Control__Message *m, struct err *err)
{
	Control__Initialized done = CONTROL__INITIALIZED__INIT;
	uint32_t extract[PLUGIN_EVENT_TYPES_N], parse[PLUGIN_EVENT_TYPES_N];
	struct err why;

	tables_begin(&w->tables, w->plugin.info.name, w->plugin.info.required_api_version,
	    last_error, &w->plugin);
	if (!plugin_init(
		&w->plugin, &w->host, m->init->config ? m->init->config : "", &why)) {
		w->phase = SERVE_FAILED;
		return answer_failed(w, CONTROL__FAILED__STEP__INIT, &why, err);
	}
	tables_call_done(&w->tables);
	if (!confine_tighten(err))
		return false;
	source_init(
	    &w->source, &w->plugin, m->init->has_first_event ? m->init->first_event : 1);
	extractor_init(&w->extractor, &w->plugin, &w->host);
	parser_init(&w->parser, &w->plugin, &w->host);
	async_init(&w->async, &w->plugin, &w->host, &w->side);
	listen_init(&w->listen, &w->plugin, &w->host);
	w->phase = SERVE_INITIALIZED;
	done.extract_types = extract;
	done.n_extract_types = list_types(&w->plugin.extract_types, extract);
	done.parse_types = parse;
	done.n_parse_types = list_types(&w->plugin.parse_types, parse);
	done.has_all_extract_types = done.has_all_parse_types = true;
	done.all_extract_types = w->plugin.extract_types.all;
	done.all_parse_types = w->plugin.parse_types.all;
	return answer(w, CONTROL__MESSAGE__BODY_INITIALIZED, &done, err);
}

static bool
on_quit(struct worker *w, const Control__Message *m, struct err *err)
{
	Control__Bye bye = CONTROL__BYE__INIT;

	if (w->phase >= SERVE_INITIALIZED && w->phase <= SERVE_RUNNING) {
		source_release(&w->source);
		async_detach(&w->async);
		listen_close(&w->listen);
	}
	if (w->phase != SERVE_EMPTY)
		plugin_release(&w->plugin);
	w->phase = SERVE_DONE;
	return answer(w, CONTROL__MESSAGE__BODY_BYE, &bye, err);
}

/* Extraction. */

static bool
on_plan(struct worker *w, const Control__Message *m, struct err *err)
{
	struct err why;

	w->has_next_plan = false;
	if (!plan_make(&w->next_plan, m->plan, &w->plugin, &why))
		return answer_failed(w, CONTROL__FAILED__STEP__PLAN, &why, err);
	w->has_next_plan = true;
	return worker_take_plan(w, err);
}

bool
worker_take_plan(struct worker *w, struct err *err)
{
	Control__Planned planned = CONTROL__PLANNED__INIT;

	if (!w->has_next_plan || !source_is_between(&w->source))
		return true;
	plan_release(&w->plan);
	w->plan = w->next_plan;
	plan_init(&w->next_plan);
	w->has_next_plan = false;
	planned.has_generation = true;
	planned.generation = w->plan.generation;
	return answer(w, CONTROL__MESSAGE__BODY_PLANNED, &planned, err);
}

/* Source. */

static bool
on_open(struct worker *w, const Control__Message *m, struct err *err)
{
	Control__Opened opened = CONTROL__OPENED__INIT;
	struct err why;

	if (!(w->plugin.info.capabilities & PLUGIN_SOURCING))
		return err_set(err, ERR_PEER, "open of a plugin that is no source");
	if (!source_open(&w->source, m->open->params ? m->open->params : "", &why))
		return answer_failed(w, CONTROL__FAILED__STEP__OPEN, &why, err);
	w->phase = SERVE_OPEN;
	return answer(w, CONTROL__MESSAGE__BODY_OPENED, &opened, err);
}

static bool
on_start(struct worker *w, const Control__Message *m, struct err *err)
{
	source_start(&w->source);
	w->phase = SERVE_RUNNING;
	return true;
}

/* Also for a plugin that is no source, which has nothing to close. */
static bool
on_stop(struct worker *w, const Control__Message *m, struct err *err)
{
	Control__Stopped stopped = CONTROL__STOPPED__INIT;

	source_close(&w->source);
	async_detach(&w->async);
	listen_close(&w->listen);
	w->phase = SERVE_INITIALIZED;
	return answer(w, CONTROL__MESSAGE__BODY_STOPPED, &stopped, err);
}

/* What the plugin does on its own. */

static bool
attach(struct worker *w, const Control__Attach *m, struct err *err)
{
	switch (m->step) {
	case CONTROL__ATTACH__STEP__ASYNC:
		return async_attach(
		    &w->async, m->source ? m->source : "", m->plugin_source, err);
	case CONTROL__ATTACH__STEP__LISTEN:
		return listen_open(&w->listen, err);
	default:
		return err_set(err, ERR_PEER, "attach of an unknown kind");
	}
}

static bool
on_attach(struct worker *w, const Control__Message *m, struct err *err)
{
	Control__Attached attached = CONTROL__ATTACHED__INIT;
	struct err why;

	return attach(w, m->attach, &why)
		   ? answer(w, CONTROL__MESSAGE__BODY_ATTACHED, &attached, err)
		   : answer_failed(w, CONTROL__FAILED__STEP__ATTACH, &why, err);
}

/* One of the plugin's numbers as one of ours. */
static void
convert_metric(const struct plugin_metric *in, Control__Metric *out)
{
	enum {
		U32,
		S32,
		U64,
		S64,
		DOUBLE,
		FLOAT,
		INT
	};

	switch (in->value_type) {
	case U32:
	case U64:
		out->has_unsigned_value = true;
		out->unsigned_value =
		    in->value_type == U32 ? in->value.u32 : in->value.u64;
		break;
	case DOUBLE:
	case FLOAT:
		out->has_real_value = true;
		out->real_value =
		    in->value_type == DOUBLE ? in->value.d : (double)in->value.f;
		break;
	default:
		out->has_signed_value = true;
		out->signed_value = in->value_type == S64   ? in->value.s64
				    : in->value_type == S32 ? in->value.s32
							    : in->value.i;
	}
}

static bool
on_get_metrics(struct worker *w, const Control__Message *m, struct err *err)
{
	const struct plugin_symbols *sym = &w->plugin.sym;
	Control__Metrics metrics = CONTROL__METRICS__INIT;
	uint32_t n = 0;
	const struct plugin_metric *in =
	    sym->get_metrics ? sym->get_metrics(w->plugin.state, &n) : NULL;
	Control__Metric *list, **at;

	n = !in ? 0 : n < LIMIT_PLUGIN_METRICS ? n : LIMIT_PLUGIN_METRICS;
	list = calloc(n + 1, sizeof(*list));
	at = calloc(n + 1, sizeof(*at));
	for (uint32_t i = 0; list && at && i < n; i++) {
		control__metric__init(&list[i]);
		/* Names that are longer than this would not fit the message. */
		list[i].name = strnlen(in[i].name ? in[i].name : "", 128) < 128
				   ? (char *)(uintptr_t)(in[i].name ? in[i].name : "")
				   : NULL;
		list[i].has_monotonic = true;
		list[i].monotonic = in[i].type == 0;
		convert_metric(&in[i], &list[i]);
		at[metrics.n_metrics++] = &list[i];
	}
	metrics.metrics = at;
	bool ok = answer(w, CONTROL__MESSAGE__BODY_METRICS, &metrics, err);
	free(list);
	free(at);
	return ok;
}

static bool
on_set_config(struct worker *w, const Control__Message *m, struct err *err)
{
	Control__ConfigSet set = CONTROL__CONFIG_SET__INIT;
	const char *config = m->set_config->config ? m->set_config->config : "";
	struct err why;

	return plugin_set_config(&w->plugin, config, &why)
		   ? answer(w, CONTROL__MESSAGE__BODY_CONFIG_SET, &set, err)
		   : answer_failed(w, CONTROL__FAILED__STEP__SET_CONFIG, &why, err);
}

static bool
on_dump_state(struct worker *w, const Control__Message *m, struct err *err)
{
	Control__StateDumped dumped = CONTROL__STATE_DUMPED__INIT;
	struct err why;

	return async_dump(&w->async, &why)
		   ? answer(w, CONTROL__MESSAGE__BODY_STATE_DUMPED, &dumped, err)
		   : answer_failed(w, CONTROL__FAILED__STEP__DUMP_STATE, &why, err);
}

static bool
suggest(struct worker *w, struct arena *arena, Control__OpenParams *ret_params,
    struct err *err)
{
	const struct plugin *p = &w->plugin;
	int32_t rc = PLUGIN_SUCCESS;
	const char *text =
	    p->sym.list_open_params ? p->sym.list_open_params(p->state, &rc) : NULL;

	if (rc != PLUGIN_SUCCESS)
		return err_set(err, ERR_PLUGIN,
		    "error in plugin %s: list_open_params has error %s", p->info.name,
		    plugin_last_error(p));
	return open_params_parse(
	    text, p->info.name, arena, &ret_params->params, &ret_params->n_params, err);
}

static bool
on_list_open_params(struct worker *w, const Control__Message *m, struct err *err)
{
	Control__OpenParams params = CONTROL__OPEN_PARAMS__INIT;
	struct arena arena;
	struct err why;

	arena_init(&arena, 4 * LIMIT_PLUGIN_JSON_BYTES);
	bool ok =
	    suggest(w, &arena, &params, &why)
		? answer(w, CONTROL__MESSAGE__BODY_OPEN_PARAMS, &params, err)
		: answer_failed(w, CONTROL__FAILED__STEP__LIST_OPEN_PARAMS, &why, err);
	arena_release(&arena);
	return ok;
}

/* The whole. */

enum {
	EMPTY = 1 << SERVE_EMPTY,
	LOADED = 1 << SERVE_LOADED,
	INITIALIZED = 1 << SERVE_INITIALIZED,
	OPEN = 1 << SERVE_OPEN,
	RUNNING = 1 << SERVE_RUNNING,
	IN_USE = INITIALIZED | OPEN | RUNNING,
	ALWAYS = ~0,
};

/* clang-format off */
static const struct {
	Control__Message__BodyCase kind;
	int phases;
	bool (*act)(struct worker *, const Control__Message *, struct err *);
} requests[] = {
	{CONTROL__MESSAGE__BODY_LOAD,             EMPTY,       on_load},
	{CONTROL__MESSAGE__BODY_INIT,             LOADED,      on_init},
	{CONTROL__MESSAGE__BODY_PLAN,             IN_USE,      on_plan},
	{CONTROL__MESSAGE__BODY_LIST_OPEN_PARAMS, IN_USE,      on_list_open_params},
	{CONTROL__MESSAGE__BODY_ATTACH,           IN_USE,      on_attach},
	{CONTROL__MESSAGE__BODY_DUMP_STATE,       IN_USE,      on_dump_state},
	{CONTROL__MESSAGE__BODY_GET_METRICS,      IN_USE,      on_get_metrics},
	{CONTROL__MESSAGE__BODY_SET_CONFIG,       IN_USE,      on_set_config},
	{CONTROL__MESSAGE__BODY_OPEN,             INITIALIZED, on_open},
	{CONTROL__MESSAGE__BODY_START,            OPEN,        on_start},
	{CONTROL__MESSAGE__BODY_STOP,             IN_USE,      on_stop},
	{CONTROL__MESSAGE__BODY_QUIT,             ALWAYS,      on_quit},
};
/* clang-format on */

bool
worker_request(struct worker *w, const Control__Message *m, struct err *err)
{
	for (size_t i = 0; i < sizeof(requests) / sizeof(*requests); i++) {
		if (requests[i].kind != m->body_case)
			continue;
		if (!(requests[i].phases & 1 << w->phase))
			break;
		return requests[i].act(w, m, err);
	}
	return err_set(
	    err, ERR_PEER, "request %d has no place in phase %d", m->body_case, w->phase);
}
