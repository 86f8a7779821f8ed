/* SPDX-License-Identifier: Apache-2.0 */
/* The comparison of one value with one constant: what any index must
 * agree with. */
#ifndef RULES_REL_H
#define RULES_REL_H

#include "base/arena.h"
#include "rules/compile.h"

/* One value: num for number types, else s and len (a NUL follows s). */
struct scalar {
	uint64_t num;
	const char *s;
	uint32_t len;
};

/* op is any but exists, in, intersects and pmatch over sets: those are loops over
 * rel_is_member and rel_path_match. *oddities counts addresses of impossible length. */
bool rel_compare(enum rel_op op, enum value_type type, const struct scalar *v,
    const struct constant *k, struct arena *scratch, uint64_t *oddities);
/* Membership in a set: exact bytes; a network contains an address. */
bool rel_is_member(
    enum value_type type, const struct scalar *v, const struct constant *k);
/* Is the component list of prefix (wildcards allowed) a prefix of that of path? */
bool rel_path_match(const char *path, const char *prefix);

#endif
