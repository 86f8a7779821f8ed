/* SPDX-License-Identifier: Apache-2.0 */
#include "base/conf/load.h"

#include <string.h>

#include "base/limits.h"
#include "base/yaml/yaml.h"

struct reader {
	struct arena *arena;
	const char *file;
	bool expand_env;
	struct buf expanded;
};

static struct conf_node *
scalar(struct reader *r, const struct yaml_node *y)
{
	if (!r->expand_env || !strstr(y->text, "${"))
		return conf_scalar(r->arena, y->text);
	buf_clear(&r->expanded);
	return conf_expand_env(y->text, &r->expanded)
		   ? conf_scalar(r->arena, buf_str(&r->expanded))
		   : NULL;
}

/* As deep as the YAML reader allows. Shared sub-trees become separate: nodes change. */
static bool
convert(
    struct reader *r, const struct yaml_node *y, struct conf_node **ret, struct err *err)
{
	static const enum conf_kind kinds[] = {
	    [YAML_NULL] = CONF_NULL,
	    [YAML_SCALAR] = CONF_SCALAR,
	    [YAML_SEQUENCE] = CONF_SEQ,
	    [YAML_MAP] = CONF_MAP,
	};
	struct conf_node *n =
	    y->kind == YAML_SCALAR ? scalar(r, y) : conf_new(r->arena, kinds[y->kind]);

	if (!n)
		return err_nomem(err);
	n->file = r->file;
	n->line = y->mark.line + 1;
	n->col = y->mark.column + 1;
	for (uint32_t i = 0; y->kind == YAML_SEQUENCE && i < y->n; i++) {
		struct conf_node *child;
		if (!convert(r, y->child[i], &child, err))
			return false;
		if (!conf_append(r->arena, n, child))
			return err_nomem(err);
	}
	for (uint32_t i = 0; y->kind == YAML_MAP && i < y->n; i++) {
		const struct yaml_node *key = y->child[2 * i];
		struct conf_node *child;
		if (key->kind != YAML_SCALAR && key->kind != YAML_NULL)
			return err_set(err, ERR_SYNTAX,
			    "a key that is no scalar at line %u, column %u",
			    key->mark.line + 1, key->mark.column + 1);
		if (conf_get(n, key->text))
			continue;
		if (!convert(r, y->child[2 * i + 1], &child, err))
			return false;
		if (!conf_put(r->arena, n, key->text, child))
			return err_nomem(err);
	}
	*ret = n;
	return true;
}

bool
conf_load(struct arena *arena, const char *text, size_t len, const char *file,
    bool expand_env, struct conf_node **ret_root, struct err *err)
{
	struct reader r = {.arena = arena, .file = file, .expand_env = expand_env};
	struct arena scratch;
	struct yaml_stream stream;
	struct yaml_mark mark;

	/* YAML nodes are larger than their text by a factor that is bounded. */
	arena_init(&scratch, LIMIT_CONFIG_MEMORY);
	buf_init(&r.expanded, LIMIT_CONFIG_BYTES);
	bool ok = yaml_load(&scratch, text, len, &stream, &mark, err);
	if (ok && stream.n == 0) {
		*ret_root = conf_new(arena, CONF_NULL);
		ok = *ret_root || err_nomem(err);
	} else if (ok) {
		ok = convert(&r, stream.doc[0], ret_root, err);
	}
	buf_release(&r.expanded);
	arena_release(&scratch);
	return ok;
}

bool
conf_load_flow(
    struct arena *arena, const char *text, struct conf_node **ret_node, struct err *err)
{
	return conf_load(arena, text, strlen(text), NULL, false, ret_node, err);
}
