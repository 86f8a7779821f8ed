/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Parts of a profile that are taken from the plugin's entry in the configuration, so that
 * a port or a path is written once. docs/sandbox.md describes them for people.
 *
 * A part of a profile file says where a value comes from (init_config by key, open_params
 * as text or by key, a variable of the environment), which forms it may have, and what is
 * given then. Holes of a form have kinds: what does not have that form, a port that is no
 * number, a host that is no name, fits nothing and gives nothing. So whoever writes the
 * value chooses among ports or files, and can never make one into the other.
 */
#ifndef POLICY_TEMPLATE_H
#define POLICY_TEMPLATE_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/conf/conf.h"
#include "base/err.h"
#include "policy/profile.h"

/* HOLE(id, name, what fits it) */
/* clang-format off */
#define TEMPLATE_HOLES(HOLE) \
	HOLE(ADDRESS, "address", "an IP address, localhost, or nothing: to listen at") \
	HOLE(HOST,    "host",    "a host's name or IP address") \
	HOLE(PORT,    "port",    "a number from 1 to 65535") \
	HOLE(PATH,    "path",    "a path, relative ones from the working directory, ~ from home; no URL") \
	HOLE(NAME,    "name",    "letters, digits, - and _") \
	HOLE(REST,    "rest",    "nothing, or what begins with /, ? or #") \
	HOLE(ANY,     "any",     "anything")
/* clang-format on */

/* The entry of the plugin; "" where it says nothing. */
struct template_entry {
	const char *init_config, *open_params;
};

/*
 * What the parts of p come to, as a block for profile_parse_in that builds on p; places
 * in it are those of the profile's file. Paths that lead nowhere are left out: without
 * them the plugin finds what it would find unconfined, nothing. Values that were there
 * and gave nothing are lines of notes, escaped.
 */
bool template_expand(const struct profile *p, struct arena *arena,
    const struct template_entry *entry, struct conf_node **ret_block, struct buf *notes,
    struct err *err);

#endif
