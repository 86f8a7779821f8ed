/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/supervisor/plugins.h"

#include <string.h>

#include "base/limits.h"
#include "base/log.h"
#include "base/utf8.h"
#include "broker/supervisor/supervisor.h"

/* All plugins' descriptions and confinements; the largest known takes some 100 KiB. */
enum {
	SET_BYTES = 1 << 30
};

static bool
is_wanted(const struct plugin_setting *ps, const char *only)
{
	return !only || strcmp(ps->name, only) == 0 ||
	       strcmp(ps->library_path, only) == 0;
}

static void
log_choice(const struct plugin_setting *ps, const struct profile *p,
    enum profile_origin origin, const struct buf *notes)
{
	static const char *const why[] = {
	    [PROFILE_ASKED] = "as its sandbox says",
	    [PROFILE_BY_NAME] = "by its name",
	    [PROFILE_BY_FILE] = "by its file's name",
	    [PROFILE_UNKNOWN] = "as no profile names it",
	};

	/* Falco's log says nothing here: what was asked for, or the default, is no news.
	 */
	if (origin == PROFILE_BY_NAME || origin == PROFILE_BY_FILE)
		log_info("plugin '%s': profile %s, %s", ps->name, p->name, why[origin]);
	else
		log_debug("plugin '%s': profile %s, %s", ps->name, p->name, why[origin]);
	for (const char *line = buf_str(notes); *line; line += *line == '\n') {
		size_t n = strcspn(line, "\n");
		log_warning(
		    "plugin '%s': profile %s: %.*s", ps->name, p->name, (int)n, line);
		line += n;
	}
}

struct profile_subject
plugin_subject(const struct plugin_setting *ps)
{
	return (struct profile_subject){
	    .name = ps->name,
	    .library_path = ps->library_path,
	    .entry = {ps->init_config, ps->open_params},
	    .block = ps->sandbox,
	    .file = ps->file,
	};
}

static bool
choose_profile(struct profile *p, struct arena *arena, const struct plugin_set *set,
    const struct plugin_setting *ps, struct err *err)
{
	const struct profile_subject subject = plugin_subject(ps);
	enum profile_origin origin;
	struct buf notes;
	bool ok;

	buf_init(&notes, LIMIT_TEXT_BYTES);
	ok = profile_for_plugin(p, arena, &set->profiles, &subject, &origin, &notes, err);
	if (ok)
		log_choice(ps, p, origin, &notes);
	buf_release(&notes);
	return ok;
}

/* Policy and preflight: everything that can be refused before a process exists. */
bool
plugin_set_prepare(
    struct plugin_set *set, struct plugin *p, struct arena *arena, struct err *err)
{
	struct profile *profile = arena_alloc(arena, sizeof(*profile));
	struct confinement *c = arena_alloc(arena, sizeof(*c));
	struct err why;

	if (!profile || !c)
		return err_nomem(err);
	if (!choose_profile(profile, arena, set, p->setting, err))
		return false;
	if (profile->limits.memory_bytes < set->sup->memory_bytes)
		profile->limits.memory_bytes = set->sup->memory_bytes;
	p->profile = profile;
	p->confinement = c;
	if (!confinement_make(c, arena, profile, p->setting->library_path,
		set->sup->worker_path, &why)) {
		if (why.code == ERR_USAGE)
			return err_set(
			    err, ERR_USAGE, "plugin '%s': %s", p->setting->name, why.msg);
		return err_set(err, why.code, "cannot load plugin %s: %s%s",
		    p->setting->library_path,
		    why.code == ERR_PLUGIN ? "" : "can't load plugin dynamic library: ",
		    why.msg);
	}
	p->worker = worker_new(set->sup, p, err);
	return p->worker != NULL;
}

static bool
check_unique(const struct plugin_set *set, const struct plugin *p, struct err *err)
{
	const char *path = p->setting->library_path;

	for (uint32_t i = 0; i < p->index; i++) {
		const struct plugin *other = &set->plugin[i];

		if (strcmp(other->name, p->name) == 0)
			return err_set(err, ERR_USAGE,
			    "cannot register plugin %s in inspector: found another "
			    "plugin with name %s. Aborting.",
			    path, p->name);
		if (p->id != 0 && other->id == p->id)
			return err_set(err, ERR_USAGE,
			    "cannot register plugin %s in inspector: found another "
			    "plugin with ID %u. Aborting.",
			    path, p->id);
	}
	return true;
}

/* A crash while loading, said as the loading error that it is. */
static bool
load_error(const struct plugin *p, const struct err *why, struct err *err)
{
	if (strncmp(why->msg, "plugin '", 8) != 0)
		return err_set(err, why->code, "%s", why->msg);
	return err_set(err, why->code, "cannot load plugin %s: %s",
	    p->setting->library_path, why->msg);
}

bool
plugin_set_load(struct plugin_set *set, const struct settings *s, struct supervisor *sup,
    const char *only, struct err *err)
{
	memset(set, 0, sizeof(*set));
	arena_init(&set->arena, SET_BYTES);
	set->sup = sup;
	set->plugin = arena_array(&set->arena, s->n_plugin + 1, sizeof(*set->plugin));
	if (!set->plugin)
		return err_nomem(err);
	if (!profile_set_load_all(&set->profiles, &set->arena,
		conf_text(s->sandbox, "profiles_dir", NULL), err))
		return false;
	for (uint32_t i = 0; i < s->n_plugin; i++) {
		struct plugin *p = &set->plugin[set->n];

		if (!is_wanted(&s->plugin[i], only))
			continue;
		p->index = set->n;
		p->setting = &s->plugin[i];
		p->arena = &set->arena;
		if (!plugin_set_prepare(set, p, &set->arena, err))
			return false;
		set->n++;
	}
	/* All load at the same time, each in its own process; errors are told in order.
	 */
	for (uint32_t i = 0; i < set->n; i++)
		worker_pursue(set->plugin[i].worker, WORKER_LOADED);
	for (uint32_t i = 0; i < set->n; i++) {
		struct plugin *p = &set->plugin[i];
		struct err why;

		if (!supervisor_await(sup, p->worker, &why))
			return load_error(p, &why, err);
		if (!check_unique(set, p, err))
			return false;
	}
	return true;
}

void
plugin_set_release(struct plugin_set *set)
{
	arena_release(&set->arena);
	set->n = 0;
}

const struct plugin *
plugin_set_find(const struct plugin_set *set, const char *name_or_path)
{
	for (uint32_t i = 0; i < set->n; i++) {
		if (is_wanted(set->plugin[i].setting, name_or_path))
			return &set->plugin[i];
	}
	return NULL;
}

struct worker *
plugin_set_worker(struct plugin_set *set, const struct plugin *p, struct err *err)
{
	struct plugin *own = &set->plugin[p->index];
	struct worker *w = own->worker;

	own->worker = NULL;
	return w ? w : worker_new(set->sup, own, err);
}

static bool
names_have(const char *const *names, uint32_t n, const char *name)
{
	for (uint32_t i = 0; i < n; i++) {
		if (strcmp(names[i], name) == 0)
			return true;
	}
	return n == 0;
}

bool
plugin_extracts_for(const struct plugin *p, const char *source)
{
	return (p->caps & PLUGIN_CAP_EXTRACTION) &&
	       names_have(p->extract_source, p->n_extract_source, source);
}

bool
plugin_parses_for(const struct plugin *p, const char *source)
{
	return (p->caps & PLUGIN_CAP_PARSING) &&
	       names_have(p->parse_source, p->n_parse_source, source);
}

bool
plugin_injects_for(const struct plugin *p, const char *source)
{
	return (p->caps & PLUGIN_CAP_ASYNC) &&
	       names_have(p->async_source, p->n_async_source, source);
}

static bool
is_used_by(const struct plugin *p, const char *source)
{
	return strcmp(p->source, source) == 0 || plugin_extracts_for(p, source) ||
	       plugin_parses_for(p, source) || plugin_injects_for(p, source) ||
	       ((p->caps & PLUGIN_CAP_SOURCING) && p->id == 0 &&
		   strcmp(source, "syscall") == 0);
}

static bool
add_static_class(const struct settings *s, struct field_catalog *c,
    struct field_source *source, struct err *err)
{
	struct field *field = arena_array(&c->arena, s->n_static, sizeof(*field));
	struct field_class klass = {.name = "static", .field = field, .n = s->n_static};

	if (!field)
		return err_nomem(err);
	for (uint32_t i = 0; i < s->n_static; i++) {
		struct buf name;
		buf_init(&name, LIMIT_NAME_BYTES);
		buf_addf(&name, "static.%s", s->static_key[i]);
		field[i] = (struct field){
		    .name = arena_strdup(&c->arena, buf_str(&name)),
		    .desc = "",
		    .display = "",
		    .type = VALUE_CHARBUF,
		    .flags = FIELD_ADD_OUTPUT,
		    .provider = PROVIDER_STATIC,
		    .constant = s->static_value[i],
		};
		buf_release(&name);
		if (!field[i].name)
			return err_nomem(err);
	}
	return field_source_add_class(c, source, &klass, err);
}

static bool
add_plugin_class(const struct plugin *p, struct field_catalog *c,
    struct field_source *source, struct err *err)
{
	struct field_class klass = {.short_desc = "",
	    .desc = "",
	    .field = p->field,
	    .n = p->n_field,
	    .plugin = true};
	struct buf name;
	bool done;

	for (uint32_t i = 0; i < p->n_field; i++) {
		if (field_source_find(source, p->field[i].name))
			return err_set(err, ERR_USAGE,
			    "Plugin '%s' supports extraction of field '%s' that is "
			    "overlapping for source '%s'",
			    p->name, p->field[i].name, source->name);
	}
	buf_init(&name, 2 * LIMIT_NAME_BYTES);
	buf_addf(&name, "%s (plugin)", p->name);
	klass.name = buf_str(&name);
	done = field_source_add_class(c, source, &klass, err);
	buf_release(&name);
	return done;
}

bool
plugin_set_catalog(const struct plugin_set *set, const struct settings *s,
    struct field_catalog *ret_catalog, struct err *err)
{
	struct field_catalog *c = ret_catalog;

	if (!field_catalog_init(c, err))
		return false;
	for (uint32_t i = 0; i < set->n; i++) {
		const struct plugin *p = &set->plugin[i];
		if (p->id != 0 && !field_catalog_add_source(c, p->source))
			return err_nomem(err);
	}
	for (uint32_t i = 0; i < set->n; i++) {
		bool used = false;
		for (uint32_t k = 0; k < c->n_source; k++)
			used |= is_used_by(&set->plugin[i], c->source[k].name);
		if (!used)
			return err_set(err, ERR_USAGE,
			    "Plugin '%s' is loaded but unused as not compatible with any "
			    "known event source",
			    set->plugin[i].name);
	}
	for (uint32_t k = 0; k < c->n_source; k++) {
		struct field_source *source = &c->source[k];

		if (s->n_static > 0 && !add_static_class(s, c, source, err))
			return false;
		for (uint32_t i = 0; i < set->n; i++) {
			const struct plugin *p = &set->plugin[i];
			if (plugin_extracts_for(p, source->name) &&
			    !add_plugin_class(p, c, source, err))
				return false;
		}
	}
	return true;
}

bool
plugin_set_for_rules(
    struct plugin_set *set, struct rules_config *ret_config, struct err *err)
{
	struct rules_plugin *list = arena_array(&set->arena, set->n + 1, sizeof(*list));

	if (!list)
		return err_nomem(err);
	for (uint32_t i = 0; i < set->n; i++) {
		const struct plugin *p = &set->plugin[i];
		list[i] = (struct rules_plugin){
		    .name = p->name,
		    .version = p->version,
		    .source = p->source[0] ? p->source : NULL,
		    .extract_source = p->extract_source,
		    .n_extract_source = p->n_extract_source,
		    .extracts = p->caps & PLUGIN_CAP_EXTRACTION,
		    .async_name = p->async_event,
		    .n_async_name = p->n_async_event,
		};
	}
	ret_config->plugin = list;
	ret_config->n_plugin = set->n;
	return true;
}

/* Texts from the worker, cut and cleaned for people; the value itself only has to be
 * text. */
static const char *
keep(struct arena *a, const char *peer_text)
{
	struct buf out;
	const char *kept;

	buf_init(&out, LIMIT_TEXT_BYTES);
	utf8_escape(&out, peer_text ? peer_text : "", peer_text ? strlen(peer_text) : 0,
	    LIMIT_TEXT_BYTES / 8);
	kept = arena_strdup(a, buf_str(&out));
	buf_release(&out);
	return kept ? kept : "";
}

bool
plugin_open_params(struct plugin_set *set, const struct plugin *p,
    const struct plugin_open_param **ret_param, uint32_t *ret_n, struct err *err)
{
	struct worker *w = set->plugin[p->index].worker;
	struct plugin_open_param *list;

	*ret_param = NULL;
	*ret_n = 0;
	worker_pursue(w, WORKER_INITIALIZED);
	if (!supervisor_await(set->sup, w, err))
		return false;
	if (!(p->caps & PLUGIN_CAP_SOURCING) || !p->has_open_params)
		return true;
	if (!worker_ask_open_params(w, err) ||
	    !supervisor_await_open_params(set->sup, w, err))
		return false;
	const Control__OpenParams *got = w->open_params->open_params;
	if (got->n_params > 4096)
		return err_set(err, ERR_PEER, "plugin '%s' suggests %zu open parameters",
		    p->name, got->n_params);
	list = arena_array(&set->arena, got->n_params + 1, sizeof(*list));
	if (!list)
		return err_nomem(err);
	for (size_t i = 0; i < got->n_params; i++) {
		list[i].value = keep(&set->arena, got->params[i]->value);
		list[i].desc = keep(&set->arena, got->params[i]->desc);
		list[i].separator = keep(&set->arena, got->params[i]->separator);
	}
	*ret_param = list;
	*ret_n = (uint32_t)got->n_params;
	return true;
}
