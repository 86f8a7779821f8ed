/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as an output: compiled, and rendered on events of the golden source. */
#include <stdlib.h>
#include <string.h>

#include "rules/alert.h"
#include "rules/format.h"
#include "rules/golden_source.h"
#include "tests/fuzz/fuzz.h"

const char *const fuzz_seeds[] = {"n=%evt.num s=%g.str", "%5g.str|%20g.word", "*%g.opt",
    "%tolower(g.word) %join(\"-\", (g.str, \"x\", g.num))",
    "%g.key[a] %g.idx[12] %g.any[\"k k\"] %g.strs %g.nums %g.ips",
    "%getopt(g.argv, \"ab:c\")[b] %b64(g.b64) %len(g.strs) %evt.time.iso8601 %g.net",
    "100% sure %% %nope %", NULL};
const char *const fuzz_words[] = {"%", "%g.str", "%evt.time", "%g.key[", "]", "concat(",
    "join(", "tolower(", "basename(", "99999999999", "*", "%0", NULL};

enum {
	EVENTS = 7
};

static struct field_catalog catalog;

/* Renders a rule of this output on the events, through the evaluator as alerts are. */
static void
render(struct arena *arena, const struct rule *rule, struct slot_set *slots)
{
	static const struct alert_options options = {.json_include_output = true,
	    .json_include_output_fields = true,
	    .json_include_message = true,
	    .hostname = "h"};
	static const struct eval_config config = {.hostname = "h"};
	const struct rules_config rules_config = {.min_priority = PRIORITY_DEBUG};
	const struct rule *rules[] = {rule};
	struct ruleset rs = {.source = &catalog.source[1],
	    .config = &rules_config,
	    .rule = rules,
	    .n_rule = 1,
	    .slots = slots};
	struct event_meta meta[EVENTS];
	struct column *column;
	struct evaluator *ev;
	struct mask all;
	struct buf scratch, out;
	struct err err;

	ev = evaluator_new_plain(&rs, &config, &err);
	if (!ev)
		return;
	memset(&all, 0xff, sizeof(all));
	golden_meta(meta, EVENTS);
	evaluator_begin(ev, EVENTS, meta);
	for (uint32_t i = 0; i < slots->n; i++) {
		if (slots->slot[i].ref.field->provider != PROVIDER_PLUGIN &&
		    slots->slot[i].ref.field->provider != PROVIDER_EVENT_TEXT)
			continue;
		column = arena_alloc(arena, sizeof(*column));
		if (!column || !golden_column(arena, &slots->slot[i].ref, EVENTS, column))
			abort();
		evaluator_supply(ev, i, column, &all);
	}
	if (evaluator_run(ev) != EVAL_DONE)
		abort();
	buf_init(&scratch, 4 << 20);
	buf_init(&out, 16 << 20);
	for (uint32_t e = 0; e < EVENTS; e++) {
		struct event_view view = {ev, e};
		buf_clear(&out);
		alert_text(rule, &view, &options, &scratch, &out);
		if (!out.failed &&
		    (memchr(out.data, '\n', out.len) || memchr(out.data, 0x1b, out.len)))
			abort();
		buf_clear(&out);
		alert_json(rule, &view, &options, &scratch, &out);
	}
	buf_release(&scratch);
	buf_release(&out);
	evaluator_free(ev);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct cond never = {.kind = COND_OR};
	struct arena arena;
	struct slot_set slots;
	struct regex_list *regexes = NULL;
	struct rule rule = {.name = "r", .source = "golden", .cond = &never};
	struct err err = {0};
	char *text = strndup((const char *)data, size);

	if (!text || (!catalog.n_source && !golden_catalog(&catalog, &err)))
		abort();
	arena_init(&arena, 256 << 20);
	slot_set_init(&slots, &arena);
	struct compiler compiler = {.arena = &arena,
	    .source = &catalog.source[1],
	    .slots = &slots,
	    .regexes = &regexes,
	    .use = SLOT_OUTPUT};
	if (format_compile(&compiler, text, &rule.output, &err)) {
		rule.output_slot = format_slots(rule.output, &rule.n_output_slot);
		render(&arena, &rule, &slots);
	} else if (!*err.msg) {
		abort();
	}
	slot_set_release(&slots);
	arena_release(&arena);
	free(text);
	return 0;
}
