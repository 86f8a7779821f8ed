/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compares this library with recordings of Falco.
 *
 *   golden_check [-v] FOLDER
 *
 * Reads conditions.jsonl, rulesfiles.jsonl and outputs.jsonl there (the README beside
 * them says what they hold), does the same with the library, and prints how many agree;
 * -v shows each that does not. Exit status 0: all do.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "rules/alert.h"
#include "rules/engine.h"
#include "rules/golden_source.h"

static bool verbose;
static struct field_catalog catalog;
static char *prelude;

static const struct rules_plugin golden_plugin = {
    .name = "golden", .version = "1.2.3", .source = "golden", .extracts = true};

static const struct rules_config config = {
    .min_priority = PRIORITY_DEBUG,
    .matching = RULE_MATCHING_ALL,
    .plugin = &golden_plugin,
    .n_plugin = 1,
};

static void
die(const char *what, const char *why)
{
	fprintf(stderr, "golden_check: %s: %s\n", what, why);
	exit(2);
}

static char *
read_file(const char *folder, const char *name)
{
	char path[4096];
	FILE *f;
	char *text = NULL;
	size_t n = 0, cap = 0, got;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	f = fopen(path, "r");
	if (!f)
		die(path, "cannot be read");
	do {
		cap = cap ? 2 * cap : 1 << 16;
		text = realloc(text, cap);
		if (!text)
			die(path, "no memory");
		got = fread(text + n, 1, cap - n - 1, f);
		n += got;
	} while (n == cap - 1);
	text[n] = '\0';
	fclose(f);
	return text;
}

/*
 * Jansson's integers end at 63 bits: numbers of 19 digits and more become strings, on
 * both sides of a comparison. NULL when it is not JSON.
 */
static json_t *
parse(const char *s, size_t n)
{
	struct buf text;
	json_t *json;
	bool in_string = false;

	buf_init(&text, 256 << 20);
	for (size_t i = 0; i < n;) {
		size_t k = 0;
		while (!in_string && i + k < n && s[i + k] >= '0' && s[i + k] <= '9')
			k++;
		if (k >= 19) {
			buf_addc(&text, '"');
			buf_add(&text, s + i, k);
			buf_addc(&text, '"');
			i += k;
			continue;
		}
		if (in_string && s[i] == '\\' && i + 1 < n) {
			buf_add(&text, s + i, 2);
			i += 2;
			continue;
		}
		in_string ^= s[i] == '"';
		buf_addc(&text, s[i++]);
	}
	json = json_loadb(buf_str(&text), text.len, JSON_ALLOW_NUL, NULL);
	buf_release(&text);
	return json;
}

/* Loads one text into a new loader. */
static struct loader *
load(const char *text, size_t len, const struct load_result **ret_result)
{
	struct err err;
	struct loader *l = loader_new(&catalog, &config, &err);

	if (!l || !loader_file(l, "file.yaml", text, len, ret_result, &err))
		die("loader", err.msg);
	return l;
}

static json_t *
result_json(const struct load_result *r)
{
	struct buf out;
	json_t *json;

	buf_init(&out, 64 << 20);
	load_result_json(r, &out);
	json = parse(buf_str(&out), out.len);
	buf_release(&out);
	if (!json)
		die("load_result_json", "is not JSON");
	return json;
}

static char *
quoted(const json_t *text)
{
	char *s = json_dumps(text, JSON_ENCODE_ANY);

	if (!s)
		die("json_dumps", "no memory");
	return s;
}

/* -- evaluation -- */

struct chunk {
	struct arena arena;
	struct event_meta meta[GOLDEN_EVENTS];
	struct evaluator *ev;
};

static void
supply(struct chunk *c, uint32_t slot, const struct mask *events)
{
	const struct slot_set *slots = evaluator_slots(c->ev);
	struct column *column = arena_alloc(&c->arena, sizeof(*column));

	if (!column ||
	    !golden_column(&c->arena, &slots->slot[slot].ref, GOLDEN_EVENTS, column))
		die("column", "no memory");
	evaluator_supply(c->ev, slot, column, events);
}

static void
chunk_run(struct chunk *c, const struct ruleset *rs)
{
	static const struct eval_config eval_config = {.hostname = "host"};
	const struct eval_need *need;
	const uint32_t *slot;
	struct mask all;
	struct err err;
	uint32_t n;

	memset(&all, 0xff, sizeof(all));
	arena_init(&c->arena, 1ul << 30);
	golden_meta(c->meta, GOLDEN_EVENTS);
	c->ev = evaluator_new(rs, &eval_config, &err);
	if (!c->ev)
		die("evaluator", err.msg);
	evaluator_begin(c->ev, GOLDEN_EVENTS, c->meta);
	slot = evaluator_stage0_slots(c->ev, &n);
	for (uint32_t i = 0; i < n; i++)
		supply(c, slot[i], &all);
	while (evaluator_run(c->ev) == EVAL_NEED) {
		need = evaluator_needs(c->ev, &n);
		for (uint32_t i = 0; i < n; i++)
			supply(c, need[i].slot, &need[i].events);
	}
	need = evaluator_output_needs(c->ev, &n);
	for (uint32_t i = 0; i < n; i++)
		supply(c, need[i].slot, &need[i].events);
}

static void
chunk_end(struct chunk *c)
{
	evaluator_free(c->ev);
	arena_release(&c->arena);
}

static const struct ruleset *
finish(struct loader *l)
{
	struct buf log;
	struct err err;

	buf_init(&log, 1 << 20);
	if (!loader_finish(l, &log, &err))
		die("loader_finish", err.msg);
	buf_release(&log);
	return loader_ruleset(l, 1);
}

/* -- comparing -- */

static void
differs(const char *what, const char *input, const char *expected, const char *ours)
{
	if (verbose)
		printf("-- %s differs\ninput:    %s\nexpected: %s\nours:     %s\n", what,
		    input, expected, ours);
}

static bool
same(const char *what, const char *input, const json_t *expected, const json_t *ours)
{
	char *a, *b;

	if (json_equal(expected, ours))
		return true;
	a = quoted(expected);
	b = quoted(ours);
	differs(what, input, a, b);
	free(a);
	free(b);
	return false;
}

static int
text_order(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Arrays in no order: their elements sorted by their text. */
static json_t *
unordered(const json_t *json)
{
	json_t *out, *value;
	const char *key;
	size_t i, n = json_array_size(json);
	char **text;

	if (json_is_object(json)) {
		out = json_object();
		json_object_foreach((json_t *)json, key, value)
		    json_object_set_new(out, key, unordered(value));
		return out;
	}
	if (!json_is_array(json))
		return json_deep_copy(json);
	text = calloc(n + 1, sizeof(*text));
	out = json_array();
	if (!text || !out)
		die("unordered", "no memory");
	json_array_foreach((json_t *)json, i, value)
	{
		json_t *inner = unordered(value);
		text[i] = json_dumps(inner, JSON_SORT_KEYS | JSON_ENCODE_ANY);
		json_decref(inner);
	}
	qsort(text, n, sizeof(*text), text_order);
	for (i = 0; i < n; i++) {
		json_array_append_new(
		    out, json_loads(text[i], JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL));
		free(text[i]);
	}
	free(text);
	return out;
}

/* Ours in the shape of the recordings: {code, message, snippet, locations}. */
static json_t *
short_diags(const json_t *diags, bool with_context)
{
	json_t *out = json_array(), *diag, *location;
	size_t i, k;

	json_array_foreach((json_t *)diags, i, diag)
	{
		json_t *context = json_object_get(diag, "context"),
		       *locations = json_array();
		json_t *entry =
		    json_pack("{s:O, s:O}", "code", json_object_get(diag, "code"),
			"message", json_object_get(diag, "message"));
		json_array_foreach(json_object_get(context, "locations"), k, location)
		{
			json_t *at = json_object_get(location, "position");
			if (k == 0)
				continue;
			json_array_append_new(
			    locations, json_pack("[O, O, O, O, O]",
					   json_object_get(location, "item_type"),
					   json_object_get(location, "item_name"),
					   json_object_get(at, "line"),
					   json_object_get(at, "column"),
					   json_object_get(at, "offset")));
		}
		if (with_context) {
			json_object_set(
			    entry, "snippet", json_object_get(context, "snippet"));
			json_object_set(entry, "locations", locations);
		}
		json_decref(locations);
		json_array_append_new(out, entry);
	}
	return out;
}

/* -- conditions.jsonl -- */

static bool
same_matches(const json_t *line, struct loader *l, const char *condition)
{
	json_t *ours = json_array();
	struct chunk c;
	uint32_t n;
	bool ok;

	chunk_run(&c, finish(l));
	const struct eval_match *match = evaluator_matches(c.ev, &n);
	for (uint32_t i = 0; i < n; i++)
		json_array_append_new(ours, json_integer(match[i].event + 1));
	chunk_end(&c);
	/* Where Falco itself ends there is nothing to compare with. */
	ok = json_object_get(line, "runtime_error") ||
	     same("match", condition, json_object_get(line, "match"), ours);
	json_decref(ours);
	return ok;
}

static bool
check_condition(const json_t *line)
{
	char *condition = quoted(json_object_get(line, "condition"));
	const struct load_result *r;
	struct loader *l;
	struct buf text;
	json_t *result, *errors;
	bool ok;

	buf_init(&text, 64 << 20);
	buf_addf(&text,
	    "%s- rule: R\n  desc: d\n  condition: %s\n  output: x\n  priority: INFO\n  "
	    "source: golden\n",
	    prelude, condition);
	l = load(buf_str(&text), text.len, &r);
	result = result_json(r);
	errors = short_diags(json_object_get(result, "errors"), false);
	if (json_is_true(json_object_get(line, "ok")) != load_result_ok(r)) {
		char *a = quoted(line), *b = quoted(errors);
		differs("ok", condition, a, b);
		ok = false;
		free(a);
		free(b);
	} else if (!load_result_ok(r)) {
		ok = same("error", condition, json_object_get(line, "error"),
		    json_array_get(errors, 0));
	} else {
		ok = same_matches(line, l, condition);
	}
	json_decref(errors);
	json_decref(result);
	loader_free(l);
	buf_release(&text);
	free(condition);
	return ok;
}

/* -- rulesfiles.jsonl -- */

static bool
same_description(const json_t *line, struct loader *l, const char *yaml)
{
	const json_t *expected = json_object_get(line, "describe");
	json_t *ours, *a, *b;
	struct buf out;
	struct err err;
	bool ok = true;
	static const char *const parts[] = {"rules", "macros", "lists",
	    "required_engine_version", "required_plugin_versions"};

	if (!expected)
		return true;
	buf_init(&out, 256 << 20);
	if (!loader_describe(l, NULL, true, &out, &err))
		die("loader_describe", err.msg);
	ours = parse(buf_str(&out), out.len);
	buf_release(&out);
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		a = unordered(json_object_get(expected, parts[i]));
		b = unordered(json_object_get(ours, parts[i]));
		ok = same(parts[i], yaml, a, b) && ok;
		json_decref(a);
		json_decref(b);
	}
	json_decref(ours);
	return ok;
}

static bool
check_rules_file(const json_t *line)
{
	const json_t *yaml = json_object_get(line, "yaml");
	const struct load_result *r;
	struct loader *l = load(json_string_value(yaml), json_string_length(yaml), &r);
	json_t *result = result_json(r);
	json_t *errors = short_diags(json_object_get(result, "errors"), true);
	json_t *warnings = short_diags(json_object_get(result, "warnings"), true);
	const char *text = json_string_value(yaml);
	struct err err;
	bool ok = true;

	/* The exit status: a plugin that is missing, or not the one that is wanted. */
	bool rc = !load_result_ok(r) || !loader_check_plugins(l, &err);
	if (rc != !!json_integer_value(json_object_get(line, "rc"))) {
		differs("rc", text, rc ? "0" : "1", rc ? "1" : "0");
		ok = false;
	}
	if (json_object_get(line, "errors"))
		ok = same("errors", text, json_object_get(line, "errors"), errors) && ok;
	if (json_object_get(line, "warnings"))
		ok =
		    same("warnings", text, json_object_get(line, "warnings"), warnings) &&
		    ok;
	if (load_result_ok(r))
		ok = same_description(line, l, text) && ok;
	json_decref(result);
	json_decref(errors);
	json_decref(warnings);
	loader_free(l);
	return ok;
}

/* -- outputs.jsonl -- */

static const struct alert_options alert_options = {
    .json_include_output = true,
    .json_include_tags = true,
    .json_include_output_fields = true,
    .hostname = "host",
};

static bool
same_alert(const json_t *line, size_t i, const struct rule *rule,
    const struct event_view *view, const char *output)
{
	struct buf scratch, out;
	json_t *ours;
	bool ok;

	buf_init(&scratch, 1 << 20);
	buf_init(&out, 1 << 20);
	alert_text(rule, view, &alert_options, &scratch, &out);
	ours = json_stringn(buf_str(&out), out.len);
	ok = same("text", output, json_array_get(json_object_get(line, "text"), i), ours);
	json_decref(ours);
	buf_clear(&out);
	alert_json(rule, view, &alert_options, &scratch, &out);
	ours = parse(buf_str(&out), out.len);
	json_object_del(ours, "hostname");
	ok = same("json", output, json_array_get(json_object_get(line, "json"), i),
		 ours) &&
	     ok;
	json_decref(ours);
	buf_release(&out);
	buf_release(&scratch);
	return ok;
}

static bool
same_alerts(const json_t *line, struct loader *l, const char *output)
{
	const struct ruleset *rs = finish(l);
	struct chunk c;
	uint32_t n;
	bool ok;

	chunk_run(&c, rs);
	const struct eval_match *match = evaluator_matches(c.ev, &n);
	ok = n == json_array_size(json_object_get(line, "json"));
	if (!ok)
		differs("number of alerts", output, "", "");
	for (uint32_t i = 0; i < n; i++) {
		struct event_view view = {c.ev, match[i].event};
		ok = same_alert(line, i, rs->rule[match[i].rule], &view, output) && ok;
	}
	chunk_end(&c);
	return ok;
}

/* Recorded as "CODE: message", one or several. */
static bool
same_error(const json_t *line, const json_t *diag, const char *output)
{
	const json_t *expected = json_object_get(line, "error");
	char ours[2000];

	if (json_is_array(expected))
		expected = json_array_get(expected, 0);
	snprintf(ours, sizeof(ours), "%s: %s",
	    json_string_value(json_object_get(diag, "code")),
	    json_string_value(json_object_get(diag, "message")));
	if (json_is_string(expected) && strcmp(json_string_value(expected), ours) == 0)
		return true;
	differs("error", output, json_string_value(expected), ours);
	return false;
}

static bool
check_output(const json_t *line)
{
	char *output = quoted(json_object_get(line, "output"));
	const struct load_result *r;
	struct loader *l;
	struct buf text;
	json_t *result, *errors;
	bool ok;

	buf_init(&text, 64 << 20);
	buf_addf(&text,
	    "- rule: r0\n  desc: d\n  condition: evt.num < 18\n  output: %s\n  priority: "
	    "INFO\n  source: golden\n",
	    output);
	l = load(buf_str(&text), text.len, &r);
	result = result_json(r);
	errors = json_object_get(result, "errors");
	if (load_result_ok(r) == !!json_object_get(line, "error")) {
		char *a = quoted(errors);
		differs("ok", output, "", a);
		free(a);
		ok = false;
	} else if (load_result_ok(r)) {
		ok = same_alerts(line, l, output);
	} else {
		ok = same_error(line, json_array_get(errors, 0), output);
	}
	json_decref(result);
	loader_free(l);
	buf_release(&text);
	free(output);
	return ok;
}

/* -- files of recordings -- */

static bool
check_file(const char *folder, const char *name, bool (*check)(const json_t *line))
{
	char file[100];
	char *text, *line, *end;
	unsigned n = 0, agree = 0;

	snprintf(file, sizeof(file), "%s.jsonl", name);
	text = read_file(folder, file);
	for (line = text; *line; line = end + 1) {
		end = line + strcspn(line, "\n");
		json_t *json = parse(line, (size_t)(end - line));
		if (!json)
			die(file, "a line is not JSON");
		n++;
		agree += check(json);
		json_decref(json);
		if (!*end)
			break;
	}
	free(text);
	printf("%s: %u of %u agree\n", name, agree, n);
	return n > 0 && agree == n;
}

int
main(int argc, char **argv)
{
	struct err err;
	bool ok;

	verbose = argc > 1 && strcmp(argv[1], "-v") == 0;
	if (argc != 2 + verbose)
		die("usage", "golden_check [-v] FOLDER");
	const char *folder = argv[1 + verbose];
	if (!golden_catalog(&catalog, &err))
		die("catalog", err.msg);
	prelude = read_file(folder, "prelude.yaml");
	ok = check_file(folder, "conditions", check_condition);
	ok = check_file(folder, "rulesfiles", check_rules_file) && ok;
	ok = check_file(folder, "outputs", check_output) && ok;
	free(prelude);
	field_catalog_release(&catalog);
	return ok ? 0 : 1;
}
