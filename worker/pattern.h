/* SPDX-License-Identifier: Apache-2.0 */
/* Regular expressions of JSON schemas, which are ECMA's, by means of libc's, which are
 * POSIX. */
#ifndef WORKER_PATTERN_H
#define WORKER_PATTERN_H

#include <stdbool.h>

/*
 * Does s hold a match? \d \w \s, their opposites and (?: are translated. A pattern that
 * cannot be compiled matches everything: refusing a configuration that Falco takes would
 * be worse, and the plugin looks at it again.
 */
bool pattern_matches(const char *pattern, const char *s);

#endif
