/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a rules file: loaded, reported in every way, described, selected. */
#include <stdlib.h>
#include <string.h>

#include "rules/engine.h"
#include "rules/golden_source.h"
#include "tests/fuzz/fuzz.h"

const char *const fuzz_seeds[] = {
    "- required_engine_version: 0.26.0\n- required_plugin_versions:\n  - name: golden\n"
    "    version: 1.0.0\n    alternatives: [{name: other, version: 2.0.0}]\n",
    "- list: a\n  items: [x, 'y z']\n- list: b\n  items: [a, w]\n- list: a\n  items: "
    "[v]\n"
    "  override: {items: append}\n- macro: m\n  condition: g.str in (b)\n- macro: m\n"
    "  condition: or g.num = 1\n  append: true\n- rule: R\n  desc: d\n"
    "  condition: m and not g.word in (a, b)\n  output: o %g.str\n  priority: INFO\n"
    "  source: golden\n  tags: [t]\n",
    "- rule: R\n  desc: d\n  condition: g.num = 1\n  output: o\n  priority: info\n"
    "  source: golden\n  exceptions:\n  - name: e\n    fields: [g.str, g.num]\n"
    "    comps: [in, =]\n    values: [[[a, b], 1], [c, 2]]\n  - name: f\n    fields: "
    "g.path\n"
    "    values: [/etc, /usr]\n- rule: R\n  exceptions:\n  - name: e\n    values: [[d, "
    "3]]\n"
    "  append: true\n- rule: R\n  priority: ERROR\n  enabled: false\n"
    "  override: {priority: replace, enabled: replace}\n",
    "- macro: a\n  condition: b\n- macro: b\n  condition: a\n- macro: a\n  condition: b "
    "or a\n",
    "- rule: R\n  enabled: true\n---\n{a: b}\n---\n- 3\n- &x {rule: R, condition: *x}\n",
    NULL};
const char *const fuzz_words[] = {"- rule: ", "- macro: ", "- list: ", "  condition: ",
    "  items: [", "override: {", "append", "replace", "append: true",
    "exceptions:", "values: [", "fields: ", "comps: ", "source: syscall",
    "skip-if-unknown-filter: true", "%container.info", "evt.type in (open)",
    "enabled: no", "priority: ", "capture_duration: 5", "---", "&a", "*a", NULL};

static struct field_catalog catalog;

static const struct rules_plugin plugin = {
    .name = "golden", .version = "1.2.3", .source = "golden", .extracts = true};
static const char *const tags[] = {"t"};
static const struct append_field extra[] = {{"k", "%g.str"}, {"g.num", NULL}};
static const struct append_output append_output[] = {
    {.source = "golden", .suggested_output = true},
    {.tag = tags,
	.n_tag = 1,
	.extra_output = "x=%g.word",
	.extra_field = extra,
	.n_extra_field = 2},
};
static const struct rule_selection selection[] = {
    {.enable = false, .rule = "*R*"}, {.enable = true, .tag = "t"}};
static const struct rules_config config = {
    .min_priority = PRIORITY_INFORMATIONAL,
    .append_output = append_output,
    .n_append_output = 2,
    .selection = selection,
    .n_selection = 2,
    .plugin = &plugin,
    .n_plugin = 1,
};

static void
show(const struct loader *l, const struct load_result *r)
{
	struct buf out;
	struct err err;

	buf_init(&out, 256 << 20);
	load_result_json(r, &out);
	load_result_text(r, false, &out);
	load_result_text(r, true, &out);
	load_result_more_errors_text(r, &out);
	if (load_result_ok(r)) {
		loader_describe(l, NULL, true, &out, &err);
		loader_describe(l, NULL, false, &out, &err);
		loader_check_plugins(l, &err);
	}
	buf_release(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	const struct load_result *r;
	struct loader *l;
	struct err err;
	struct buf log;
	uint32_t n;
	/* Two files: what comes behind the last form feed is the second. */
	size_t first = size;

	for (size_t i = 0; i < size; i++) {
		if (text[i] == '\f')
			first = i;
	}
	if (!catalog.n_source && !golden_catalog(&catalog, &err))
		abort();
	l = loader_new(&catalog, &config, &err);
	if (!l)
		abort();
	if (!loader_file(l, "a.yaml", text, first, &r, &err))
		abort();
	show(l, r);
	if (first < size) {
		if (!loader_file(
			l, "b.yaml", text + first + 1, size - first - 1, &r, &err))
			abort();
		show(l, r);
	}
	buf_init(&log, 1 << 20);
	if (!loader_finish(l, &log, &err))
		abort();
	loader_rules(l, &n);
	for (uint32_t i = 0; i < loader_ruleset(l, 1)->n_rule; i++) {
		if (loader_ruleset(l, 1)->rule[i]->priority > PRIORITY_INFORMATIONAL)
			abort();
	}
	buf_release(&log);
	loader_free(l);
	return 0;
}
