/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Listens: told that events begin, it has a routine called by another thread, which puts
 * threads into the built-in table while events flow; told that they end, it says how
 * many. It has metrics, takes a new configuration, and says how much of its source is
 * read.
 *
 * Falco calls capture_open when the source is open, capture_close when it is closed, a
 * routine until it says no or is unsubscribed, all routines being ended at the close;
 * metrics with each snapshot; never set_config nor get_progress.
 *
 * init_config: "refuses" fails in capture_open; "schema=VERSION" is what it requires.
 */
#define KIT_NAME "listener"
#define KIT_ID   4460
#define KIT_API  "3.12.0"
#define KIT_OWN_init
#define KIT_OWN_next_batch
#include <stdatomic.h>

#include "tests/plugins/kit.h"

struct state {
	struct kit_state kit;
	plugin_owner *owner;
	plugin_log_fn log;
	bool refuses;
	char schema[32];
	plugin_table *threads;
	struct plugin_table_reader_ext *reader;
	struct plugin_table_writer *writer;
	plugin_routine *ticker;
	_Atomic uint64_t ticks, once;
	_Atomic int64_t failed;
};

static void
say(struct state *s, const char *what, long n)
{
	char line[128];

	snprintf(line, sizeof(line), "%s: %ld", what, n);
	s->log(s->owner, NULL, line, PLUGIN_LOG_INFO);
}

plugin_state *
plugin_init(const struct plugin_init_input *in, int32_t *rc)
{
	struct state *s = calloc(1, sizeof(*s));
	const char *schema = strstr(in->config, "schema=");

	s->owner = in->owner;
	s->log = in->log_fn;
	s->refuses = strstr(in->config, "refuses") != NULL;
	if (schema)
		snprintf(s->schema, sizeof(s->schema), "%s", schema + 7);
	s->threads = in->tables->get_table(in->owner, "threads", PLUGIN_STATE_INT64);
	*rc = PLUGIN_SUCCESS;
	return s;
}

const char *
plugin_get_required_event_schema_version(plugin_state *s)
{
	return s ? ((struct state *)s)->schema : NULL;
}

static uint32_t
tick(plugin_state *sv, void *state)
{
	struct state *s = sv;
	union plugin_state_data key = {.s64 = (int64_t)atomic_fetch_add(&s->ticks, 1)};
	plugin_entry *e = s->writer->create_table_entry(s->threads);

	(void)state;
	if (!e || !s->writer->add_table_entry(s->threads, &key, e))
		atomic_fetch_add(&s->failed, 1);
	usleep(1000);
	return 1;
}

static uint32_t
only_once(plugin_state *sv, void *state)
{
	(void)state;
	atomic_fetch_add(&((struct state *)sv)->once, 1);
	return 0;
}

int32_t
plugin_capture_open(plugin_state *sv, const struct plugin_listen_input *in)
{
	struct state *s = sv;

	s->reader = in->table_reader_ext;
	s->writer = in->table_writer_ext;
	if (s->refuses)
		return PLUGIN_FAILURE;
	say(s, "capture opened, threads", (long)s->reader->get_table_size(s->threads));
	s->ticker = in->routine->subscribe(in->owner, tick, NULL);
	in->routine->subscribe(in->owner, only_once, NULL);
	/* One that is taken back at once, and a second time. */
	plugin_routine *r = in->routine->subscribe(in->owner, tick, NULL);
	say(s, "taken back", in->routine->unsubscribe(in->owner, r));
	say(s, "taken back again", in->routine->unsubscribe(in->owner, r));
	say(s, "never there", in->routine->unsubscribe(in->owner, s));
	return PLUGIN_SUCCESS;
}

int32_t
plugin_capture_close(plugin_state *sv, const struct plugin_listen_input *in)
{
	struct state *s = sv;
	uint64_t ticks = atomic_load(&s->ticks);

	(void)in;
	say(s, "capture closed, ticks enough", ticks > 20);
	say(s, "once", (long)atomic_load(&s->once));
	say(s, "failed", (long)atomic_load(&s->failed));
	say(s, "threads enough", s->reader->get_table_size(s->threads) > 20);
	return PLUGIN_SUCCESS;
}

struct plugin_metric *
plugin_get_metrics(plugin_state *sv, uint32_t *n)
{
	static struct plugin_metric m[3];
	struct state *s = sv;

	m[0] = (struct plugin_metric){
	    .name = "ticks", .value = {.u64 = atomic_load(&s->ticks)}, .value_type = 2};
	m[1] = (struct plugin_metric){
	    .name = "below", .type = 1, .value = {.s32 = -7}, .value_type = 1};
	m[2] = (struct plugin_metric){
	    .name = "half", .type = 1, .value = {.d = 0.5}, .value_type = 4};
	*n = 3;
	return m;
}

int32_t
plugin_set_config(plugin_state *sv, const struct plugin_set_config_input *in)
{
	say(sv, in->config, 1);
	return strcmp(in->config, "no") == 0 ? PLUGIN_FAILURE : PLUGIN_SUCCESS;
}

const char *
plugin_get_progress(plugin_state *s, plugin_instance *hv, uint32_t *pct)
{
	struct kit_instance *h = hv;

	(void)s;
	*pct = h->n ? (uint32_t)(h->next * 10000 / h->n) : 0;
	return "some";
}

int32_t
plugin_next_batch(
    plugin_state *s, plugin_instance *hv, uint32_t *nevts, struct plugin_event ***evts)
{
	struct kit_instance *h = hv;

	(void)s;
	*nevts = 0;
	*evts = h->event;
	if (h->next == h->n)
		return PLUGIN_EOF;
	usleep((useconds_t)h->pause_us);
	h->event[0] = kit_numbered_event(h, 0, KIT_ID, h->next++);
	*nevts = 1;
	return PLUGIN_SUCCESS;
}
