/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From YAML to the collection: the items of a rules file (engine.md 2.1 to 2.7), with the
 * mistakes of their form. What the items mean together is for collect.h and the loader.
 */
#ifndef RULES_READ_H
#define RULES_READ_H

#include "base/yaml/yaml.h"
#include "rules/collect.h"

/*
 * Reads every item of every document into k->c. After the first mistake the rest is only
 * read for further mistakes, into a copy: k->c stays as it was then, which is where Falco
 * stops. *ret_definitions_lost: some of the mistakes were in lists or macros, so that
 * what uses them looks wrong without being so. False when anything was wrong.
 */
bool rules_read(
    struct collector *k, const struct yaml_stream *stream, bool *ret_definitions_lost);

#endif
