/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/profile_auto.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/conf/conf.h"

/* An operator's own, when the configuration names no other folder. */
#define LOCAL_DIR "/etc/mews/profiles"

/* The first that lists the plugin; NULL: none does. */
static const struct profile *
find_for(const struct profile_set *set, const char *plugin, size_t n)
{
	for (uint32_t i = 0; i < set->n; i++) {
		const struct profile *p = &set->profile[i];
		for (uint32_t k = 0; k < p->n_plugin; k++)
			if (strlen(p->plugin[k]) == n &&
			    strncmp(p->plugin[k], plugin, n) == 0)
				return p;
	}
	return NULL;
}

static const struct profile *
find_by_file(const struct profile_set *set, const char *path)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	const char *so = strstr(name, ".so");

	if (strncmp(name, "lib", 3) != 0 || !so)
		return NULL;
	return find_for(set, name + 3, (size_t)(so - name) - 3);
}

static const struct profile *
find_named(const struct profile_set *set, const char *name)
{
	for (uint32_t i = 0; i < set->n; i++)
		if (strcmp(set->profile[i].name, name) == 0)
			return &set->profile[i];
	return NULL;
}

/* NULL: the built-in ones are to be looked at. */
static const struct profile *
choose(const struct profile_set *known, const struct profile_subject *s,
    enum profile_origin *ret_origin)
{
	const char *asked = conf_text(s->block, "profile", "auto");
	const struct profile *found;

	*ret_origin = PROFILE_ASKED;
	if (strcmp(asked, "auto") != 0)
		return find_named(known, asked);
	*ret_origin = PROFILE_BY_NAME;
	if ((found = find_for(known, s->name, strlen(s->name))))
		return found;
	*ret_origin = PROFILE_BY_FILE;
	if ((found = find_by_file(known, s->library_path)))
		return found;
	*ret_origin = PROFILE_UNKNOWN;
	return NULL;
}

/* The block as if it had named that profile. */
static const struct conf_node *
with_profile(struct arena *arena, const struct conf_node *block, const char *name)
{
	struct conf_node *copy = conf_new(arena, CONF_MAP),
			 *word = conf_scalar(arena, name);

	if (!copy || !word || !conf_put(arena, copy, "profile", word))
		return NULL;
	copy->file = block->file;
	copy->line = block->line;
	copy->col = block->col;
	for (size_t i = 0; i < block->n; i++)
		if (strcmp(block->key[i], "profile") != 0 &&
		    !conf_put(arena, copy, block->key[i], block->child[i]))
			return NULL;
	return copy;
}

bool
profile_for_plugin(struct profile *p, struct arena *arena,
    const struct profile_set *known, const struct profile_subject *subject,
    enum profile_origin *ret_origin, struct buf *notes, struct err *err)
{
	static const struct conf_node nothing = {.kind = CONF_MAP};
	const struct conf_node *block = subject->block;
	const struct profile *chosen = choose(known, subject, ret_origin);
	struct profile_set set = {0};
	struct conf_node *parts;

	if (!block || block->kind == CONF_NULL)
		block = &nothing;
	/* Asked for and not here, or no block at all: parsing says what is wrong. */
	if (block->kind != CONF_MAP || (!chosen && *ret_origin == PROFILE_ASKED))
		return profile_parse_in(p, arena, known, block, subject->file, err);
	block = with_profile(arena, block, chosen ? chosen->name : "pure");
	struct profile *all = arena_array(arena, (size_t)known->n + 1, sizeof(*all));
	if (!block || !all)
		return err_nomem(err);
	set.profile = all;
	if (chosen) {
		if (!template_expand(
			chosen, arena, &subject->entry, &parts, notes, err) ||
		    !profile_parse_in(all, arena, known, parts, subject->file, err))
			return false;
		set.n = 1;
	}
	for (uint32_t i = 0; i < known->n; i++)
		all[set.n++] = known->profile[i];
	return profile_parse_in(p, arena, &set, block, subject->file, err);
}

/* Beside the program as it is built, as it is laid out in a tree, and as it is installed;
 * after_name: counted from the program's own name, not its folder. */
static const struct {
	bool after_name;
	const char *path;
} shipped[] = {
    {true, ".runfiles/mews/policy/profiles"},
    {false, "/../policy/profiles"},
    {false, "/../share/mews/profiles"},
    {false, "/../../share/mews/profiles"},
};

bool
profile_shipped_dir(char *ret_path, size_t size)
{
	char exe[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);

	if (n <= 0)
		return false;
	exe[n] = '\0';
	const char *slash = strrchr(exe, '/');
	for (size_t i = 0; slash && i < sizeof(shipped) / sizeof(*shipped); i++) {
		int m = shipped[i].after_name ? (int)n : (int)(slash - exe);
		int used = snprintf(ret_path, size, "%.*s%s", m, exe, shipped[i].path);
		if (used > 0 && (size_t)used < size && access(ret_path, R_OK | X_OK) == 0)
			return true;
	}
	return false;
}

bool
profile_set_load_all(
    struct profile_set *set, struct arena *arena, const char *dir, struct err *err)
{
	struct profile_set own = {0}, came_with = {0};
	char path[PATH_MAX];

	if (dir && access(dir, R_OK | X_OK) != 0)
		return err_sys(err, "sandbox.profiles_dir: %s", dir);
	if (!profile_set_load(&own, arena, dir ? dir : LOCAL_DIR, err))
		return false;
	if (profile_shipped_dir(path, sizeof(path)) &&
	    !profile_set_load(&came_with, arena, path, err))
		return false;
	struct profile *all =
	    arena_array(arena, (size_t)own.n + came_with.n + 1, sizeof(*all));
	if (!all)
		return err_nomem(err);
	set->profile = all;
	set->n = 0;
	for (uint32_t i = 0; i < own.n; i++)
		all[set->n++] = own.profile[i];
	for (uint32_t i = 0; i < came_with.n; i++)
		all[set->n++] = came_with.profile[i];
	return true;
}
