/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The shape of rules files as a JSON schema. One table is both what --rule-schema prints
 * and what files are checked against; the check only informs, reading decides.
 */
#ifndef RULES_SCHEMA_H
#define RULES_SCHEMA_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/yaml/yaml.h"

/* The schema as JSON, indented by two, without a newline at the end. */
void schema_print(struct buf *out);

/*
 * *ret_failure: one text per failure ("failed for <root>[0]: …"), or the one text "ok";
 * *ret_n is 0 when no document is there. Everything is the arena's. False when it is
 * full.
 */
bool schema_check(struct arena *arena, const struct yaml_stream *stream,
    const char ***ret_failure, uint32_t *ret_n);

#endif
