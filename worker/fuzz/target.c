/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/fuzz/target.h"

#include <dlfcn.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "worker/fuzz/coverage.h"
#include "worker/fuzz/hooks.h"
#include "worker/fuzz/layout.h"
#include "worker/fuzz/tables.h"
#include "worker/fuzz/trap.h"
#include "worker/schema.h"

enum {
	FIELDS_MAX = CASE_PARTS_MAX,
	BATCHES = 32,        /* of one case */
	SOURCE_EVENTS = 256, /* looked at in one case */
	HARVEST_EVENTS = 64,
	HARVEST_BATCHES = 64,
	ASYNC_WAIT_MS = 5,
	PAGE = 4096,
	ARENA_BYTES = (CASE_BYTES + 2 * PAGE - 1) / PAGE * PAGE,
};

bool
target_init(struct target *t, struct fuzz_up *up, struct err *err)
{
	/* After the events comes a page that cannot be read, so that reading past the end
	 * of one shows. */
	uint8_t *m = mmap(NULL, ARENA_BYTES + PAGE, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	*t = (struct target){.up = up, .file_fd = -1};
	if (m == MAP_FAILED || mprotect(m + ARENA_BYTES, PAGE, PROT_NONE) < 0)
		return err_sys(err, "memory for events");
	t->end = m + ARENA_BYTES;
	return true;
}

/* The plugin's turn begins and ends. */

static void
enter(struct target *t, enum fuzz_stage stage)
{
	t->up->stage = stage;
	coverage_counts = true;
}

static void
leave(struct target *t)
{
	coverage_counts = false;
	t->is_new |= coverage_fold(t->up, t->map);
	t->up->stage = FUZZ_STAGE_IDLE;
}

static void
drop_log(plugin_owner *owner, const char *component, const char *msg, int32_t severity)
{
}

static bool
init(struct target *t, const char *config, enum fuzz_stage stage, int32_t *rc)
{
	const struct plugin_init_input in = {
	    .config = config,
	    .owner = t,
	    .get_owner_last_error = tables_last_error,
	    .tables = tables_for_init(),
	    .log_fn = drop_log,
	};

	*rc = PLUGIN_FAILURE;
	enter(t, stage);
	t->plugin.state = t->plugin.sym.init(&in, rc);
	leave(t);
	return *rc == PLUGIN_SUCCESS;
}

static void
destroy(struct target *t)
{
	if (!t->plugin.state)
		return;
	enter(t, FUZZ_STAGE_DESTROY);
	t->plugin.sym.destroy(t->plugin.state);
	leave(t);
	t->plugin.state = NULL;
}

/* Does the configuration come as far as init, in a broker? */
static bool
fits_schema(const struct target *t, const char **config)
{
	const Control__Loaded *i = &t->plugin.info;
	struct err err;

	if (i->schema_type != PLUGIN_SCHEMA_JSON)
		return true;
	if (!**config)
		*config = "{}";
	return schema_check(i->schema, *config, i->name, &err);
}

bool
target_load(struct target *t, const char *path, struct err *err)
{
	const Control__Loaded *i = &t->plugin.info;
	const char *config = t->config;
	struct link_map *map;
	int32_t rc;

	t->up->stage = FUZZ_STAGE_LOAD;
	if (!plugin_load(&t->plugin, path, path, err))
		return false;
	void *object = dlopen(path, RTLD_NOW | RTLD_NOLOAD);
	if (!object || dlinfo(object, RTLD_DI_LINKMAP, &map) != 0)
		return err_set(err, ERR_PLUGIN, "%s", dlerror());
	trap_set_module(path);
	coverage_set_module(map->l_addr);
	t->base = map->l_addr;
	if (dlsym(object, "__afl_area_ptr"))
		coverage_use_afl_area();
	t->source = i->source;
	if (!t->source)
		t->source = t->plugin.extract_sources.n
				? t->plugin.extract_sources.name[0]
			    : t->plugin.parse_sources.n ? t->plugin.parse_sources.name[0]
							: "fuzz";
	if (t->kind == FUZZ_INIT)
		return true;
	if (!fits_schema(t, &config))
		return schema_check(i->schema, config, i->name, err);
	if (!init(t, config, FUZZ_STAGE_INIT, &rc))
		return err_set(err, ERR_PLUGIN, "could not initialize plugin: %s",
		    plugin_last_error(&t->plugin));
	plugin_ask_types(&t->plugin);
	event_note_types(t);
	return true;
}

/* Fields. */

struct asked {
	struct plugin_extract_field field[FIELDS_MAX], work[FIELDS_MAX];
	char key[FIELDS_MAX][CASE_KEY_BYTES + 1];
	uint32_t n;
};

/* Asks as a rule may: with an argument only where the field takes one, of the form that
 * it takes; false when this cannot be asked for. */
static bool
ask(struct target *t, struct asked *a, const struct case_part *p)
{
	const Control__Loaded *info = &t->plugin.info;
	uint32_t id = info->n_fields ? p->id % info->n_fields : 0;
	const Control__Field *f = info->n_fields ? info->fields[id] : NULL;
	uint32_t len = p->len < CASE_KEY_BYTES ? p->len : CASE_KEY_BYTES;
	char *key = a->key[a->n];

	if (!f || a->n == FIELDS_MAX)
		return false;
	if (t->spares && id < FUZZ_RARE_FIELDS && t->rare[id / 8] >> id % 8 & 1)
		return false;
	struct plugin_extract_field x = {
	    .field_id = id,
	    .field = f->name,
	    .arg_index = UINT64_MAX,
	    .ftype = f->type,
	    .flist = f->is_list,
	};
	uint8_t form = p->flags % PART_ARG_N;
	if (!f->arg_index && !f->arg_key)
		form = PART_ARG_NONE;
	else if (form == PART_ARG_INDEX && !f->arg_index)
		form = PART_ARG_KEY;
	else if (form == PART_ARG_KEY && !f->arg_key)
		form = PART_ARG_INDEX;
	if (form == PART_ARG_NONE && f->arg_required)
		return false;
	memcpy(key, p->bytes, len);
	key[len] = '\0';
	if (form == PART_ARG_INDEX) {
		if (!*key || strspn(key, "0123456789") != len)
			return false;
		x.arg_index = strtoull(key, NULL, 10);
		x.arg_present = 1;
		snprintf(
		    key, CASE_KEY_BYTES + 1, "%llu", (unsigned long long)x.arg_index);
		x.arg_key = f->arg_key ? key : NULL;
	} else if (form == PART_ARG_KEY) {
		if (!*key)
			return false;
		x.arg_key = key;
		x.arg_present = 1;
	}
	a->field[a->n++] = x;
	return true;
}

static void
extract(struct target *t, const struct plugin_event_input *in, struct asked *a,
    uint32_t from, uint32_t n)
{
	struct plugin_extract_input x = {
	    .owner = t,
	    .get_owner_last_error = tables_last_error,
	    .num_fields = n,
	    .fields = a->work,
	    .table_reader = *tables_reader(),
	    .table_reader_ext = tables_reader_ext(),
	};

	memcpy(a->work, a->field + from, n * sizeof(*a->work));
	enter(t, FUZZ_STAGE_EXTRACT);
	int32_t rc = t->plugin.sym.extract_fields(t->plugin.state, in, &x);
	leave(t);
	check_rc(t, "extract_fields", rc);
	if (rc == PLUGIN_SUCCESS)
		check_fields(t, a->field + from, a->work, n);
}

static void
parse(struct target *t, const struct plugin_event_input *in)
{
	struct plugin_parse_input x = {
	    .owner = t,
	    .get_owner_last_error = tables_last_error,
	    .table_reader = *tables_reader(),
	    .table_writer = *tables_writer(),
	    .table_reader_ext = tables_reader_ext(),
	    .table_writer_ext = tables_writer_ext(),
	};

	enter(t, FUZZ_STAGE_PARSE);
	int32_t rc = t->plugin.sym.parse_event(t->plugin.state, in, &x);
	leave(t);
	check_rc(t, "parse_event", rc);
}

/* How many fields from here on may stand in one call: a field only once, for SDKs keep
 * one result for each. */
static uint32_t
together(const struct target *t, const struct asked *a, uint32_t from)
{
	uint64_t seen[FUZZ_RARE_FIELDS / 64] = {0};
	uint32_t n = 0;

	if (t->plugin.one_by_one)
		return 1;
	for (; from + n < a->n; n++) {
		uint32_t id = a->field[from + n].field_id % FUZZ_RARE_FIELDS;
		if (seen[id / 64] >> id % 64 & 1)
			break;
		seen[id / 64] |= 1ull << id % 64;
	}
	return n;
}

static void
run_event(struct target *t, const struct case_part *p, uint64_t number, struct asked *a)
{
	const struct plugin_event_input in = {.evt = event_make(t, p),
	    .evtnum = number,
	    .evtsrc = p->id && layout_has(p->id) ? "syscall" : t->source};
	const struct plugin *plugin = &t->plugin;

	if (t->kind != FUZZ_EXTRACT && plugin->info.capabilities & PLUGIN_PARSING &&
	    type_set_has(&plugin->parse_types, in.evt->type))
		parse(t, &in);
	if (a->n > 0 && plugin->info.capabilities & PLUGIN_EXTRACTION &&
	    type_set_has(&plugin->extract_types, in.evt->type)) {
		for (uint32_t i = 0, n; i < a->n; i += n) {
			n = together(t, a, i);
			extract(t, &in, a, i, n);
		}
	}
	/* On its own: it costs as much as the fields do. */
	if (t->plugin.sym.event_to_string && a->n == 0 &&
	    in.evt->type == PLUGIN_EVENT_TYPE) {
		enter(t, FUZZ_STAGE_TEXT);
		const char *text = t->plugin.sym.event_to_string(t->plugin.state, &in);
		leave(t);
		check_text(t, "event_to_string", text);
	}
	a->n = 0;
}

/* Text of a part, with its NUL; the same memory every time. */
static const char *
text_of(const struct case_part *p)
{
	static char text[FUZZ_TEXT_BYTES];
	uint32_t n = p->len < sizeof(text) - 1 ? p->len : sizeof(text) - 1;

	memcpy(text, p->bytes, n);
	text[n] = '\0';
	return text;
}

/* Sources. */

static bool
write_file(struct target *t, const struct case_part *p, struct err *err)
{
	/* Shorter than before: only the campaign can cut it. */
	if (p->len < t->file_size && !t->empty_file(t->arg, err))
		return false;
	if (lseek(t->file_fd, 0, SEEK_SET) < 0)
		return err_sys(err, "the source's file");
	for (uint32_t at = 0; at < p->len;) {
		ssize_t n = write(t->file_fd, p->bytes + at, p->len - at);
		if (n <= 0)
			return err_sys(err, "the source's file");
		at += (uint32_t)n;
	}
	t->file_size = p->len;
	return true;
}

/* A source that has nothing to say before it was fed has not had its last word. */
static bool
has_ended(const struct target *t, int32_t rc, bool was_fed)
{
	return rc != PLUGIN_SUCCESS &&
	       !(rc == PLUGIN_TIMEOUT && t->way > FUZZ_WAY_FILE && !was_fed);
}

static void
run_source(struct target *t, const char *params)
{
	const struct plugin_symbols *s = &t->plugin.sym;
	struct plugin_event **event = NULL;
	int32_t rc = PLUGIN_FAILURE;
	uint32_t n = 0, seen = 0;

	enter(t, FUZZ_STAGE_OPEN);
	plugin_instance *h = s->open(t->plugin.state, params, &rc);
	leave(t);
	check_rc(t, "open", rc);
	if (rc != PLUGIN_SUCCESS)
		return;
	for (uint32_t i = 0; i < BATCHES && seen < SOURCE_EVENTS; i++) {
		/* Before the call: what comes during it may come after it looked. */
		bool was_fed = t->way <= FUZZ_WAY_FILE || *t->fed;
		n = 0;
		event = NULL;
		enter(t, FUZZ_STAGE_BATCH);
		rc = s->next_batch(t->plugin.state, h, &n, &event);
		leave(t);
		check_rc(t, "next_batch", rc);
		if (rc == PLUGIN_SUCCESS && n == 0)
			target_breach(t, "next_batch: success without an event");
		if (event && !check_events(t, event, n))
			break;
		seen += n;
		if (has_ended(t, rc, was_fed))
			break;
		/* Waiting for the campaign is no batch. */
		i -= rc == PLUGIN_TIMEOUT;
	}
	enter(t, FUZZ_STAGE_CLOSE);
	s->close(t->plugin.state, h);
	leave(t);
}

/* The clock must not run while the campaign is asked. */
static bool
run_data(struct target *t, const struct case_part *p, uint32_t number, struct err *err)
{
	if (t->kind != FUZZ_SOURCE || t->way == FUZZ_WAY_NONE)
		return true;
	if (t->way == FUZZ_WAY_FILE ? !write_file(t, p, err)
				    : !t->feed(t->arg, number, err))
		return false;
	run_source(t, t->params);
	return true;
}

/* Asynchronous events. */

static int32_t
on_async(plugin_owner *owner, const struct plugin_event *event, char *message)
{
	check_async_event(owner, event);
	return PLUGIN_SUCCESS;
}

static void
set_handler(struct target *t, plugin_async_handler handler)
{
	enter(t, FUZZ_STAGE_ASYNC);
	int32_t rc = t->plugin.sym.set_async_event_handler(t->plugin.state, t, handler);
	leave(t);
	check_rc(t, "set_async_event_handler", rc);
}

static uint64_t
hash_case(const uint8_t *bytes, uint32_t n)
{
	uint64_t h = n;

	for (uint32_t i = 0; i < n && i < 256; i++)
		h = (h ^ bytes[i]) * 0x100000001b3ull;
	return h;
}

bool
target_run(struct target *t, const uint8_t *bytes, uint32_t n, struct err *err)
{
	static struct case_part part[CASE_PARTS_MAX];
	static struct asked asked;
	uint32_t n_parts = case_parts(bytes, n, part), number = 0;
	int32_t rc;

	const uint64_t hash = hash_case(bytes, n);
	tables_begin(hash);
	t->spares = t->rare && hash % 16 != 0;
	t->is_new = false;
	asked.n = 0;
	coverage_clear();
	hooks_begin(t->memory_bytes);
	trap_running(true);
	if (t->kind == FUZZ_ASYNC)
		set_handler(t, on_async);
	for (uint32_t i = 0; i < n_parts; i++) {
		const struct case_part *p = &part[i];
		const char *text;

		if (p->kind == PART_FIELD) {
			ask(t, &asked, p);
		} else if (p->kind == PART_EVENT && t->plugin.state) {
			run_event(t, p, ++number, &asked);
		} else if (p->kind == PART_CONFIG && t->kind == FUZZ_INIT) {
			text = text_of(p);
			if (!fits_schema(t, &text))
				continue;
			init(t, text, FUZZ_STAGE_INIT, &rc);
			check_rc(t, "init", rc);
			if (rc == PLUGIN_SUCCESS && !t->plugin.state)
				target_breach(t, "init: success without a state");
			destroy(t);
		} else if (p->kind == PART_PARAMS && t->kind == FUZZ_OPEN) {
			run_source(t, text_of(p));
		} else if (p->kind == PART_DATA && !run_data(t, p, i, err)) {
			return false;
		}
	}
	if (t->kind == FUZZ_ASYNC) {
		const struct timespec wait = {0, ASYNC_WAIT_MS * 1000000};
		nanosleep(&wait, NULL);
		set_handler(t, NULL);
	}
	trap_running(false);
	return true;
}

bool
target_harvest(struct target *t, struct err *err)
{
	const struct plugin_symbols *s = &t->plugin.sym;
	struct plugin_event **event = NULL;
	int32_t rc = PLUGIN_FAILURE;
	uint32_t n = 0, seen = 0;

	t->up->stage = FUZZ_STAGE_OPEN;
	plugin_instance *h = s->open(t->plugin.state, t->params, &rc);
	if (rc != PLUGIN_SUCCESS)
		return err_set(err, ERR_PLUGIN, "%s", plugin_last_error(&t->plugin));
	for (uint32_t i = 0; i < HARVEST_BATCHES && seen < HARVEST_EVENTS; i++) {
		n = 0;
		t->up->stage = FUZZ_STAGE_BATCH;
		rc = s->next_batch(t->plugin.state, h, &n, &event);
		for (uint32_t k = 0; event && k < n && seen < HARVEST_EVENTS; k++) {
			const struct plugin_event *e = event[k];
			if (e->len < PLUGIN_EVENT_PAYLOAD_OFF)
				continue;
			t->on_event(t->arg, (const uint8_t *)e + PLUGIN_EVENT_PAYLOAD_OFF,
			    e->len - PLUGIN_EVENT_PAYLOAD_OFF);
			seen++;
		}
		if (rc != PLUGIN_SUCCESS && rc != PLUGIN_TIMEOUT)
			break;
	}
	t->up->stage = FUZZ_STAGE_CLOSE;
	s->close(t->plugin.state, h);
	t->up->stage = FUZZ_STAGE_IDLE;
	return true;
}
