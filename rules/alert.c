/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/alert.h"

#include <string.h>

#include "base/json_write.h"
#include "base/limits.h"
#include "rules/format.h"
#include "rules/time_text.h"

static void
add_prefix(const struct rule *rule, const struct event_view *view,
    const struct alert_options *options, struct buf *out)
{
	uint64_t ts = event_view_meta(view)->ts_ns;
	char when[64];

	if (options->time_iso8601)
		time_text_iso8601(when, sizeof(when), ts, "+0000");
	else
		time_text(when, sizeof(when), ts,
		    options->utc_offset_s ? options->utc_offset_s() : 0, false, true);
	buf_adds(out, when);
	buf_adds(out, ": ");
	buf_adds(out, priority_name(rule->priority));
	buf_addc(out, ' ');
}

void
alert_text(const struct rule *rule, const struct event_view *view,
    const struct alert_options *options, struct buf *scratch, struct buf *out)
{
	buf_clear(scratch);
	add_prefix(rule, view, options, scratch);
	format_text(rule->output, view, scratch);
	json_escape(out, buf_str(scratch), scratch->len);
	event_view_done(view);
}

/* One key of output_fields: which format's field it is, or the time, or an extra field.
 */
struct entry {
	const char *key;
	const struct format *format; /* NULL: the event's time */
	uint32_t field;
	bool as_text; /* the whole format as a string */
};

/* Later entries win over earlier ones of the same key; sorted by key. */
static uint32_t
put_entry(struct entry *list, uint32_t n, struct entry e)
{
	uint32_t at = 0;

	while (at < n && strcmp(list[at].key, e.key) < 0)
		at++;
	if (at < n && strcmp(list[at].key, e.key) == 0) {
		list[at] = e;
		return n;
	}
	if (n == LIMIT_OUTPUT_FIELDS)
		return n;
	memmove(&list[at + 1], &list[at], (n - at) * sizeof(*list));
	list[at] = e;
	return n + 1;
}

static uint32_t
collect(const struct rule *rule, const struct alert_options *options, struct entry *list)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < format_n_fields(rule->output); i++)
		n = put_entry(list, n,
		    (struct entry){
			format_field_key(rule->output, i), rule->output, i, false});
	n = put_entry(list, n,
	    (struct entry){
		options->time_iso8601 ? "evt.time.iso8601" : "evt.time", NULL, 0, false});
	for (uint32_t i = 0; i < rule->n_extra; i++) {
		const struct rule_extra_field *x = &rule->extra[i];
		n = put_entry(list, n, (struct entry){x->key, x->format, 0, !x->raw});
	}
	return n;
}

static void
add_fields(const struct rule *rule, const struct event_view *view,
    const struct alert_options *options, struct buf *scratch, struct json_writer *w)
{
	struct entry list[LIMIT_OUTPUT_FIELDS];
	uint32_t n = collect(rule, options, list);

	json_begin_object(w);
	for (uint32_t i = 0; i < n; i++) {
		const struct entry *e = &list[i];
		json_key(w, e->key);
		if (!e->format) {
			json_u64(w, event_view_meta(view)->ts_ns);
		} else if (e->as_text) {
			buf_clear(scratch);
			format_text(e->format, view, scratch);
			json_str_n(w, buf_str(scratch), scratch->len);
		} else if (format_n_fields(e->format) > e->field &&
			   (e->format == rule->output ||
			       strcmp(format_field_key(e->format, e->field), e->key) ==
				   0)) {
			format_field_json(e->format, e->field, view, w);
		} else {
			json_write_null(w); /* a raw field asked for under another text */
		}
	}
	json_end_object(w);
}

void
alert_json(const struct rule *rule, const struct event_view *view,
    const struct alert_options *options, struct buf *scratch, struct buf *out)
{
	struct json_writer w;
	char when[64];
	size_t prefix;

	buf_clear(scratch);
	add_prefix(rule, view, options, scratch);
	prefix = scratch->len;
	format_text(rule->output, view, scratch);
	json_init(&w, out);
	json_begin_object(&w);
	json_key(&w, "hostname");
	json_str(&w, options->hostname);
	if (options->json_include_message) {
		json_key(&w, "message");
		json_str_n(&w, buf_str(scratch) + prefix, scratch->len - prefix);
	}
	if (options->json_include_output) {
		json_key(&w, "output");
		json_str_n(&w, buf_str(scratch), scratch->len);
	}
	if (options->json_include_output_fields) {
		json_key(&w, "output_fields");
		add_fields(rule, view, options, scratch, &w);
	}
	json_key(&w, "priority");
	json_str(&w, priority_name(rule->priority));
	json_key(&w, "rule");
	json_str(&w, rule->name);
	json_key(&w, "source");
	json_str(&w, rule->source);
	if (options->json_include_tags) {
		json_key(&w, "tags");
		json_begin_array(&w);
		for (uint32_t i = 0; i < rule->n_tag; i++)
			json_str(&w, rule->tag[i]);
		json_end_array(&w);
	}
	json_key(&w, "time");
	time_text_iso8601(when, sizeof(when), event_view_meta(view)->ts_ns, "Z");
	json_str(&w, when);
	json_end_object(&w);
	event_view_done(view);
}
