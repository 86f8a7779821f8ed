/* SPDX-License-Identifier: Apache-2.0 */
/* A schema and a configuration, with a NUL or a newline between them. */
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"
#include "worker/schema.h"

const char *const fuzz_seeds[] = {
    "{\"type\":\"object\",\"properties\":{\"a\":{\"$ref\":\"#/$defs/"
    "x\"}},\"$defs\":{\"x\":"
    "{\"anyOf\":[{\"minimum\":1},{\"pattern\":\"^[a-z]+$\"}]}},\"required\":[\"a\"]}\n"
    "{\"a\":\"b\"}",
    "{\"items\":{\"enum\":[1,2]},\"uniqueItems\":true,\"maxItems\":3}\n[1,2]",
    NULL,
};

const char *const fuzz_words[] = {"oneOf", "allOf", "not", "const",
    "additionalProperties", "patternProperties", "minLength", "\"#\"", "false", NULL};

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = strndup((const char *)data, size);
	struct err err = {0};

	if (!text)
		return 0;
	char *config = strchr(text, '\n');
	if (config)
		*config++ = '\0';
	if (!schema_check(text, config ? config : "{}", "pl", &err) &&
	    (err.code != ERR_PLUGIN || strncmp(err.msg, "error in plugin pl", 18) != 0))
		abort();
	free(text);
	return 0;
}
