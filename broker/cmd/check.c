/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_write.h"
#include "base/limits.h"
#include "base/utf8.h"
#include "broker/app/actions.h"
#include "broker/app/author.h"
#include "broker/cmd/commands.h"
#include "rules/shadow.h"

static const char usage[] =
    "mews check [FILES…] [-c falco.yaml | --plugin FILE…] [--json] [--strict] "
    "[--no-hints]\n"
    "\n"
    "Checks rules files, one on top of the other as falco would load them, and tells "
    "all\n"
    "mistakes of each at once. Without FILES those of the configuration are checked. "
    "The\n"
    "plugins of -c or --plugin tell which fields there are; rules for sources of other\n"
    "plugins are only read. Hints are about rules that can never fire, because their\n"
    "condition contradicts itself or an earlier rule takes their events. Exit status 0:\n"
    "no errors (--strict: nor warnings or hints), 1: some.\n"
    "\n"
    "  mews check -c /etc/mews/falco.yaml\n"
    "  mews check rules.yaml local.yaml --plugin libk8saudit.so --plugin libjson.so\n"
    "  mews check rules/ --json --strict | jq .ok\n";

struct check {
	struct author *a;
	struct loader *loader;
	const struct load_result *before; /* of the file before */
	struct arena arena;
	struct json_writer w;
	struct buf out;
	uint32_t n_error, n_warning, n_hint, n_rule;
};

static bool
is_rules_file(const char *path)
{
	const char *dot = strrchr(path, '.');

	return dot && (strcmp(dot, ".yaml") == 0 || strcmp(dot, ".yml") == 0);
}

/* Files. */

static bool
check_file(struct check *c, const char *path, struct err *err)
{
	const struct load_result *r;
	uint32_t n_error, n_warning;
	struct buf lines;
	bool ok;

	if (!author_load_file(c->loader, path, &r, err))
		return false;
	buf_init(&lines, LIMIT_RULES_FILE_BYTES);
	load_result_lines(r, c->before, &lines, &n_error, &n_warning);
	c->before = r;
	c->n_error += n_error;
	c->n_warning += n_warning;
	if (c->a->line.own.json) {
		buf_clear(&lines);
		load_result_json_all(r, &lines);
		json_raw(&c->w, buf_str(&lines), lines.len);
	} else {
		buf_add(&c->out, buf_str(&lines), lines.len);
	}
	ok = !lines.failed || err_nomem(err);
	buf_release(&lines);
	return ok;
}

/* Hints. */

static void
hint_text(const struct shadow *s, struct buf *out)
{
	if (s->by) {
		buf_adds(out, "never fires: rule '");
		utf8_escape_except(out, s->by->name, strlen(s->by->name), "\\");
		buf_adds(out, "' comes first and matches whenever it does");
		return;
	}
	buf_adds(out, "never matches: ");
	if (!s->one) {
		buf_adds(out, "its condition contradicts itself");
		return;
	}
	buf_addc(out, '\'');
	utf8_escape(out, s->one, strlen(s->one), LIMIT_NAME_BYTES);
	if (s->one == s->other) {
		buf_adds(out, "' is impossible");
		return;
	}
	buf_adds(out, "' and '");
	utf8_escape(out, s->other, strlen(s->other), LIMIT_NAME_BYTES);
	buf_adds(out, "' exclude each other");
}

static void
give_hint(struct check *c, const struct shadow *s)
{
	const char *code = s->by ? "SHADOWED" : "CONTRADICTION";
	struct buf text, place;

	buf_init(&text, LIMIT_TEXT_BYTES);
	buf_init(&place, LIMIT_TEXT_BYTES);
	hint_text(s, &text);
	rule_place(s->rule, &place);
	if (c->a->line.own.json) {
		json_begin_object(&c->w);
		json_key(&c->w, "code");
		json_str(&c->w, code);
		json_key(&c->w, "message");
		json_str(&c->w, buf_str(&text));
		json_key(&c->w, "place");
		json_str(&c->w, buf_str(&place));
		json_key(&c->w, "rule");
		json_str(&c->w, s->rule->name);
		json_end_object(&c->w);
	} else {
		buf_addf(&c->out, "%s: hint: rule '", buf_str(&place));
		utf8_escape_except(&c->out, s->rule->name, strlen(s->rule->name), "\\");
		buf_addf(&c->out, "' %s (%s)\n", buf_str(&text), code);
		if (s->by) {
			buf_clear(&place);
			rule_place(s->by, &place);
			buf_addf(&c->out, "    the other is at %s\n", buf_str(&place));
		}
	}
	buf_release(&text);
	buf_release(&place);
	c->n_hint++;
}

static bool
give_hints(struct check *c, const struct ruleset *rs, struct err *err)
{
	const struct shadow *shadow;
	uint32_t n;
	bool complete;

	if (!shadow_find(rs, &c->arena, &shadow, &n, &complete, err))
		return false;
	for (uint32_t i = 0; i < n; i++)
		give_hint(c, &shadow[i]);
	if (!complete)
		fprintf(stderr,
		    "the rules of source '%s' are too many and too alike to compare all "
		    "of them\n",
		    rs->source->name);
	return true;
}

/* What rules are together is known only when none is wrong. */
static bool
look_at_all(struct check *c, struct err *err)
{
	struct app *app = &c->a->app;
	struct buf log;
	bool ok;

	if (author_has_plugins(c->a) && !loader_check_plugins(c->loader, err))
		return false;
	buf_init(&log, LIMIT_CONFIG_BYTES);
	ok = loader_finish(c->loader, &log, err);
	buf_release(&log);
	if (!ok)
		return false;
	loader_rules(c->loader, &c->n_rule);
	for (uint32_t i = 0; ok && !c->a->line.own.no_hints && i < app->catalog.n_source;
	     i++)
		ok = give_hints(c, loader_ruleset(c->loader, i), err);
	return ok;
}

/* All of it. */

static bool
check_all(struct check *c, const struct file_list *files, struct err *err)
{
	bool json = c->a->line.own.json;

	if (json) {
		json_begin_object(&c->w);
		json_key(&c->w, "files");
		json_begin_array(&c->w);
	}
	for (size_t i = 0; i < files->n; i++) {
		if (!check_file(c, files->path[i], err))
			return false;
	}
	if (json) {
		json_end_array(&c->w);
		json_key(&c->w, "hints");
		json_begin_array(&c->w);
	}
	if (c->n_error == 0 && !look_at_all(c, err))
		return false;
	if (json)
		json_end_array(&c->w);
	return true;
}

static bool
is_good(const struct check *c)
{
	return c->n_error == 0 &&
	       (!c->a->line.own.strict || c->n_warning + c->n_hint == 0);
}

static void
add_count(struct buf *out, uint32_t n, const char *what)
{
	buf_addf(out, ", %u %s%s", n, what, &"s"[n == 1]);
}

static void
sum_up(struct check *c, size_t n_file)
{
	if (c->a->line.own.json) {
		json_key(&c->w, "ok");
		json_bool(&c->w, is_good(c));
		json_end_object(&c->w);
		buf_addc(&c->out, '\n');
		return;
	}
	buf_addf(&c->out, "%zu file%s", n_file, &"s"[n_file == 1]);
	if (c->n_error == 0)
		add_count(&c->out, c->n_rule, "rule");
	add_count(&c->out, c->n_error, "error");
	add_count(&c->out, c->n_warning, "warning");
	add_count(&c->out, c->n_hint, "hint");
	buf_addc(&c->out, '\n');
}

static bool
configured_files(struct author *a, struct file_list *ret, struct err *err)
{
	const char *const *path;
	uint32_t n;

	if (!settings_rules_files(a->app.settings, &path, &n, err))
		return false;
	*ret = (struct file_list){.path = calloc((size_t)n + 1, sizeof(*ret->path))};
	for (uint32_t i = 0; ret->path && i < n; i++) {
		if (!(ret->path[ret->n] = strdup(path[i])))
			break;
		ret->n++;
	}
	if (ret->path && ret->n == n)
		return true;
	file_list_release(ret);
	return err_nomem(err);
}

static enum step_rc
step_check(struct app *app, struct err *err)
{
	struct author *a = (struct author *)app;
	struct check c = {.a = a};
	enum step_rc rc = STEP_FAILED;
	struct file_list files;

	if (!(a->line.options.word.n ? author_files(a, is_rules_file, &files, err)
				     : configured_files(a, &files, err)))
		return STEP_FAILED;
	buf_init(&c.out, LIMIT_RULES_FILE_BYTES);
	arena_init(&c.arena, LIMIT_RULES_MEMORY);
	json_init(&c.w, &c.out);
	c.loader = loader_new(&app->catalog, &app->rules_config, err);
	if (files.n == 0) {
		err_set(err, ERR_USAGE, "there are no rules files");
	} else if (c.loader && check_all(&c, &files, err)) {
		sum_up(&c, files.n);
		err->msg[0] = '\0';
		rc = action_print(&c.out, err);
		if (!is_good(&c))
			rc = STEP_FAILED;
	} else if (!a->line.own.json) {
		/* What was found until then. */
		fputs(buf_str(&c.out), stdout);
	}
	buf_release(&c.out);
	loader_free(c.loader);
	arena_release(&c.arena);
	file_list_release(&files);
	return rc;
}

int
cmd_check(int argc, char **argv)
{
	app_step_fn *const steps[] = {step_check};
	struct author a;
	int status;

	if (!author_begin(&a, OWN_CHECK, usage, argc, argv, &status))
		return status;
	if (a.line.options.word.n == 0 && !a.line.options.config)
		return author_misused(
		    &a, "check", "neither rules files nor a configuration is given");
	return author_run(&a, steps, 1);
}
