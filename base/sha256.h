/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-256 (FIPS 180-4), to name files by what is in them. */
#ifndef BASE_SHA256_H
#define BASE_SHA256_H

#include <stddef.h>
#include <stdint.h>

struct sha256 {
	uint32_t h[8];
	uint64_t n_bytes;
	uint8_t block[64];
};

void sha256_init(struct sha256 *s);
void sha256_add(struct sha256 *s, const void *bytes, size_t n);
/* Lower-case hex and a NUL. */
void sha256_hex(struct sha256 *s, char ret_hex[65]);

#endif
