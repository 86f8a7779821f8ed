/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a plugin says of itself, out of all measure: MONSTER is which. Each must be
 * refused when it is loaded, with a message, at bounded cost.
 */
#define KIT_NAME "monster"
#define KIT_ID   4501
#define KIT_OWN_get_fields
#define KIT_OWN_get_description
#include "tests/plugins/kit.h"

enum monster {
	HUGE,
	DEEP,
	MANY,
	NAMELESS,
	CONTROL,
	UNTERMINATED,
	NULL_FIELDS,
	WILD,
	HUGE_TEXT
};

enum {
	HUGE_BYTES = 100 << 20,
	DEPTH = 100000,
	FIELDS = 1000000
};

static char *
repeated(const char *first, const char *unit, size_t n, const char *last)
{
	size_t u = strlen(unit), f = strlen(first), l = strlen(last);
	char *text = malloc(f + u * n + l + 1), *p = text;

	if (!text)
		return NULL;
	memcpy(p, first, f);
	p += f;
	for (size_t i = 0; i < n; i++, p += u)
		memcpy(p, unit, u);
	memcpy(p, last, l + 1);
	return text;
}

const char *
plugin_get_fields(void)
{
	switch ((enum monster)MONSTER) {
	case HUGE:
		return repeated("[{\"type\":\"string\",\"name\":\"", "x", HUGE_BYTES,
		    "\",\"desc\":\"d\"}]");
	case DEEP:
		return repeated("", "[", DEPTH, "");
	case MANY:
		return repeated("[",
		    "{\"type\":\"string\",\"name\":\"a\",\"desc\":\"d\"},", FIELDS,
		    "{\"type\":\"string\",\"name\":\"b\",\"desc\":\"d\"}]");
	case NAMELESS:
		return "[{\"type\":\"string\",\"name\":\"\",\"desc\":\"d\"}]";
	case CONTROL:
		return "[{\"type\":\"string\",\"name\":\"a\\u001b[2Jb\",\"desc\":\"d\"}]";
	case UNTERMINATED:
		return "[{\"type\":\"string\",\"name\":\"a";
	case NULL_FIELDS:
		return NULL;
	case WILD:
		return (const char *)(uintptr_t)0xdeadbeef000;
	case HUGE_TEXT:
		break;
	}
	return KIT_FIELDS;
}

const char *
plugin_get_description(void)
{
	if (MONSTER == HUGE_TEXT)
		return repeated("", "x", HUGE_BYTES, "");
	return "a plugin of the tests";
}
