/* SPDX-License-Identifier: Apache-2.0 */
#include <strings.h>

#include "rules/engine.h"

/* clang-format off */
static const struct {
	const char *name, *short_name;
} priorities[PRIORITY_N] = {
	[PRIORITY_EMERGENCY]     = {"Emergency",     "EMERGENCY"},
	[PRIORITY_ALERT]         = {"Alert",         "ALERT"},
	[PRIORITY_CRITICAL]      = {"Critical",      "CRITICAL"},
	[PRIORITY_ERROR]         = {"Error",         "ERROR"},
	[PRIORITY_WARNING]       = {"Warning",       "WARNING"},
	[PRIORITY_NOTICE]        = {"Notice",        "NOTICE"},
	[PRIORITY_INFORMATIONAL] = {"Informational", "INFO"},
	[PRIORITY_DEBUG]         = {"Debug",         "DEBUG"},
};
/* clang-format on */

const char *
priority_name(enum priority p)
{
	return priorities[p].name;
}

const char *
priority_short_name(enum priority p)
{
	return priorities[p].short_name;
}

bool
priority_parse(const char *text, enum priority *ret_priority)
{
	for (int i = 0; i < PRIORITY_N; i++) {
		if (strcasecmp(text, priorities[i].name) == 0 ||
		    (i == PRIORITY_INFORMATIONAL && strcasecmp(text, "info") == 0)) {
			*ret_priority = (enum priority)i;
			return true;
		}
	}
	return false;
}
