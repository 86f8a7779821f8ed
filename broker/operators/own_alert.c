/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/operators/own_alert.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_write.h"
#include "base/limits.h"
#include "rules/time_text.h"

void
own_fields_init(struct own_fields *f)
{
	*f = (struct own_fields){0};
}

void
own_fields_release(struct own_fields *f)
{
	for (uint32_t i = 0; i < f->n; i++) {
		free(f->field[i].key);
		free(f->field[i].json);
	}
	free(f->field);
	own_fields_init(f);
}

/* Takes json. */
static void
add(struct own_fields *f, const char *key, char *json)
{
	if (f->n == f->cap && !f->failed) {
		uint32_t cap = f->cap ? 2 * f->cap : 32;
		struct own_field *more = reallocarray(f->field, cap, sizeof(*more));
		f->failed = !more;
		f->field = more ? more : f->field;
		f->cap = more ? cap : f->cap;
	}
	char *copy = f->failed ? NULL : strdup(key);
	if (!copy || !json) {
		f->failed = true;
		free(copy);
		free(json);
		return;
	}
	f->field[f->n++] = (struct own_field){copy, json};
}

void
own_fields_text(struct own_fields *f, const char *key, const char *value)
{
	struct json_writer w;
	struct buf b;

	buf_init(&b, LIMIT_OUTPUT_LINE_BYTES);
	json_init(&w, &b);
	json_str(&w, value);
	add(f, key, buf_steal(&b));
}

static void add_number(struct own_fields *f, const char *key, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static void
add_number(struct own_fields *f, const char *key, const char *fmt, ...)
{
	struct buf b;
	va_list ap;

	buf_init(&b, 64);
	va_start(ap, fmt);
	buf_vaddf(&b, fmt, ap);
	va_end(ap);
	add(f, key, buf_steal(&b));
}

void
own_fields_u64(struct own_fields *f, const char *key, uint64_t value)
{
	add_number(f, key, "%" PRIu64, value);
}

void
own_fields_double(struct own_fields *f, const char *key, double value)
{
	add_number(f, key, "%.15g", isfinite(value) ? value : 0);
}

static int
key_order(const void *a, const void *b)
{
	return strcmp(
	    ((const struct own_field *)a)->key, ((const struct own_field *)b)->key);
}

static void
sort(struct own_fields *f)
{
	if (f->n > 1)
		qsort(f->field, f->n, sizeof(*f->field), key_order);
}

void
own_fields_json(struct own_fields *f, struct buf *out)
{
	sort(f);
	for (uint32_t i = 0; i < f->n; i++) {
		buf_adds(out, i ? ",\"" : "\"");
		json_escape(out, f->field[i].key, strlen(f->field[i].key));
		buf_addf(out, "\":%s", f->field[i].json);
	}
}

static void
line_json(const struct own_alert *a, struct own_fields *fields, struct buf *out)
{
	struct json_writer w;
	char when[64];

	json_init(&w, out);
	json_begin_object(&w);
	json_key(&w, "hostname");
	json_str(&w, a->hostname);
	json_key(&w, "output");
	json_str(&w, a->msg);
	buf_adds(out, ",\"output_fields\":{");
	if (fields)
		own_fields_json(fields, out);
	buf_addc(out, '}');
	json_key(&w, "priority");
	json_str(&w, priority_name(a->priority));
	json_key(&w, "rule");
	json_str(&w, a->rule);
	json_key(&w, "source");
	json_str(&w, "internal");
	json_key(&w, "time");
	time_text_iso8601(when, sizeof(when), a->ts_ns, "Z");
	json_str(&w, when);
	json_end_object(&w);
}

static void
line_text(const struct own_alert *a, struct own_fields *fields, struct buf *out)
{
	char when[64];

	time_text(when, sizeof(when), a->ts_ns, a->utc_offset_s, false, true);
	buf_addf(out, "%s: %s ", when, priority_name(a->priority));
	/* A message may quote a file: it stays one line. */
	json_escape(out, a->msg, strlen(a->msg));
	buf_adds(out, " (");
	if (fields)
		sort(fields);
	for (uint32_t i = 0; fields && i < fields->n; i++) {
		buf_adds(out, i ? " " : "");
		/* Names may be a plugin's. */
		json_escape(out, fields->field[i].key, strlen(fields->field[i].key));
		buf_addf(out, "=%s", fields->field[i].json);
	}
	buf_addc(out, ')');
}

void
own_alert_line(
    const struct own_alert *a, struct own_fields *fields, bool json, struct buf *out)
{
	if (json)
		line_json(a, fields, out);
	else
		line_text(a, fields, out);
}
