/* SPDX-License-Identifier: Apache-2.0 */
/* Whatever a plugin returns as JSON: read, or refused with a message. */
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "tests/fuzz/fuzz.h"
#include "worker/fields_json.h"

const char *const fuzz_seeds[] = {
    "[{\"type\":\"string\",\"name\":\"f\",\"desc\":\"d\",\"isList\":true,\"arg\":{"
    "\"isKey\":"
    "true,\"isRequired\":true},\"properties\":[\"hidden\"],\"display\":\"F\"}]",
    "[\"a\", \"b\" /* c */, \"\"] // d",
    "[{\"value\":\"v\",\"desc\":\"d\",\"separator\":\",\"}]",
    NULL,
};

const char *const fuzz_words[] = {"uint64", "ipaddr", "isIndex", "addOutput", "null",
    "/*", "*/", "//", "[[", "\\u0000", NULL};

static void
must(bool holds)
{
	if (!holds)
		abort();
}

static void
fuzz_fields(const char *text, struct arena *arena)
{
	Control__Field **field;
	struct err err = {0};
	size_t n;

	if (!fields_json_parse(text, "pl", arena, &field, &n, &err)) {
		must(err.code != ERR_NONE && *err.msg);
		return;
	}
	must(n > 0 && n <= LIMIT_PLUGIN_FIELDS);
	for (size_t i = 0; i < n; i++) {
		must(*field[i]->name && *field[i]->desc);
		must(strlen(field[i]->name) <= LIMIT_NAME_BYTES);
		must(!field[i]->arg_required || field[i]->arg_index || field[i]->arg_key);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = strndup((const char *)data, size);
	Control__OpenParam **param;
	struct name_list list;
	struct arena arena;
	struct err err;
	size_t n;

	arena_init(&arena, 64 << 20);
	if (text) {
		fuzz_fields(text, &arena);
		if (name_list_parse(text, "pl", "get_x", true, &arena, &list, &err))
			must(list.n <= LIMIT_PLUGIN_NAMES);
		if (open_params_parse(text, "pl", &arena, &param, &n, &err) && n > 0)
			must(*param[n - 1]->value);
	}
	arena_release(&arena);
	free(text);
	return 0;
}
