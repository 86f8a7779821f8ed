/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "base/json_write.h"
#include "base/limits.h"
#include "base/utf8.h"
#include "broker/app/actions.h"
#include "broker/app/author.h"
#include "broker/cmd/commands.h"
#include "rules/case.h"

static const char usage[] =
    "mews test CASES… [-c falco.yaml | --plugin FILE…] [--json]\n"
    "\n"
    "Runs rule cases: rules, events and what should match, in one file each. Of a "
    "folder\n"
    "the files *.case are taken. A case names its fields and needs no plugin; one that\n"
    "does not uses those of -c or --plugin. Prints TAP, or with --json a list. Exit "
    "status\n"
    "0: all as expected, 1: not.\n"
    "\n"
    "  mews test tests/cases\n"
    "  mews test secrets.case --plugin libk8saudit.so --json\n"
    "\n"
    "A case:\n"
    "\n"
    "  - rule: Secret read by a stranger\n"
    "    desc: somebody outside kube-system reads secrets\n"
    "    condition: app.resource = secrets and not app.namespace startswith kube-\n"
    "    output: \"%app.user read %app.resource\"\n"
    "    priority: WARNING\n"
    "    source: app\n"
    "  ---\n"
    "  source: app\n"
    "  fields: {app.user: string, app.namespace: string, app.resource: string}\n"
    "  events:\n"
    "  - {app.user: eve, app.namespace: web, app.resource: secrets}\n"
    "  - {app.user: eve, app.namespace: kube-system, app.resource: secrets}\n"
    "  ---\n"
    "  - {Secret read by a stranger: eve read secrets}\n"
    "  - []\n";

static bool
is_case(const char *path)
{
	size_t n = strlen(path);

	return n > 5 && strcmp(path + n - 5, ".case") == 0;
}

/* False: it did not come out as expected; report says why, a line each. */
static bool
run_case(const char *path, const struct field_catalog *catalog, struct buf *report)
{
	const char *name = strrchr(path, '/');
	bool as_expected = false;
	struct buf text;
	struct err err;

	name = name ? name + 1 : path;
	buf_init(&text, LIMIT_RULES_FILE_BYTES);
	if (!file_read(path, &text, &err))
		buf_addf(report, "%s: %s\n", name, err.msg);
	else if (!case_run(
		     name, buf_str(&text), text.len, catalog, &as_expected, report, &err))
		buf_addf(report, "%s\n", err.msg);
	buf_release(&text);
	return as_expected;
}

static void
print_tap(struct buf *out, size_t number, const char *path, bool ok, struct buf *report)
{
	char *rest = report->data, *line;

	buf_addf(out, "%sok %zu - ", ok ? "" : "not ", number);
	utf8_escape(out, path, strlen(path), LIMIT_NAME_BYTES);
	buf_addc(out, '\n');
	while (rest && (line = strsep(&rest, "\n"))) {
		if (!*line)
			continue;
		buf_adds(out, "# ");
		utf8_escape_except(out, line, strlen(line), "\\");
		buf_addc(out, '\n');
	}
}

static void
print_json(struct json_writer *w, const char *path, bool ok, struct buf *report)
{
	char *rest = report->data, *line;

	json_begin_object(w);
	json_key(w, "case");
	json_str(w, path);
	json_key(w, "differences");
	json_begin_array(w);
	while (rest && (line = strsep(&rest, "\n"))) {
		if (*line)
			json_str(w, line);
	}
	json_end_array(w);
	json_key(w, "ok");
	json_bool(w, ok);
	json_end_object(w);
}

static bool
run_all(struct author *a, const struct file_list *files, struct buf *out)
{
	const struct field_catalog *catalog =
	    author_has_plugins(a) ? &a->app.catalog : NULL;
	bool all_ok = true;
	struct json_writer w;

	json_init(&w, out);
	if (a->line.own.json)
		json_begin_array(&w);
	for (size_t i = 0; i < files->n; i++) {
		struct buf report;
		buf_init(&report, LIMIT_RULES_FILE_BYTES);
		bool ok = run_case(files->path[i], catalog, &report);
		all_ok &= ok;
		if (a->line.own.json)
			print_json(&w, files->path[i], ok, &report);
		else
			print_tap(out, i + 1, files->path[i], ok, &report);
		buf_release(&report);
	}
	if (a->line.own.json) {
		json_end_array(&w);
		buf_addc(out, '\n');
	} else {
		buf_addf(out, "1..%zu\n", files->n);
	}
	return all_ok;
}

static enum step_rc
step_test(struct app *app, struct err *err)
{
	struct author *a = (struct author *)app;
	struct file_list files;
	struct buf out;
	bool ok;

	if (!author_files(a, is_case, &files, err))
		return STEP_FAILED;
	if (files.n == 0) {
		file_list_release(&files);
		err_set(err, ERR_USAGE, "there are no cases (*.case) in these folders");
		return STEP_FAILED;
	}
	buf_init(&out, LIMIT_RULES_FILE_BYTES);
	ok = run_all(a, &files, &out);
	file_list_release(&files);
	err->msg[0] = '\0';
	return action_print(&out, err) == STEP_FAILED || !ok ? STEP_FAILED : STEP_END;
}

int
cmd_test(int argc, char **argv)
{
	app_step_fn *const steps[] = {step_test};
	struct author a;
	int status;

	if (!author_begin(&a, OWN_TEST, usage, argc, argv, &status))
		return status;
	if (a.line.options.word.n == 0)
		return author_misused(&a, "test", "no cases are given");
	return author_run(&a, steps, 1);
}
