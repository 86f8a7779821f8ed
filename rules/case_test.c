/* SPDX-License-Identifier: Apache-2.0 */
/* Runs the rule cases given as arguments, in TAP. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "rules/case.h"

static bool
run_file(const char *path, struct buf *report)
{
	const char *slash = strrchr(path, '/');
	FILE *f = fopen(path, "r");
	struct buf text;
	struct err err;
	char chunk[4096];
	size_t n;
	bool as_expected;

	if (!f) {
		buf_addf(report, "%s: cannot be read\n", path);
		return false;
	}
	buf_init(&text, LIMIT_RULES_FILE_BYTES);
	while ((n = fread(chunk, 1, sizeof(chunk), f)) > 0)
		buf_add(&text, chunk, n);
	fclose(f);
	if (!case_run(slash ? slash + 1 : path, buf_str(&text), text.len, NULL,
		&as_expected, report, &err)) {
		buf_addf(report, "%s\n", err.msg);
		as_expected = false;
	}
	buf_release(&text);
	return as_expected;
}

/* A case that is wrong must be seen to be wrong. */
static bool
notices_differences(void)
{
	static const char wrong[] =
	    "- rule: A\n  desc: d\n  condition: t.n = 1\n  output: n=%t.n\n  priority: "
	    "INFO\n  source: t\n"
	    "---\nsource: t\nfields: {t.n: uint64}\nevents: [{t.n: 1}, {t.n: 1}, {t.n: "
	    "2}, {t.n: 1}]\n"
	    "---\nerrors: [LOAD_ERR_VALIDATE]\nwarnings: [LOAD_UNUSED_LIST]\n"
	    "events: [A, B, A, {A: n=2}]\n";
	static const char said[] =
	    "case: no error 'LOAD_ERR_VALIDATE'\ncase: no warning 'LOAD_UNUSED_LIST'\n"
	    "case: event 2: expected rule 'B', 'A' matches\n"
	    "case: event 3: 0 rules match, 1 are expected\n"
	    "case: event 4: message of 'A' is 'n=1'\n";
	struct buf report;
	struct err err;
	bool as_expected = true, ok;

	buf_init(&report, 1 << 16);
	ok = case_run(
		 "case", wrong, sizeof(wrong) - 1, NULL, &as_expected, &report, &err) &&
	     !as_expected && strcmp(buf_str(&report), said) == 0;
	if (!ok)
		printf("# %s", buf_str(&report));
	buf_release(&report);
	return ok;
}

int
main(int argc, char **argv)
{
	int failed = 0;

	failed += !notices_differences();
	printf("%sok 1 - differences are noticed\n", failed ? "not " : "");
	for (int i = 1; i < argc; i++) {
		struct buf report;
		buf_init(&report, 1 << 20);
		bool ok = run_file(argv[i], &report);
		printf("%sok %d - %s\n%s", ok ? "" : "not ", i + 1, argv[i],
		    buf_str(&report));
		failed += !ok;
		buf_release(&report);
	}
	printf("1..%d\n", argc);
	return failed || argc < 2;
}
