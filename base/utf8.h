/* SPDX-License-Identifier: Apache-2.0 */
/* UTF-8 as text from strangers needs it: validity, repair, escaping for people. */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

/*
 * Length (1..4) of the valid sequence at s, or 0 when it is not valid; then *ret_bad is
 * the length of the maximal invalid subpart (1..3, Unicode 15, section 3.9), which is
 * replaced by one U+FFFD.
 */
size_t utf8_step(const char *s, size_t n, size_t *ret_bad);
bool utf8_valid(const char *s, size_t n);
/* Appends s with every maximal invalid subpart replaced by U+FFFD. */
void utf8_repair(struct buf *out, const char *s, size_t n);
/*
 * Appends s fit for a log line or a terminal: C0, DEL, C1, bidirectional controls,
 * line and paragraph separators and invalid bytes as \xHH or \uHHHH, backslash doubled.
 * At most max_bytes of s are read; a cut is marked with "...".
 */
void utf8_escape(struct buf *out, const char *s, size_t n, size_t max_bytes);
/* As above, all of it, but the ASCII characters in keep stay as they are: "\\\n" for
 * texts of several lines. */
void utf8_escape_except(struct buf *out, const char *s, size_t n, const char *keep);

#endif
