/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a condition: parsed, printed, compiled. Whatever fails says why and where.
 */
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "rules/compile.h"
#include "rules/golden_source.h"
#include "tests/fuzz/fuzz.h"

const char *const fuzz_seeds[] = {
    "g.str = s1 and not (g.num in (1, 2) or g.path startswith /etc)",
    "g.key[a] = 'x y' and g.idx[3] >= 4 or g.any[\"k\"] exists",
    "tolower(g.word) contains \"\\x41\" and len(g.strs) > 1 and g.ip = 10.0.0.1",
    "g.net in (10.0.0.0/8, 2001:db8::/32) and g.strs intersects (a, b)",
    "join(\",\", (g.str, \"x\")) = val(g.word) and getopt(g.argv, \"ab:\")[b] = c",
    "g.word regex \"^a[bc]*$\" and g.path pmatch (/etc, /usr/*) and g.b64 glob a*",
    "g.str startswith oneof (a, b) and g.str != allof (c) and evt.num < 5",
    "not not(not g.bool = true) and macro1", NULL};
const char *const fuzz_words[] = {"and ", "or ", "not ", "exists", " in ", " pmatch ",
    " intersects ", " contains ", "regex ", "glob ", "oneof ", "allof ", "val(", "join(",
    "concat(", "getopt(", "len(", "b64(", "tolower(", "g.str", "g.key[", "g.num",
    "evt.num", "\\x00", "<NA>", "::/0", "/33", NULL};

static struct field_catalog catalog;

/* The text form is text like any other. */
static void
reparse(struct arena *arena, const struct ast *ast)
{
	const struct ast *again;
	struct ast_pos pos;
	struct err err = {0};
	struct buf text;

	buf_init(&text, LIMIT_CONDITION_BYTES);
	ast_print(&text, ast);
	if (!text.failed &&
	    !ast_parse(arena, buf_str(&text), text.len, LIMIT_CONDITION_DEPTH, &again,
		&pos, &err) &&
	    !*err.msg)
		abort();
	buf_release(&text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena arena;
	struct slot_set slots;
	struct regex_list *regexes = NULL;
	const struct ast *ast;
	const struct cond *cond;
	struct ast_pos pos = {0};
	struct err err = {0};

	if (!catalog.n_source && !golden_catalog(&catalog, &err))
		abort();
	arena_init(&arena, 64 << 20);
	slot_set_init(&slots, &arena);
	struct compiler compiler = {.arena = &arena,
	    .source = &catalog.source[1],
	    .slots = &slots,
	    .regexes = &regexes,
	    .use = SLOT_CONDITION};
	if (ast_parse(&arena, (const char *)data, size, LIMIT_CONDITION_DEPTH, &ast, &pos,
		&err)) {
		reparse(&arena, ast);
		if (!cond_compile(&compiler, ast, &cond, &err) && !*err.msg)
			abort();
	} else if (!*err.msg || pos.idx > size) {
		abort();
	}
	regex_list_free(regexes);
	slot_set_release(&slots);
	arena_release(&arena);
	return 0;
}
