/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/template.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/conf/load.h"
#include "base/limits.h"
#include "base/utf8.h"
#include "policy/profile_keys.h"
#include "policy/template_forms.h"

/* The expansion of one profile. */
struct expansion {
	struct arena *arena;
	const struct template_entry *entry;
	const struct conf_node *init_config, *open_params; /* as trees; NULL: none */
	struct conf_node *block;
	struct buf *notes;
	bool is_default; /* the value at hand is the profile's, not the entry's */
	bool nomem;
};

/* Parts are lists or one item that stands for a list of itself. */
static size_t
n_items(const struct conf_node *node)
{
	return !node || node->kind == CONF_NULL ? 0
	       : node->kind == CONF_SEQ         ? node->n
						: 1;
}

static const struct conf_node *
item_at(const struct conf_node *node, size_t i)
{
	return node->kind == CONF_SEQ ? node->child[i] : node;
}

/* Values of a part. */

struct texts {
	const char *text[LIMIT_POLICY_ITEMS];
	uint32_t n;
};

static void
add_text(struct texts *ts, const char *text)
{
	if (text && text[0] && ts->n < LIMIT_POLICY_ITEMS)
		ts->text[ts->n++] = text;
}

/* Scalars at a path of keys; of lists, of each item. Plugins in Go find keys whatever
 * their case. The depth is bounded by the path's. */
static void
gather(const struct conf_node *node, const char *path, struct texts *ret)
{
	size_t n = strcspn(path, ".");

	if (!node)
		return;
	if (node->kind == CONF_SEQ) {
		for (size_t i = 0; i < node->n; i++)
			if (node->child[i]->kind != CONF_SEQ)
				gather(node->child[i], path, ret);
	} else if (path[0] == '\0') {
		if (node->kind == CONF_SCALAR)
			add_text(ret, node->text);
	} else if (node->kind == CONF_MAP) {
		for (size_t i = 0; i < node->n; i++)
			if (strlen(node->key[i]) == n &&
			    strncasecmp(node->key[i], path, n) == 0) {
				gather(node->child[i], path + n + (path[n] == '.'), ret);
				return;
			}
	}
}

/* "name" or "name.KEYS": the keys; NULL: another. */
static const char *
after_name(const char *from, const char *name)
{
	size_t n = strlen(name);

	if (strncmp(from, name, n) != 0 || (from[n] != '\0' && from[n] != '.'))
		return NULL;
	return from + n + (from[n] == '.');
}

static void
values_of(const struct expansion *x, const char *from, struct texts *ret)
{
	const char *keys;

	ret->n = 0;
	if ((keys = after_name(from, "init_config")))
		gather(x->init_config, keys, ret);
	else if ((keys = after_name(from, "open_params")) && keys[0] == '\0')
		add_text(ret, x->entry->open_params);
	else if (keys)
		gather(x->open_params, keys, ret);
	else if ((keys = after_name(from, "env")))
		add_text(ret, getenv(keys));
}

static bool
fits_any(const struct expansion *x, const struct conf_node *patterns, const char *text,
    struct values *ret)
{
	for (size_t i = 0; i < n_items(patterns); i++)
		if (values_fit(x->arena, item_at(patterns, i)->text, text, ret))
			return true;
	return false;
}

/* Whether a value of the source has one of the forms; what its holes hold is added. */
static bool
source_fits(const struct expansion *x, const char *from, const struct conf_node *patterns,
    struct values *v)
{
	struct values found;
	struct texts ts;

	values_of(x, from, &ts);
	for (uint32_t k = 0; k < ts.n; k++)
		if (fits_any(x, patterns, ts.text[k], &found)) {
			values_merge(v, &found);
			return true;
		}
	return false;
}

/* when: every source fits; its holes are there for what is given. */
static bool
all_fit(const struct expansion *x, const struct conf_node *conditions, struct values *v)
{
	for (size_t i = 0; conditions && i < conditions->n; i++)
		if (!source_fits(x, conditions->key[i], conditions->child[i], v))
			return false;
	return true;
}

/* unless: one does. */
static bool
one_fits(const struct expansion *x, const struct conf_node *conditions)
{
	struct values ignored = {{NULL}};

	for (size_t i = 0; conditions && i < conditions->n; i++)
		if (source_fits(x, conditions->key[i], conditions->child[i], &ignored))
			return true;
	return false;
}

/* What is given. */

enum gift {
	GIFT_PLAIN,
	GIFT_FILE, /* it must be there: a file or a directory */
	GIFT_PATH, /* it need not */
};

static const struct {
	const char *name;
	enum gift gift;
	profile_read_fn *read;
	size_t offset;
} gifts[] = {
    {"read", GIFT_FILE, profile_read_paths, offsetof(struct profile, read)},
    {"write", GIFT_FILE, profile_read_paths, offsetof(struct profile, write)},
    {"unix", GIFT_PATH, profile_read_unix, 0},
    {"listen", GIFT_PLAIN, profile_read_listen, 0},
    {"connect", GIFT_PLAIN, profile_read_connect, 0},
    {"env", GIFT_PLAIN, profile_read_env, offsetof(struct profile, env)},
};

#define N_GIFTS (sizeof(gifts) / sizeof(*gifts))

static void
note(struct expansion *x, const char *from, const char *value, const char *why)
{
	buf_addf(x->notes, "%s%s: \"", x->notes->len ? "\n" : "", from);
	utf8_escape(x->notes, value, strlen(value), 200);
	buf_addf(x->notes, "\" %s", why);
}

/* A scalar with its holes filled, where it stood. */
static struct conf_node *
filled_scalar(struct arena *arena, const struct conf_node *item, const struct values *v)
{
	const char *text = values_fill(arena, item->text, v);
	struct conf_node *node = text ? conf_scalar(arena, text) : NULL;

	if (node) {
		node->file = item->file;
		node->line = item->line;
		node->col = item->col;
	}
	return node;
}

/* As above; a map has one in the key that says what is given. */
static bool
is_filled_key(const char *key)
{
	return strcmp(key, "path") == 0 || strcmp(key, "unix") == 0 ||
	       strcmp(key, "host") == 0;
}

static const struct conf_node *
filled_child(const struct conf_node *item)
{
	for (size_t i = 0; item->kind == CONF_MAP && i < item->n; i++)
		if (is_filled_key(item->key[i]))
			return item->child[i];
	return item->kind == CONF_MAP ? NULL : item;
}

/* The path that is given; NULL: it is none. */
static const char *
given_path(const struct conf_node *node, enum gift gift)
{
	const struct conf_node *text = filled_child(node);

	if (gift != GIFT_PLAIN)
		return text ? text->text : "";
	/* listen: {unix: PATH}, and "unix:PATH" */
	if (node->kind == CONF_MAP)
		return conf_text(node, "unix", NULL);
	return strncmp(node->text, "unix:", 5) == 0 ? node->text + 5 : NULL;
}

static struct conf_node *
filled_item(struct arena *arena, const struct conf_node *item, const struct values *v)
{
	if (item->kind != CONF_MAP)
		return filled_scalar(arena, item, v);
	struct conf_node *map = conf_new(arena, CONF_MAP);
	for (size_t i = 0; map && i < item->n; i++) {
		struct conf_node *child = is_filled_key(item->key[i])
					      ? filled_scalar(arena, item->child[i], v)
					      : item->child[i];
		if (!child || !conf_put(arena, map, item->key[i], child))
			map = NULL;
	}
	if (map) {
		map->file = item->file;
		map->line = item->line;
		map->col = item->col;
	}
	return map;
}

static const char *
path_trouble(const char *path, enum gift gift)
{
	const char *why = profile_path_refusal(path);
	struct stat st;

	if (why || gift != GIFT_FILE)
		return why;
	if (stat(path, &st) != 0)
		return "it is not there";
	return S_ISREG(st.st_mode) || S_ISDIR(st.st_mode)
		   ? NULL
		   : "it is neither a file nor a directory";
}

static void
give_item(struct expansion *x, const struct conf_node *part, size_t g,
    const struct conf_node *item, const struct values *v)
{
	struct conf_node *node = filled_item(x->arena, item, v);
	struct conf_node *list = conf_get(x->block, gifts[g].name);

	if (!node)
		return; /* no home */
	const char *path = given_path(node, gifts[g].gift);
	if (path) {
		const char *why = path_trouble(path, gifts[g].gift);
		struct buf all;
		buf_init(&all, 512);
		buf_addf(&all, "is not given to %s: %s", gifts[g].name, why ? why : "");
		if (why && !x->is_default)
			note(x, conf_text(part, "from", ""), path, buf_str(&all));
		buf_release(&all);
		if (why)
			return;
	}
	if (!list) {
		list = conf_new(x->arena, CONF_SEQ);
		if (!list || !conf_put(x->arena, x->block, gifts[g].name, list)) {
			x->nomem = true;
			return;
		}
	}
	if (!conf_append(x->arena, list, node))
		x->nomem = true;
}

static void
give(struct expansion *x, const struct conf_node *part, const struct values *v)
{
	for (size_t g = 0; g < N_GIFTS; g++) {
		const struct conf_node *items = conf_get(part, gifts[g].name);
		for (size_t i = 0; i < n_items(items); i++)
			give_item(x, part, g, item_at(items, i), v);
	}
}

static void
expand_part(struct expansion *x, const struct conf_node *part)
{
	const struct conf_node *match = conf_get(part, "match");
	const struct conf_node *defaults = conf_get(part, "default");
	const char *from = conf_text(part, "from", NULL);
	struct values common = {{NULL}};
	struct texts ts = {.n = 0};

	common.text[HOLE_HOME] = home_dir();
	if (!all_fit(x, conf_get(part, "when"), &common) ||
	    one_fits(x, conf_get(part, "unless")))
		return;
	/* What the profile itself names may well not be there. */
	x->is_default = true;
	if (!from) {
		give(x, part, &common);
		return;
	}
	values_of(x, from, &ts);
	x->is_default = ts.n == 0;
	for (size_t i = 0; x->is_default && i < n_items(defaults); i++)
		add_text(&ts, values_fill(x->arena, item_at(defaults, i)->text, &common));
	for (uint32_t i = 0; i < ts.n; i++) {
		struct values v = common, found = {{NULL}};
		if (match && !fits_any(x, match, ts.text[i], &found))
			continue;
		values_merge(&v, &found);
		give(x, part, &v);
	}
}

/* A value that no part can use is told: what it was meant for will be refused. */
static void
note_unused(struct expansion *x, const struct profile *p)
{
	const char *text = x->entry->open_params;
	bool is_looked_at = false;
	struct values ignored;

	for (uint32_t i = 0; i < p->n_part; i++) {
		if (strcmp(conf_text(p->part[i], "from", ""), "open_params") != 0)
			continue;
		const struct conf_node *match = conf_get(p->part[i], "match");
		is_looked_at = true;
		if (!match || fits_any(x, match, text, &ignored))
			return;
	}
	if (is_looked_at && text[0])
		note(x, "open_params", text,
		    "has none of the forms that the profile knows");
}

/* Text that is no tree has no keys. */
static const struct conf_node *
tree(struct arena *arena, const char *text)
{
	struct conf_node *root = NULL;
	struct err ignored;

	if (!conf_load(arena, text, strlen(text), "", false, &root, &ignored))
		return NULL;
	return root;
}

bool
template_expand(const struct profile *p, struct arena *arena,
    const struct template_entry *entry, struct conf_node **ret_block, struct buf *notes,
    struct err *err)
{
	struct expansion x = {.arena = arena, .entry = entry, .notes = notes};
	struct conf_node *base = conf_scalar(arena, p->name);

	x.block = conf_new(arena, CONF_MAP);
	if (!x.block || !base || !conf_put(arena, x.block, "profile", base))
		return err_nomem(err);
	x.init_config = tree(arena, entry->init_config);
	x.open_params = tree(arena, entry->open_params);
	for (uint32_t i = 0; i < p->n_part; i++)
		expand_part(&x, p->part[i]);
	note_unused(&x, p);
	if (x.nomem)
		return err_nomem(err);
	*ret_block = x.block;
	return true;
}

/* Reading them. */

/* Which holes a text has, as bits; false: noted. */
static bool
check_holes(
    struct parser *ps, const struct conf_node *node, bool is_pattern, unsigned *ret_holes)
{
	const char *text = node->text;
	unsigned holes = 0;

	while ((text = strchr(text, '{'))) {
		enum hole hole = hole_at(text, &text);
		if (hole == N_HOLES || (is_pattern && hole >= HOLE_DIR)) {
			parser_mistake(ps, node, node->text,
			    "has a hole that is none of {address}, {host}, {port}, "
			    "{path}, {name}, {rest}, {any}%s",
			    is_pattern ? "" : ", {dir}, {home}");
			return false;
		}
		if (is_pattern && hole != HOLE_ANY && (holes & 1u << hole)) {
			parser_mistake(ps, node, node->text,
			    "has {%s} twice: take one out", template_hole_names[hole]);
			return false;
		}
		if (is_pattern && *text &&
		    (hole == HOLE_PATH || hole == HOLE_REST ||
			(hole == HOLE_ANY && *text == '{'))) {
			parser_mistake(ps, node, node->text,
			    "has something after {%s}, which takes all: take it out",
			    template_hole_names[hole]);
			return false;
		}
		holes |= 1u << hole;
	}
	*ret_holes = holes;
	return true;
}

/* A word or a list of words, each with holes; ret_holes are those that all have. */
static bool
check_texts(struct parser *ps, const struct conf_node *node, const char *name,
    bool is_pattern, unsigned *ret_holes)
{
	*ret_holes = ~0u;
	for (size_t i = 0; i < n_items(node); i++) {
		unsigned holes;
		if (!node_is_text(ps, item_at(node, i), name) ||
		    !check_holes(ps, item_at(node, i), is_pattern, &holes))
			return false;
		*ret_holes &= holes;
	}
	return true;
}

static bool
check_source(struct parser *ps, const struct conf_node *at, const char *from)
{
	const char *keys;

	if (((keys = after_name(from, "init_config")) && keys[0]) ||
	    after_name(from, "open_params") ||
	    ((keys = after_name(from, "env")) && keys[0]))
		return true;
	parser_mistake(ps, at, from,
	    "is nothing that a part is taken from: write init_config.KEY, open_params, "
	    "open_params.KEY or env.NAME");
	return false;
}

/* ret_holes: those that are filled when all conditions are met. */
static void
check_conditions(struct parser *ps, const struct conf_node *node, const char *name,
    unsigned *ret_holes)
{
	unsigned holes;

	*ret_holes = 0;
	if (!node)
		return;
	if (node->kind != CONF_MAP) {
		parser_mistake(ps, node, NULL,
		    "%s: wants where from and which form, as in {open_params: "
		    "\"https://{any}\"}",
		    name);
		return;
	}
	for (size_t i = 0; i < node->n; i++)
		if (check_source(ps, node->child[i], node->key[i]) &&
		    check_texts(ps, node->child[i], node->key[i], true, &holes) &&
		    n_items(node->child[i]) > 0)
			*ret_holes |= holes;
}

/* What is given is read as the profile's own would be, with samples in the holes. */
static bool
check_gift(struct parser *ps, const struct conf_node *item, size_t g, unsigned available)
{
	const struct conf_node *text = filled_child(item);
	struct values v;
	unsigned holes = 0;

	memcpy(v.text, template_samples, sizeof(v.text));
	if (text && text->kind == CONF_SCALAR && !check_holes(ps, text, false, &holes))
		return false;
	if (holes & ~available) {
		parser_mistake(ps, text, text->text,
		    "has a hole that match: and when: do not have in each of their "
		    "forms");
		return false;
	}
	struct conf_node *node = text && text->kind == CONF_SCALAR
				     ? filled_item(ps->arena, item, &v)
				     : (struct conf_node *)(uintptr_t)item;
	if (!node) {
		ps->nomem = true;
		return false;
	}
	const struct key k = {.name = gifts[g].name};
	struct profile own = ps->p;
	gifts[g].read(ps, node, &k, (char *)&ps->p + gifts[g].offset);
	ps->p = own;
	return true;
}

static void
read_skip(struct parser *ps, const struct conf_node *node, const struct key *k, void *out)
{
}

/* clang-format off */
static const struct key part_keys[] = {
    {.name = "from", .read = read_skip}, {.name = "default", .read = read_skip},
    {.name = "match", .read = read_skip}, {.name = "when", .read = read_skip},
    {.name = "unless", .read = read_skip}, {.name = "read", .read = read_skip},
    {.name = "write", .read = read_skip}, {.name = "unix", .read = read_skip},
    {.name = "listen", .read = read_skip}, {.name = "connect", .read = read_skip},
    {.name = "env", .read = read_skip}, {0},
};
/* clang-format on */

static void
check_part(struct parser *ps, const struct conf_node *part)
{
	const struct conf_node *from = conf_get(part, "from");
	const struct conf_node *match = conf_get(part, "match");
	const struct conf_node *defaults = conf_get(part, "default");
	unsigned available = 0, conditions, ignored;

	profile_read_map(ps, part, "a part", part_keys, &ps->p);
	if (part->kind != CONF_MAP)
		return;
	if (!from && (match || defaults))
		parser_mistake(ps, part, NULL,
		    "a part with match: or default: needs from: where the value is");
	if (from && node_is_text(ps, from, "from"))
		check_source(ps, from, from->text);
	if (defaults)
		check_texts(ps, defaults, "default", false, &ignored);
	if (match && !check_texts(ps, match, "match", true, &available))
		return;
	check_conditions(ps, conf_get(part, "when"), "when", &conditions);
	check_conditions(ps, conf_get(part, "unless"), "unless", &ignored);
	available |= conditions;
	if (available & 1u << HOLE_PATH)
		available |= 1u << HOLE_DIR;
	available |= 1u << HOLE_HOME;
	available &= ~(1u << HOLE_REST | 1u << HOLE_ANY);
	for (size_t g = 0; g < N_GIFTS; g++) {
		const struct conf_node *items = conf_get(part, gifts[g].name);
		for (size_t i = 0; i < n_items(items); i++)
			if (!check_gift(ps, item_at(items, i), g, available))
				return;
	}
}

void
profile_read_parts(
    struct parser *ps, const struct conf_node *node, const struct key *k, void *out)
{
	struct profile *p = &ps->p;
	struct conf_node *self = NULL, *const * item;
	uint32_t n;

	if (node->kind == CONF_SCALAR ||
	    !node_items(ps, node, k->name, &item, &n, &self)) {
		if (node->kind == CONF_SCALAR)
			parser_mistake(ps, node, node->text,
			    "parts: wants a list of parts, as in - {read: /etc/a}");
		return;
	}
	const struct conf_node **all =
	    list_grow(ps, p->part, p->n_part, n, sizeof(*p->part));
	if (!all)
		return;
	for (uint32_t i = 0; i < n; i++) {
		check_part(ps, item[i]);
		all[p->n_part + i] = item[i];
	}
	p->part = all;
	p->n_part += n;
}
