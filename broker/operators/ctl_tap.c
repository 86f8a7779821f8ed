/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Events as they pass, for clients that look. A pipeline has a hook for each event only
 * while somebody does; lines past the rate are skipped and counted before they are made.
 */
#include <arpa/inet.h>
#include <string.h>

#include "base/clock.h"
#include "base/limits.h"
#include "broker/operators/ctl_internal.h"
#include "broker/operators/operators.h"
#include "broker/pipeline/pipeline.h"
#include "rules/time_text.h"

enum {
	TAP_LINES_PER_S = 50,
	TAP_BURST = 50,
};

static bool
take_token(struct ctl_client *c)
{
	uint64_t now = clock_mono_ns();

	c->tap_tokens += (double)(now - c->tap_at_ns) / 1e9 * TAP_LINES_PER_S;
	if (c->tap_tokens > TAP_BURST)
		c->tap_tokens = TAP_BURST;
	c->tap_at_ns = now;
	if (c->tap_tokens < 1) {
		c->tap_skipped++;
		return false;
	}
	c->tap_tokens--;
	return true;
}

static void
value_json(
    enum value_type type, const struct value_view *v, uint32_t i, struct json_writer *w)
{
	char text[INET6_ADDRSTRLEN] = "";
	const char *s;
	uint32_t n;

	if (type == VALUE_BOOL) {
		json_bool(w, v->num[i] != 0);
	} else if (value_type_is_number(type)) {
		json_u64(w, v->num[i]);
	} else if (type == VALUE_IPADDR) {
		s = value_view_str(v, i, &n);
		if (n == 4 || n == 16)
			inet_ntop(n == 4 ? AF_INET : AF_INET6, s, text, sizeof(text));
		json_str(w, text);
	} else if (type == VALUE_IPNET) {
		json_str(w, "<IPNET>");
	} else {
		s = value_view_str(v, i, &n);
		json_str_n(w, s, strnlen(s, n));
	}
}

static void
slot_json(const struct event_view *view, uint32_t number, const struct slot *slot,
    struct json_writer *w)
{
	struct value_view v;

	event_view_slot(view, number, &v);
	if (!v.present)
		return;
	json_key(w, slot->ref.text);
	if (!(slot->ref.field->flags & FIELD_LIST)) {
		value_json(slot->ref.field->type, &v, 0, w);
		return;
	}
	json_begin_array(w);
	for (uint32_t i = 0; i < v.n; i++)
		value_json(slot->ref.field->type, &v, i, w);
	json_end_array(w);
}

static void
event_json(struct ctl_client *c, const struct pipeline *p, const struct event_view *view,
    struct json_writer *w)
{
	const struct event_meta *meta = event_view_meta(view);
	const struct slot_set *slots = p->rules->slots;
	char when[64];

	json_begin_object(w);
	json_key(w, "num");
	json_u64(w, meta->num);
	json_key(w, "time");
	time_text_iso8601(when, sizeof(when), meta->ts_ns, "Z");
	json_str(w, when);
	json_key(w, "source");
	json_str(w, p->name);
	json_key(w, "fields");
	json_begin_object(w);
	for (uint32_t i = 0; i < slots->n; i++) {
		const struct field *f = slots->slot[i].ref.field;
		if (f->provider == PROVIDER_PLUGIN && f->plugin == c->tap_plugin)
			slot_json(view, i, &slots->slot[i], w);
	}
	json_end_object(w);
	if (c->tap_skipped) {
		json_key(w, "skipped");
		json_u64(w, c->tap_skipped);
		c->tap_skipped = 0;
	}
	json_end_object(w);
	event_view_done(view);
}

static void
on_event(struct pipeline *p, const struct event_view *view, void *arg)
{
	struct app_source *as = arg;
	struct ctl *ctl = operators_ctl(as->app->operators);
	struct ctl_client *c;

	TAILQ_FOREACH (c, &ctl->clients, link) {
		struct json_writer w;
		struct buf line;

		if (c->tap != as || c->is_over || !take_token(c))
			continue;
		buf_init(&line, LIMIT_OUTPUT_LINE_BYTES);
		json_init(&w, &line);
		event_json(c, p, view, &w);
		ctl_send(c, &line);
		buf_release(&line);
	}
}

static bool
reads(const struct app_source *as, uint32_t plugin)
{
	if (!as->pipeline)
		return false;
	for (uint32_t i = 0; i < as->pipeline->n_worker; i++) {
		if (as->pipeline->worker[i].worker->plugin->index == plugin)
			return true;
	}
	return false;
}

bool
ctl_tap(
    struct ctl_client *c, const char *argument, struct json_writer *w, struct err *err)
{
	struct app *app = c->ctl->app;
	const struct plugin *plugin = plugin_set_find(&app->plugins, argument);

	if (!plugin)
		return err_set(err, ERR_USAGE, "there is no plugin '%s'", argument);
	ctl_tap_end(c);
	for (uint32_t i = 0; i < app->n_source && !c->tap; i++) {
		if (reads(&app->source[i], plugin->index))
			c->tap = &app->source[i];
	}
	if (!c->tap)
		return err_set(
		    err, ERR_USAGE, "plugin '%s' has no source that runs", argument);
	c->tap_plugin = plugin->index;
	c->tap_tokens = TAP_BURST;
	c->tap_at_ns = clock_mono_ns();
	c->tap_skipped = 0;
	c->tap->pipeline->sink.event = on_event;
	json_key(w, "source");
	json_str(w, c->tap->source->name);
	json_key(w, "lines_per_s");
	json_u64(w, TAP_LINES_PER_S);
	return true;
}

void
ctl_tap_end(struct ctl_client *c)
{
	struct app_source *as = c->tap;
	struct ctl_client *other;
	bool used = false;

	c->tap = NULL;
	if (!as)
		return;
	TAILQ_FOREACH (other, &c->ctl->clients, link)
		used |= other->tap == as;
	if (!used && as->pipeline)
		as->pipeline->sink.event = NULL;
}
