/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Forms: texts with holes, and values that fit them. Each hole takes all that it can;
 * only {any} stops at what follows it, so there is one way, or none, to fit.
 */
#ifndef POLICY_TEMPLATE_FORMS_H
#define POLICY_TEMPLATE_FORMS_H

#include <stdbool.h>

#include "base/arena.h"
#include "policy/template.h"

enum hole {
#define HOLE(id, name, doc) HOLE_##id,
	TEMPLATE_HOLES(HOLE)
#undef HOLE
	/* Only in what is given: of the path, and of the environment. */
	HOLE_DIR,
	HOLE_HOME,
	N_HOLES,
};

extern const char *const template_hole_names[];
/* What fits, to try out with a profile file what its parts would give. */
extern const char *const template_samples[N_HOLES];

struct values {
	const char *text[N_HOLES]; /* NULL: not there */
};

/* "{name}" at text; N_HOLES: it is none that there is. *ret_after: what follows it. */
enum hole hole_at(const char *text, const char **ret_after);

/* $HOME; NULL: it is no place. */
const char *home_dir(void);

/* Whether text has that form, and what its holes hold then, in the arena. */
bool values_fit(
    struct arena *arena, const char *pattern, const char *text, struct values *ret);
/* What other has replaces what v has. */
void values_merge(struct values *v, const struct values *other);
/* text with its holes filled. NULL: a hole has no value, or no memory. */
const char *values_fill(struct arena *arena, const char *text, const struct values *v);

#endif
