/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which profile a plugin runs under. Its sandbox block may name one; "auto", or no word
 * of it, is the profile that names the plugin, else pure. The profile's parts are taken
 * from the plugin's entry (template.h), and the rest of the block adds to the result.
 */
#ifndef POLICY_PROFILE_AUTO_H
#define POLICY_PROFILE_AUTO_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "policy/profile.h"
#include "policy/template.h"

enum profile_origin {
	PROFILE_ASKED,   /* the block names it */
	PROFILE_BY_NAME, /* of the entry */
	PROFILE_BY_FILE, /* lib<name>.so: the plugin's own name is not known before it
			    runs */
	PROFILE_UNKNOWN, /* no profile names this plugin: pure */
};

/* One entry of "plugins". */
struct profile_subject {
	const char *name, *library_path;
	struct template_entry entry;
	const struct conf_node *block; /* sandbox; NULL: none */
	const char *file;              /* of the block, for messages */
};

/* As profile_parse_in, of which it is the way in for whoever runs plugins. Lines of notes
 * say what the entry asks for that the profile cannot give. */
bool profile_for_plugin(struct profile *p, struct arena *arena,
    const struct profile_set *known, const struct profile_subject *subject,
    enum profile_origin *ret_origin, struct buf *notes, struct err *err);

/*
 * The profiles of dir, which must be there unless it is NULL, before those that came with
 * the program: of two for one name or plugin the first counts.
 */
bool profile_set_load_all(
    struct profile_set *set, struct arena *arena, const char *dir, struct err *err);
/* Where the program's own are: found from where the program is. False: nowhere. */
bool profile_shipped_dir(char *ret_path, size_t size);

#endif
