/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a worker says: control messages become events of the table, log lines and printed
 * output become log lines of ours, escaped, bounded and marked as the plugin's words.
 */
#include <errno.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/utf8.h"
#include "broker/supervisor/worker_internal.h"
#include "worker/launch/launcher.h"

/* A line of a log may be had for a token; they come back at the profile's rate and gather
 * up to ten seconds' worth. */
static bool
take_log_token(struct worker *w)
{
	double rate = (double)w->plugin->profile->limits.log_lines_per_s;
	uint64_t now = clock_mono_ns();

	if (w->log_tokens_at_ns == 0)
		w->log_tokens = 10 * rate;
	else
		w->log_tokens += (double)(now - w->log_tokens_at_ns) / 1e9 * rate;
	if (w->log_tokens > 10 * rate)
		w->log_tokens = 10 * rate;
	w->log_tokens_at_ns = now;
	if (w->log_tokens < 1) {
		w->counts.log_dropped++;
		w->log_muted++;
		return false;
	}
	w->log_tokens--;
	if (w->log_muted > 0) {
		log_warning("plugin '%s' logs too much: %llu lines were dropped",
		    w->plugin->setting->name, (unsigned long long)w->log_muted);
		w->log_muted = 0;
	}
	w->counts.log_lines++;
	return true;
}

/* Plugin severities (1 fatal … 8 trace) as levels of our log. */
static enum log_level
level_of(uint32_t severity)
{
	switch (severity) {
	case 1:
	case 2:
		return LOG_LEVEL_CRITICAL;
	case 3:
		return LOG_LEVEL_ERROR;
	case 4:
		return LOG_LEVEL_WARNING;
	case 5:
		return LOG_LEVEL_NOTICE;
	case 6:
		return LOG_LEVEL_INFO;
	default:
		return LOG_LEVEL_DEBUG;
	}
}

static void
log_words(
    struct worker *w, enum log_level level, const char *mark, const char *text, size_t n)
{
	struct buf line;

	buf_init(&line, 8 * LIMIT_LOG_LINE_BYTES);
	buf_addf(&line, "[libs]: %s: ", mark);
	utf8_escape(&line, text, n, LIMIT_LOG_LINE_BYTES);
	snprintf(w->recent[w->recent_at], WORKER_RECENT_BYTES, "%s", buf_str(&line) + 8);
	w->recent_at = (w->recent_at + 1) % WORKER_RECENT_LINES;
	if (take_log_token(w))
		log_text(level, buf_str(&line));
	buf_release(&line);
}

static void
on_log(struct worker *w, const Control__Log *peer_log)
{
	const char *text = peer_log->text ? peer_log->text : "";
	struct buf mark;
	uint32_t severity = peer_log->severity;

	if (severity < 1 || severity > 8)
		severity = 6;
	if (!w->sup->libs_log_enabled || (int)severity > w->sup->libs_log_severity)
		return;
	buf_init(&mark, 1024);
	if (peer_log->component && peer_log->component[0])
		utf8_escape(&mark, peer_log->component, strlen(peer_log->component), 64);
	else
		buf_adds(
		    &mark, w->plugin->name ? w->plugin->name : w->plugin->setting->name);
	log_words(w, level_of(severity), buf_str(&mark), text, strlen(text));
	buf_release(&mark);
}

static const char *
step_name(Control__Failed__Step step)
{
	switch (step) {
	case CONTROL__FAILED__STEP__LOAD:
		return "load";
	case CONTROL__FAILED__STEP__INIT:
		return "init";
	case CONTROL__FAILED__STEP__OPEN:
		return "open";
	case CONTROL__FAILED__STEP__NEXT_BATCH:
		return "next_batch";
	case CONTROL__FAILED__STEP__LIST_OPEN_PARAMS:
		return "list_open_params";
	case CONTROL__FAILED__STEP__ATTACH:
		return "attach";
	case CONTROL__FAILED__STEP__DUMP_STATE:
		return "dump_state";
	case CONTROL__FAILED__STEP__SET_CONFIG:
		return "set_config";
	default:
		return "plan";
	}
}

/* The text is the plugin's own in parts: escaped, as everything that people will read. */
static void
on_failed(struct worker *w, const Control__Failed *peer_failed)
{
	const char *peer_text = peer_failed->text ? peer_failed->text : "";
	struct buf text;

	buf_init(&text, sizeof(w->doom.msg));
	utf8_escape(&text, peer_text, strlen(peer_text), sizeof(w->doom.msg) / 2);
	if (peer_failed->step == CONTROL__FAILED__STEP__NEXT_BATCH) {
		snprintf(w->failure, sizeof(w->failure), "%s", buf_str(&text));
	} else if (peer_failed->step >= CONTROL__FAILED__STEP__ATTACH) {
		err_set(&w->ask_error, ERR_PLUGIN, "%s", buf_str(&text));
		worker_answered(w, false);
	} else {
		err_set(&w->doom, ERR_PLUGIN, "%s", buf_str(&text));
		if (w->restartable)
			log_warning("plugin '%s': %s failed: %s",
			    w->plugin->setting->name, step_name(peer_failed->step),
			    w->doom.msg);
		worker_event(w, WORKER_ON_STEP_FAILED);
	}
	buf_release(&text);
}

static void
on_loaded(struct worker *w, const Control__Loaded *peer_loaded)
{
	struct err err;

	if (worker_describe(w, peer_loaded, &err))
		worker_event(w, WORKER_ON_LOADED);
	else
		worker_breach(w, &err);
}

bool
worker_types_have(const struct worker_types *t, uint16_t type)
{
	return t->all ||
	       (type < PLUGIN_EVENT_TYPES_N && t->bits[type / 64] >> type % 64 & 1);
}

static void
keep_types(struct worker_types *t, bool all, const uint32_t *peer_type, size_t n)
{
	*t = (struct worker_types){.all = all};
	for (size_t i = 0; i < n; i++) {
		if (peer_type[i] < PLUGIN_EVENT_TYPES_N)
			t->bits[peer_type[i] / 64] |= 1ull << peer_type[i] % 64;
	}
}

static void
on_initialized(struct worker *w, const Control__Initialized *m)
{
	keep_types(&w->extract_types, m->all_extract_types, m->extract_types,
	    m->n_extract_types);
	keep_types(&w->parse_types, m->all_parse_types, m->parse_types, m->n_parse_types);
	worker_event(w, WORKER_ON_INITIALIZED);
}

static void
on_metrics(struct worker *w, const Control__Metrics *peer_metrics)
{
	size_t n = peer_metrics->n_metrics;
	struct worker_metric *list =
	    n <= LIMIT_PLUGIN_METRICS ? calloc(n + 1, sizeof(*list)) : NULL;

	w->metrics_asked = false;
	if (!list)
		return;
	for (size_t i = 0; i < n; i++) {
		const Control__Metric *peer = peer_metrics->metrics[i];
		const char *name = peer->name ? peer->name : "";
		struct buf shown;

		buf_init(&shown, 8 * sizeof(list->name));
		utf8_escape(&shown, name, strlen(name), sizeof(list->name));
		snprintf(list[i].name, sizeof(list[i].name), "%s", buf_str(&shown));
		buf_release(&shown);
		list[i].monotonic = peer->monotonic;
		if (peer->has_real_value) {
			list[i].kind = METRIC_REAL;
			list[i].value.d = peer->real_value;
		} else if (peer->has_signed_value) {
			list[i].kind = METRIC_SIGNED;
			list[i].value.s = peer->signed_value;
		} else {
			list[i].value.u = peer->unsigned_value;
		}
	}
	free(w->metric);
	w->metric = list;
	w->n_metric = (uint32_t)n;
	w->metrics_at_ns = clock_mono_ns();
}

/* Keeps the message for who asked. */
static void
on_open_params(struct worker *w, Control__Message **m)
{
	if (w->open_params)
		channel_message_free(w->open_params);
	w->open_params = *m;
	*m = NULL;
}

static void
dispatch(struct worker *w, Control__Message **message)
{
	Control__Message *m = *message;

	switch (m->body_case) {
	case CONTROL__MESSAGE__BODY_READY:
		worker_event(w, WORKER_ON_READY);
		break;
	case CONTROL__MESSAGE__BODY_LOADED:
		on_loaded(w, m->loaded);
		break;
	case CONTROL__MESSAGE__BODY_INITIALIZED:
		on_initialized(w, m->initialized);
		break;
	case CONTROL__MESSAGE__BODY_PLANNED:
		if (m->planned->generation == w->plan_generation)
			worker_replanned(w);
		break;
	case CONTROL__MESSAGE__BODY_OPENED:
		worker_event(w, WORKER_ON_OPENED);
		break;
	case CONTROL__MESSAGE__BODY_STOPPED:
		worker_event(w, WORKER_ON_STOPPED);
		break;
	case CONTROL__MESSAGE__BODY_OPEN_PARAMS:
		on_open_params(w, message);
		break;
	case CONTROL__MESSAGE__BODY_LOG:
		on_log(w, m->log);
		break;
	case CONTROL__MESSAGE__BODY_FAILED:
		if (w->ask_answer == CONTROL__MESSAGE__BODY_STATE_DUMPED)
			worker_side_take_all(w);
		on_failed(w, m->failed);
		break;
	case CONTROL__MESSAGE__BODY_METRICS:
		on_metrics(w, m->metrics);
		break;
	case CONTROL__MESSAGE__BODY_STATE_DUMPED:
		/* The state itself may not have been looked at yet. */
		worker_side_take_all(w);
		if (w->doomed)
			break;
		/* fall through */
	case CONTROL__MESSAGE__BODY_ATTACHED:
	case CONTROL__MESSAGE__BODY_CONFIG_SET:
		if (w->ask_answer == m->body_case)
			worker_answered(w, true);
		break;
	case CONTROL__MESSAGE__BODY_BYE:
		worker_event(w, WORKER_ON_BYE);
		break;
	default:
		break; /* permits.h has refused everything else */
	}
}

/* Messages in one turn of the loop: another worker is never kept waiting by a chatty one.
 */
enum {
	MESSAGES_PER_TURN = 64
};

static void
take_messages(struct worker *w, uint32_t most)
{
	Control__Message *m;
	struct err err;

	for (uint32_t i = 0; i < most && w->channel.fd >= 0; i++) {
		switch (channel_receive(&w->channel, &m, &err)) {
		case CHANNEL_OK:
			break;
		case CHANNEL_AGAIN:
			return;
		case CHANNEL_CLOSED:
			/* The launcher tells how it ended; one that only hangs up is
			 * given no long time to. */
			if (w->on_control)
				event_del(w->on_control);
			if (!w->doomed)
				worker_expect_death(w);
			return;
		case CHANNEL_ERROR:
			if (w->on_control)
				event_del(w->on_control);
			worker_breach(w, &err);
			return;
		}
		if (!permit_check(&w->permits, worker_phase(w), m,
			w->channel.received_bytes, clock_mono_ns(), &err)) {
			worker_breach(w, &err);
			channel_message_free(m);
			return;
		}
		dispatch(w, &m);
		if (m)
			channel_message_free(m);
	}
}

void
worker_on_control(int fd, short what, void *arg)
{
	take_messages(arg, MESSAGES_PER_TURN);
}

void
worker_drain_control(struct worker *w)
{
	take_messages(w, 1024);
}

void
worker_on_wake(int fd, short what, void *arg)
{
	struct worker *w = arg;
	uint64_t n;

	if (!w->sup->has_edges && read(fd, &n, sizeof(n)) < 0 && errno != EAGAIN)
		return;
	worker_side_take(w);
	if (w->owner && w->owner->frames)
		w->owner->frames(w, w->owner_arg);
}

static void
printed_line(struct worker *w, const char *line, size_t n)
{
	struct buf mark;

	buf_init(&mark, 256);
	buf_addf(&mark, "%s prints", w->plugin->setting->name);
	if (n > 0)
		log_words(w, LOG_LEVEL_INFO, buf_str(&mark), line, n);
	buf_release(&mark);
}

/* Lines longer than the buffer are cut into pieces: nothing is kept without bound. */
static void
printed(struct worker *w, const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (p[i] == '\n' || w->line_len == sizeof(w->line)) {
			printed_line(w, w->line, w->line_len);
			w->line_len = 0;
		}
		if (p[i] != '\n')
			w->line[w->line_len++] = p[i];
	}
}

static bool
read_output(struct worker *w)
{
	char piece[4096];
	ssize_t n = read(w->output_fd, piece, sizeof(piece));

	if (n > 0)
		printed(w, piece, (size_t)n);
	else if (n == 0 && w->on_output)
		event_del(w->on_output);
	return n > 0;
}

void
worker_on_output(int fd, short what, void *arg)
{
	read_output(arg);
}

void
worker_drain_output(struct worker *w)
{
	for (int i = 0; i < 64 && w->output_fd >= 0 && read_output(w); i++)
		;
	if (w->line_len > 0)
		printed_line(w, w->line, w->line_len);
	w->line_len = 0;
}

void
worker_wake(struct worker *w)
{
	const uint64_t one = 1;

	if (w->wake_worker_fd >= 0 && write(w->wake_worker_fd, &one, sizeof(one)) < 0 &&
	    errno != EAGAIN)
		log_error(
		    "cannot wake the worker of plugin '%s'", w->plugin->setting->name);
}

const uint32_t worker_latency_us[WORKER_LATENCY_BUCKETS] = {
    50, 100, 250, 500, 1000, 2500, 5000, 10000, 25000, 50000, 100000, 250000, 1000000, 0};

void
worker_took(struct worker *w, uint64_t ns)
{
	uint32_t i = 0;

	while (worker_latency_us[i] && ns > worker_latency_us[i] * 1000ull)
		i++;
	w->counts.latency.bucket[i]++;
	w->counts.latency.sum_ns += ns;
}

static const char *const denial_kind_names[WORKER_DENIAL_KIND_N] = {
#define WORKER_DENIAL_NAME(id, name) [WORKER_DENIAL_##id] = name,
    WORKER_DENIAL_KINDS(WORKER_DENIAL_NAME)
#undef WORKER_DENIAL_NAME
};

const char *
worker_denial_kind_name(enum worker_denial_kind kind)
{
	return denial_kind_names[kind];
}

/* "read: [/etc/shadow]" is of kind read. */
static enum worker_denial_kind
denial_kind(const char *allow_with)
{
	size_t n = strcspn(allow_with, ":");

	for (int i = 0; i < WORKER_DENIAL_OTHER; i++) {
		if (strlen(denial_kind_names[i]) == n &&
		    strncmp(denial_kind_names[i], allow_with, n) == 0)
			return (enum worker_denial_kind)i;
	}
	return WORKER_DENIAL_OTHER;
}

/* The launcher tells how often in all; what is new of that is added. */
static void
keep_denial(struct worker *w, const struct launch_event *e)
{
	struct worker_denial *d = NULL;
	uint64_t count = e->count ? e->count : 1, before;

	for (uint32_t i = 0; i < w->n_denial; i++) {
		if (strcmp(w->denial[i].what, e->what) == 0)
			d = &w->denial[i];
	}
	if (!d) {
		d = &w->denial[w->denial_at];
		w->denial_at = (w->denial_at + 1) % WORKER_DENIALS_KEPT;
		if (w->n_denial < WORKER_DENIALS_KEPT)
			w->n_denial++;
		*d = (struct worker_denial){.count = 0};
		snprintf(d->what, sizeof(d->what), "%s", e->what);
		snprintf(d->allow_with, sizeof(d->allow_with), "%s", e->allow_with);
	}
	/* A later incarnation counts from one again. */
	before = count > d->count ? d->count : 0;
	d->count = count;
	w->counts.denials += count - before;
	w->denied[denial_kind(e->allow_with)] += count - before;
}

void
worker_denied(struct worker *w, const struct launch_event *e)
{
	keep_denial(w, e);
	if (e->allow_with[0])
		log_warning(
		    "plugin '%s' %s: refused; to allow it, add to its sandbox: %s",
		    w->plugin->setting->name, e->what, e->allow_with);
	else
		log_warning("plugin '%s' %s: refused; no policy changes that",
		    w->plugin->setting->name, e->what);
}

/* What is new since the last time is added. */
void
worker_counted(struct worker *w, const struct launch_event *e)
{
	const uint64_t *now = (const uint64_t *)&e->egress;
	uint64_t *told = (uint64_t *)&w->egress_told, *sum = (uint64_t *)&w->egress;

	if (e->id != w->egress_id)
		w->egress_told = (struct egress_counters){0};
	w->egress_id = e->id;
	_Static_assert(sizeof(struct egress_counters) % sizeof(uint64_t) == 0,
	    "nothing but numbers");
	for (size_t i = 0; i < sizeof(struct egress_counters) / sizeof(uint64_t); i++)
		sum[i] += now[i] - told[i];
	w->egress_told = e->egress;
}

struct worker *
worker_new(struct supervisor *sup, struct plugin *plugin, struct err *err)
{
	struct worker *w = calloc(1, sizeof(*w));

	if (!w) {
		err_nomem(err);
		return NULL;
	}
	w->sup = sup;
	w->plugin = plugin;
	w->source = "";
	w->next_event = 1;
	w->channel.fd = -1;
	w->wake_broker_fd = w->wake_worker_fd = w->output_fd = -1;
	TAILQ_INSERT_TAIL(&sup->workers, w, link);
	return w;
}

void
worker_assign(
    struct worker *w, const char *source, const struct worker_owner *owner, void *arg)
{
	w->source = source;
	w->owner = owner;
	w->owner_arg = arg;
}

void
worker_free(struct worker *w)
{
	if (!w)
		return;
	worker_kill(w);
	worker_bury(w);
	if (w->on_backoff)
		event_free(w->on_backoff);
	if (w->open_params)
		channel_message_free(w->open_params);
	free(w->metric);
	TAILQ_REMOVE(&w->sup->workers, w, link);
	free(w);
}
