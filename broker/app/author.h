/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the commands for authors of rules have in common: the fields that rules may use
 * come from the plugins of a falco.yaml (-c) or from plugins by their paths (--plugin);
 * without either from the default configuration, when there is one; cases, which name
 * their fields, do not look for it.
 */
#ifndef BROKER_APP_AUTHOR_H
#define BROKER_APP_AUTHOR_H

#include "broker/app/app.h"
#include "broker/options/command_line.h"
#include "broker/settings/files.h"

struct author {
	struct app app; /* first: steps are given it */
	enum own_command command;
	struct command_line line;
};

/*
 * Takes the command line apart. False: *ret_status is the exit status, what there was to
 * say was said (a mistake, or usage because of --help), and nothing is left to release.
 */
bool author_begin(struct author *a, enum own_command command, const char *usage, int argc,
    char **argv, int *ret_status);
/* "Error: WHY" and the way to the usage, of a command line that makes no sense; releases
 * a. Returns the exit status. */
int author_misused(struct author *a, const char *command, const char *why);

/* False: no configuration and no --plugin; rules of unknown sources are no surprise. */
bool author_has_plugins(const struct author *a);

/*
 * Reads settings, loads plugins, makes the catalog, runs the steps and releases
 * everything. Returns the exit status. In steps: app->catalog and app->rules_config.
 */
int author_run(struct author *a, app_step_fn *const *step, size_t n);

/* The words of the command line as files; folders stand for what is in them that want
 * takes. */
bool author_files(const struct author *a, bool (*want)(const char *path),
    struct file_list *ret_files, struct err *err);
/* Loads one file of rules; what is wrong with them is in *ret_result, which is the
 * loader's. False: it cannot be read, or no memory. */
bool author_load_file(struct loader *l, const char *path,
    const struct load_result **ret_result, struct err *err);
/* Loads the rules of -r or of the configuration, with all mistakes told. Gives a loader
 * that has finished. STEP_FAILED: err is empty when what is wrong was printed. */
enum step_rc author_load_rules(struct author *a, const struct field_catalog *catalog,
    struct loader **ret_loader, struct err *err);

#endif
