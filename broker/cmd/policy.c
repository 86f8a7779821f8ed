/* SPDX-License-Identifier: Apache-2.0 */
/* "mews policy": policy text without running anything: its mistakes, and what it means.
 */
#include <stdio.h>
#include <string.h>

#include "base/conf/load.h"
#include "base/limits.h"
#include "broker/app/single.h"
#include "broker/cmd/commands.h"
#include "broker/options/command_line.h"
#include "broker/settings/files.h"
#include "broker/supervisor/plugins.h"
#include "broker/supervisor/supervisor.h"
#include "policy/explain.h"
#include "policy/profile_auto.h"
#include "worker/egress/egress.h"

static const char usage[] =
    "mews policy check FILE...\n"
    "mews policy explain PLUGIN.so [--sandbox '{profile: …}'] | NAME -c falco.yaml\n"
    "mews policy explain PROFILE\n"
    "\n"
    "check finds the mistakes of profile files and of the sandbox: blocks of a "
    "falco.yaml,\n"
    "with file, line and column, and says what deserves a second look. explain says in\n"
    "words what a plugin may do: files, places, limits, what stands in its root, and "
    "what\n"
    "becomes of every system call.\n"
    "\n"
    "  mews policy check /etc/mews/profiles/mine.yaml falco.yaml\n"
    "  mews policy explain libokta.so --sandbox '{connect: [\"*.okta.com:443\"]}'\n";

#define ARENA_BYTES (64u << 20)

/* The tree has its texts in the arena. */
static bool
read_file(struct arena *arena, const char *path, char **ret_text, size_t *ret_n,
    struct err *err)
{
	struct buf whole;
	bool ok;

	buf_init(&whole, LIMIT_RULES_FILE_BYTES);
	ok = file_read(path, &whole, err) || err_wrap(err, "%s", path);
	*ret_n = whole.len;
	if (ok && !(*ret_text = arena_strndup(arena, buf_str(&whole), whole.len)))
		ok = err_nomem(err);
	buf_release(&whole);
	return ok;
}

/* Whether it could be carried out, beyond being well-formed. */
static bool
check_profile(const struct profile *p, struct err *err)
{
	static struct egress_plan plan;

	return confinement_check(p, err) && egress_plan_make(&plan, p, err);
}

static void
show_risks(const struct profile *p)
{
	struct buf out;

	buf_init(&out, LIMIT_RULES_FILE_BYTES);
	if (explain_risks(p, &out) > 0)
		fputs(buf_str(&out), stdout);
	buf_release(&out);
}

static bool
report(
    const char *file, const char *what, const struct profile *p, bool ok, struct err *err)
{
	if (ok && !check_profile(p, err))
		ok = false;
	if (!ok) {
		/* Mistakes of the text say where they are. */
		if (err->code == ERR_SYNTAX)
			printf("%s\n", err->msg);
		else
			printf("%s: %s: %s\n", file, what, err->msg);
		return false;
	}
	printf("%s: %s: ok\n", file, what);
	show_risks(p);
	return true;
}

/* Every entry of a falco.yaml's plugins. */
static bool
check_entries(struct arena *arena, const struct profile_set *known,
    const struct conf_node *plugins, const char *file)
{
	bool ok = true;

	for (size_t i = 0; i < plugins->n; i++) {
		const struct conf_node *entry = plugins->child[i];
		const struct profile_subject subject = {
		    .name = conf_text(entry, "name", "?"),
		    .library_path = conf_text(entry, "library_path", ""),
		    .entry = {conf_text(entry, "init_config", ""),
			conf_text(entry, "open_params", "")},
		    .block = conf_get(entry, "sandbox"),
		    .file = file,
		};
		enum profile_origin origin;
		struct profile p;
		struct buf notes;
		struct err err;
		buf_init(&notes, LIMIT_RULES_FILE_BYTES);
		bool read =
		    profile_for_plugin(&p, arena, known, &subject, &origin, &notes, &err);
		ok &= report(file, subject.name, &p, read, &err);
		fputs(read ? buf_str(&notes) : "", stdout);
		buf_release(&notes);
	}
	return ok;
}

static bool
check_file(struct arena *arena, struct profile_set *known, const char *file)
{
	struct conf_node *root;
	struct err err;
	char *text;
	size_t n;

	if (!read_file(arena, file, &text, &n, &err) ||
	    !conf_load(arena, text, n, file, false, &root, &err)) {
		printf("%s\n", err.msg);
		return false;
	}
	const struct conf_node *plugins = conf_get(root, "plugins");
	if (!conf_get(root, "name") && plugins && plugins->kind == CONF_SEQ) {
		/* A falco.yaml, in which variables of the environment are expanded. */
		if (!conf_load(arena, text, n, file, true, &root, &err)) {
			printf("%s\n", err.msg);
			return false;
		}
		return check_entries(arena, known, conf_get(root, "plugins"), file);
	}
	struct profile *all = arena_array(arena, known->n + 1, sizeof(*all));
	if (!all) {
		printf("%s: out of memory\n", file);
		return false;
	}
	memcpy(all + 1, known->profile, known->n * sizeof(*all));
	bool ok = profile_parse_file(&all[0], arena, known, root, file, &err);
	if (!report(file, ok ? all[0].name : "profile", &all[0], ok, &err))
		return false;
	/* Those after it may build on it. */
	known->profile = all;
	known->n++;
	return true;
}

static bool
known_profiles(struct profile_set *set, struct arena *arena, const struct settings *s,
    struct err *err)
{
	return profile_set_load_all(
	    set, arena, s ? conf_text(s->sandbox, "profiles_dir", NULL) : NULL, err);
}

static int
policy_check(const struct option_list *files)
{
	struct profile_set known;
	struct arena arena;
	struct err err;
	bool ok = true;

	arena_init(&arena, ARENA_BYTES);
	if (!known_profiles(&known, &arena, NULL, &err)) {
		fprintf(stderr, "Error: %s\n", err.msg);
		ok = false;
	}
	for (size_t i = 0; ok && i < files->n; i++)
		ok &= check_file(&arena, &known, files->value[i]);
	arena_release(&arena);
	return ok ? 0 : 1;
}

static bool
explain_plugin(const struct plugin_setting *ps, const struct profile_set *known,
    struct arena *arena, struct buf *out, struct err *err)
{
	const struct profile_subject subject = plugin_subject(ps);
	char worker_path[4096];
	enum profile_origin origin;
	struct confinement c;
	struct profile p;

	if (!profile_for_plugin(&p, arena, known, &subject, &origin, out, err) ||
	    !supervisor_program_path(
		"mews-worker", worker_path, sizeof(worker_path), err) ||
	    !check_profile(&p, err) ||
	    !confinement_make(&c, arena, &p, ps->library_path, worker_path, err))
		return false;
	explain_confinement(&c, out);
	explain_risks(&p, out);
	return true;
}

static const struct plugin_setting *
find_plugin(const struct settings *s, const char *name)
{
	for (uint32_t i = 0; i < s->n_plugin; i++)
		if (strcmp(s->plugin[i].name, name) == 0 ||
		    strcmp(s->plugin[i].library_path, name) == 0)
			return &s->plugin[i];
	return NULL;
}

static bool
explain_word(struct app *app, const struct own_options *own, const char *word,
    struct arena *arena, struct buf *out, struct err *err)
{
	struct profile_set known;
	struct profile builtin;

	if (app->options->config ? !settings_load(app->options, &app->settings, err)
				 : !single_settings(app, own, &word, 1, err))
		return false;
	if (!known_profiles(&known, arena, app->settings, err))
		return false;
	if (app->options->config) {
		const struct plugin_setting *ps = find_plugin(app->settings, word);
		return ps ? explain_plugin(ps, &known, arena, out, err)
			  : err_set(err, ERR_USAGE, "%s configures no plugin '%s'",
				app->options->config, word);
	}
	for (uint32_t i = 0; i < known.n; i++)
		if (strcmp(known.profile[i].name, word) == 0) {
			explain_profile(&known.profile[i], out);
			explain_risks(&known.profile[i], out);
			return true;
		}
	if (profile_builtin(&builtin, word)) {
		explain_profile(&builtin, out);
		return true;
	}
	return explain_plugin(&app->settings->plugin[0], &known, arena, out, err);
}

static int
policy_explain(
    const struct options *options, const struct own_options *own, const char *word)
{
	struct app app = {.options = options};
	struct arena arena;
	struct buf out;
	struct err err;

	arena_init(&arena, ARENA_BYTES);
	buf_init(&out, LIMIT_RULES_FILE_BYTES);
	bool ok = explain_word(&app, own, word, &arena, &out, &err);
	if (ok)
		fputs(buf_str(&out), stdout);
	else
		fprintf(stderr, "Error: %s\n", err.msg);
	settings_free(app.settings);
	buf_release(&out);
	arena_release(&arena);
	return ok ? 0 : 1;
}

int
cmd_policy(int argc, char **argv)
{
	struct command_line line;
	int status;

	if (!command_line_take(&line, OWN_RUN, usage, argc, argv, &status))
		return status;
	const struct option_list *word = &line.options.word;
	const char *verb = word->n > 0 ? word->value[0] : "";
	const struct option_list rest = {word->value + 1, word->n - 1};
	if (strcmp(verb, "check") == 0 && word->n > 1)
		status = policy_check(&rest);
	else if (strcmp(verb, "explain") == 0 && word->n == 2)
		status = policy_explain(&line.options, &line.own, rest.value[0]);
	else
		return command_line_misused(
		    &line, "what is to be done with which policy?", usage);
	command_line_release(&line);
	return status;
}
