/* SPDX-License-Identifier: Apache-2.0 */
/* A ruleset and columns out of the input: both evaluators must match the same. */
#include <stdio.h>
#include <stdlib.h>

#include "rules/property_gen.h"
#include "tests/fuzz/fuzz.h"

enum {
	RULES_MAX = 12,
};

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct property_source s = {.bytes = data, .n = size, .seed = size + 1};
	uint32_t rules = 1 + property_choice(&s, RULES_MAX);
	struct buf why;

	buf_init(&why, 1 << 20);
	if (!property_compare(&s, rules, 2, &why)) {
		fputs(buf_str(&why), stderr);
		abort();
	}
	buf_release(&why);
	return 0;
}
