/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From YAML to the collection: the items of a rules file, with the
 * mistakes of their form. What the items mean together is for collect.h and the loader.
 */
#ifndef RULES_READ_H
#define RULES_READ_H

#include "base/yaml/yaml.h"
#include "rules/collect.h"

/* What follows the first mistake. */
struct rules_rest {
	bool is_there;
	/* Some of the mistakes were in lists or macros: what uses them looks wrong
	 * without being so. */
	bool definitions_lost;
	struct collection all; /* that before it, too; the caller releases it */
};

/*
 * Reads every item of every document into k->c. After the first mistake the rest is only
 * read for further mistakes, into a copy: k->c stays as it was then, which is where Falco
 * stops. False when anything was wrong.
 */
bool rules_read(
    struct collector *k, const struct yaml_stream *stream, struct rules_rest *ret_rest);

#endif
