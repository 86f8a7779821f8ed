/* SPDX-License-Identifier: Apache-2.0 */
/* Words in lines, as Falco's listings have them. */
#ifndef RULES_WRAP_H
#define RULES_WRAP_H

#include "base/buf.h"

/* Appends the words of text, a blank after each; a line takes width bytes, the next
 * begins with indent blanks more. */
void wrap_text(struct buf *out, const char *text, size_t indent, size_t width);

#endif
