/* SPDX-License-Identifier: Apache-2.0 */
/* Base64 (RFC 4648, with padding), for bytes that have to go through text. */
#ifndef BASE_BASE64_H
#define BASE_BASE64_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

void base64_encode(struct buf *out, const void *bytes, size_t n);
/* Appends the bytes of text; false when it is not base64 (padding is required). */
bool base64_decode(struct buf *out, const char *text, size_t n);

#endif
