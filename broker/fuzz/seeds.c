/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The first cases and the dictionary: from files that the operator names (payloads, lines
 * of .jsonl, captures, reproducers, events set aside by a broker), from the plugin's own
 * source where it opens, from its fields, its schema, and the rules written for it.
 */
#include <ctype.h>
#include <string.h>

#include "base/conf/load.h"
#include "broker/capture/scap.h"
#include "broker/fuzz/fuzz.h"
#include "broker/settings/files.h"
#include "proto/plugin_api.h"
#include "worker/fuzz/layout.h"

enum {
	SEED_FILES = 20000,
	FIELDS_AT_ONCE = 100,
	CAPTURE_EVENTS = 1000,
	ROW_BYTES = 2048, /* of a capture's events that follow each other */
};

/* Words. */

/* What stands between quotes, single or double. */
static void
quoted_words(struct fuzz_corpus *c, const char *text, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (text[i] != '"' && text[i] != '\'')
			continue;
		const char *end = memchr(text + i + 1, text[i], n - i - 1);
		if (!end)
			break;
		fuzz_corpus_word(c, text + i + 1, (size_t)(end - text) - i - 1);
		i = (size_t)(end - text);
	}
}

static void
standing_words(struct fuzz_corpus *c, const struct plugin *p)
{
	static const char *const words[] = {"null", "true", "false", "{}", "[]", "\"\"",
	    "0", "1", "-1", "\\u0000", "%s", "%n", "../", "/", ".", ",", ":", "\n",
	    "AAAA"};

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		fuzz_corpus_word(c, words[i], strlen(words[i]));
	for (uint32_t i = 0; i < p->n_field; i++) {
		const char *name = p->field[i].name, *dot = strrchr(name, '.');
		fuzz_corpus_word(c, name, strlen(name));
		if (dot)
			fuzz_corpus_word(c, dot + 1, strlen(dot + 1));
	}
	fuzz_corpus_word(c, p->source, strlen(p->source));
	for (uint32_t i = 0; i < p->n_async_event; i++)
		fuzz_corpus_word(c, p->async_event[i], strlen(p->async_event[i]));
	if (p->has_schema)
		quoted_words(c, p->schema, strlen(p->schema));
}

/* Cases. */

struct maker {
	struct fuzz_corpus *corpus;
	const struct fuzz_subject *subject;
	uint8_t bytes[CASE_BYTES];
	uint32_t n;
};

static void
add(struct maker *m, enum part_kind kind, uint8_t flags, uint32_t id, const void *bytes,
    size_t n)
{
	const struct case_part p = {
	    .kind = (uint8_t)kind,
	    .flags = flags,
	    .id = (uint16_t)id,
	    .len = (uint32_t)n,
	    .bytes = bytes,
	};

	if (n <= CASE_BYTES)
		case_add(m->bytes, &m->n, CASE_BYTES, &p);
}

static void
finish(struct maker *m)
{
	if (m->n > 0)
		fuzz_corpus_add(m->corpus, m->bytes, m->n);
	m->n = 0;
}

/* Asks for field i the way rules do most simply. */
static void
add_field(struct maker *m, uint32_t i)
{
	const struct field *f = &m->subject->plugin->field[i];

	if (f->flags & FIELD_ARG_REQUIRED)
		add(m, PART_FIELD,
		    f->flags & FIELD_ARG_INDEX ? PART_ARG_INDEX : PART_ARG_KEY, i, "1",
		    1);
	else
		add(m, PART_FIELD, PART_ARG_NONE, i, NULL, 0);
}

void
fuzz_seeds_payload(
    struct fuzz_corpus *c, const struct fuzz_subject *s, const void *bytes, size_t n)
{
	static struct maker m;

	if (n > LIMIT_EVENT_BYTES)
		return;
	m.corpus = c;
	m.subject = s;
	m.n = 0;
	switch (s->target) {
	case FUZZ_EXTRACT:
	case FUZZ_PARSE:
	case FUZZ_ASYNC:
		for (uint32_t i = 0; i < s->plugin->n_field && i < FIELDS_AT_ONCE; i++)
			add_field(&m, i);
		add(&m, PART_EVENT, 0, 0, bytes, n);
		finish(&m);
		/* Its text. */
		add(&m, PART_EVENT, 0, 0, bytes, n);
		break;
	case FUZZ_INIT:
		add(&m, PART_CONFIG, 0, 0, bytes, n);
		break;
	case FUZZ_OPEN:
		add(&m, PART_PARAMS, 0, 0, bytes, n);
		break;
	default:
		add(&m, PART_DATA, 0, 0, bytes, n);
	}
	finish(&m);
}

void
fuzz_seeds_types(
    struct fuzz_corpus *c, const struct fuzz_subject *s, const uint16_t *type, uint32_t n)
{
	static struct maker m;

	if (s->target != FUZZ_EXTRACT && s->target != FUZZ_PARSE &&
	    s->target != FUZZ_ASYNC)
		return;
	m.corpus = c;
	m.subject = s;
	m.n = 0;
	for (uint32_t k = 0; k < n; k++) {
		for (uint32_t i = 0; i < s->plugin->n_field && i < FIELDS_AT_ONCE; i++)
			add_field(&m, i);
		add(&m, PART_EVENT, 1, type[k], NULL, 0);
		finish(&m);
	}
}

/* Every "name[argument]" in a rules file that is a field of the plugin. */
static void
rules_arguments(struct maker *m, const char *text, size_t n)
{
	const struct plugin *p = m->subject->plugin;

	for (size_t at = 1; at < n; at++) {
		size_t from = at;
		const char *end;
		if (text[at] != '[')
			continue;
		while (from > 0 && (isalnum((unsigned char)text[from - 1]) ||
				       strchr("._-", text[from - 1])))
			from--;
		end = memchr(text + at, ']', n - at);
		if (!end || from == at)
			continue;
		size_t len = (size_t)(end - text) - at - 1;
		for (uint32_t i = 0; i < p->n_field; i++) {
			if (strlen(p->field[i].name) != at - from ||
			    memcmp(p->field[i].name, text + from, at - from) != 0)
				continue;
			fuzz_corpus_word(m->corpus, text + at + 1, len);
			add(m, PART_FIELD,
			    isdigit((unsigned char)text[at + 1]) ? PART_ARG_INDEX
								 : PART_ARG_KEY,
			    i, text + at + 1, len);
			add(m, PART_EVENT, 0, 0, "{}", 2);
			finish(m);
		}
	}
}

static bool
read_rules(struct maker *m, const struct fuzz_options *o, struct err *err)
{
	for (uint32_t i = 0; i < o->n_rules; i++) {
		struct buf b;

		buf_init(&b, 64 << 20);
		if (!file_read(o->rules[i], &b, err)) {
			buf_release(&b);
			return err_wrap(err, "%s", o->rules[i]);
		}
		rules_arguments(m, buf_str(&b), b.len);
		quoted_words(m->corpus, buf_str(&b), b.len);
		buf_release(&b);
	}
	return true;
}

static bool
ends_with(const char *s, const char *end)
{
	size_t n = strlen(s), k = strlen(end);

	return n >= k && strcmp(s + n - k, end) == 0;
}

/* A reproducer of ours or of a broker's: its case as it is. */
static bool
take_record(struct maker *m, const char *path)
{
	struct fuzz_record r;
	struct arena arena;
	struct err ignored;

	arena_init(&arena, 64 << 20);
	bool ok = fuzz_record_read(&r, &arena, path, &ignored) &&
		  fuzz_record_case(&r, m->subject->plugin, m->bytes, &m->n, &ignored);
	arena_release(&arena);
	if (ok)
		finish(m);
	m->n = 0;
	return ok;
}

/* One of a system call, by itself, and as one more of a row of them. */
static void
take_system_event(struct maker *m, struct maker *row, const struct scap_event *e)
{
	static uint8_t bytes[CASE_BYTES];
	uint32_t n = layout_take(e->type, e->bytes, e->len, bytes, sizeof(bytes));

	if (n == 0)
		return;
	for (uint32_t i = 0; i < m->subject->plugin->n_field && i < FIELDS_AT_ONCE; i++)
		add_field(m, i);
	add(m, PART_EVENT, 1, e->type, bytes, n);
	finish(m);
	if (row->n + n > ROW_BYTES)
		finish(row);
	add(row, PART_EVENT, 1, e->type, bytes, n);
}

/* Events of a capture that a plugin may be given. */
static void
take_capture(struct maker *m, const char *path)
{
	static struct maker row;
	struct scap_event e;
	struct err ignored;
	struct scap_reader *r = scap_reader_open(path, &ignored);
	enum scap_rc rc = r ? SCAP_SKIPPED : SCAP_END;

	row.corpus = m->corpus;
	row.subject = m->subject;
	row.n = 0;

	for (uint32_t n = 0; rc < SCAP_END && n < CAPTURE_EVENTS;) {
		rc = scap_reader_next(r, &e, &ignored);
		if (rc != SCAP_GOT_EVENT)
			continue;
		if (layout_has(e.type) && m->subject->target != FUZZ_SOURCE) {
			take_system_event(m, &row, &e);
			n++;
		}
		if (e.type != PLUGIN_EVENT_TYPE || e.len < PLUGIN_EVENT_PAYLOAD_OFF)
			continue;
		fuzz_seeds_payload(m->corpus, m->subject,
		    e.bytes + PLUGIN_EVENT_PAYLOAD_OFF, e.len - PLUGIN_EVENT_PAYLOAD_OFF);
		n++;
	}
	finish(&row);
	scap_reader_free(r);
}

static void
take_file(struct maker *m, const char *path)
{
	struct err ignored;
	struct buf b;

	if (ends_with(path, ".json") && take_record(m, path))
		return;
	if (ends_with(path, ".scap") || ends_with(path, ".scap.gz")) {
		take_capture(m, path);
		return;
	}
	buf_init(&b, 64 << 20);
	if (file_read(path, &b, &ignored)) {
		const char *text = buf_str(&b), *end = text + b.len;
		quoted_words(m->corpus, text, b.len < 4096 ? b.len : 4096);
		while (ends_with(path, ".jsonl") && text < end) {
			const char *eol = memchr(text, '\n', (size_t)(end - text));
			eol = eol ? eol : end;
			if (eol > text)
				fuzz_seeds_payload(
				    m->corpus, m->subject, text, (size_t)(eol - text));
			text = eol + 1;
		}
		if (text < end || b.len == 0)
			fuzz_seeds_payload(m->corpus, m->subject, text,
			    b.len ? (size_t)(end - text) : 0);
	}
	buf_release(&b);
}

/* A configuration that has every property of the schema, with what it may be. */
static void
schema_seed(struct maker *m, const char *schema)
{
	struct arena arena;
	struct conf_node *root;
	struct buf b;
	struct err ignored;

	arena_init(&arena, 16 << 20);
	buf_init(&b, FUZZ_TEXT_BYTES);
	if (conf_load(&arena, schema, strlen(schema), "schema", false, &root, &ignored)) {
		const struct conf_node *all = conf_get(root, "properties");
		buf_addc(&b, '{');
		for (size_t i = 0; all && all->kind == CONF_MAP && i < all->n; i++) {
			const char *type = conf_text(all->child[i], "type", "string");
			const char *value =
			    strcmp(type, "integer") == 0 || strcmp(type, "number") == 0
				? "1"
			    : strcmp(type, "boolean") == 0 ? "true"
			    : strcmp(type, "array") == 0   ? "[]"
			    : strcmp(type, "object") == 0  ? "{}"
							   : "\"a\"";
			buf_addf(&b, "%s\"%s\":%s", i ? "," : "", all->key[i], value);
		}
		buf_addc(&b, '}');
		fuzz_seeds_payload(m->corpus, m->subject, buf_str(&b), b.len);
	}
	buf_release(&b);
	arena_release(&arena);
}

static void
plain_seeds(struct maker *m)
{
	static const char *const payloads[] = {
	    "{}", "0", "", "[]", "{\"a\":\"b\",\"c\":[1,2.5,null],\"d\":{\"e\":true}}"};
	const struct fuzz_subject *s = m->subject;
	const struct plugin *p = s->plugin;

	for (size_t i = 0; i < sizeof(payloads) / sizeof(*payloads); i++)
		fuzz_seeds_payload(m->corpus, s, payloads[i], strlen(payloads[i]));
	if (s->target == FUZZ_INIT) {
		fuzz_seeds_payload(m->corpus, s, s->config, strlen(s->config));
		if (p->has_schema)
			schema_seed(m, p->schema);
	}
	if (s->target == FUZZ_OPEN)
		fuzz_seeds_payload(m->corpus, s, s->params, strlen(s->params));
	/* Each field that takes an argument, on its own. */
	if (s->target > FUZZ_PARSE)
		return;
	for (uint32_t i = 0; i < p->n_field; i++) {
		if (!(p->field[i].flags & (FIELD_ARG_INDEX | FIELD_ARG_KEY)))
			continue;
		add_field(m, i);
		add(m, PART_EVENT, 0, 0, "1", 1);
		finish(m);
	}
}

bool
fuzz_seeds_gather(struct fuzz_corpus *c, const struct fuzz_subject *s,
    const struct fuzz_options *o, struct err *err)
{
	static struct maker m;

	m.corpus = c;
	m.subject = s;
	m.n = 0;
	standing_words(c, s->plugin);
	for (uint32_t i = 0; i < o->n_seeds; i++) {
		struct file_list files;

		if (!file_list_read(&files, o->seeds[i], NULL, err))
			return err_wrap(err, "%s", o->seeds[i]);
		for (size_t k = 0; k < files.n && k < SEED_FILES; k++)
			take_file(&m, files.path[k]);
		file_list_release(&files);
	}
	plain_seeds(&m);
	return read_rules(&m, o, err);
}
