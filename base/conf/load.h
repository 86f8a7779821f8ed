/* SPDX-License-Identifier: Apache-2.0 */
/* YAML text as a configuration tree. */
#ifndef BASE_CONF_LOAD_H
#define BASE_CONF_LOAD_H

#include "base/conf/conf.h"

/*
 * The first document of the text; an empty one is CONF_NULL. file is kept as the place of
 * every node and must outlive the tree. The first of equal keys counts. With expand_env
 * values (not keys) are expanded.
 */
bool conf_load(struct arena *arena, const char *text, size_t len, const char *file,
    bool expand_env, struct conf_node **ret_root, struct err *err);

/* A value in braces on the command line: the parse_flow of conf_assign. */
bool conf_load_flow(
    struct arena *arena, const char *text, struct conf_node **ret_node, struct err *err);

#endif
