/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/value.h"

#include <string.h>

static const struct {
	enum value_type type;
	const char *name;
	bool number;
} types[] = {
    {VALUE_NONE, "NONE", false},
    {VALUE_INT8, "INT8", true},
    {VALUE_INT16, "INT16", true},
    {VALUE_INT32, "INT32", true},
    {VALUE_INT64, "INT64", true},
    {VALUE_UINT8, "UINT8", true},
    {VALUE_UINT16, "UINT16", true},
    {VALUE_UINT32, "UINT32", true},
    {VALUE_UINT64, "UINT64", true},
    {VALUE_CHARBUF, "CHARBUF", false},
    {VALUE_BYTEBUF, "BYTEBUF", false},
    {VALUE_RELTIME, "RELTIME", true},
    {VALUE_ABSTIME, "ABSTIME", true},
    {VALUE_BOOL, "BOOL", true},
    {VALUE_IPADDR, "IPADDR", false},
    {VALUE_IPNET, "IPNET", false},
    {VALUE_DOUBLE, "DOUBLE", true},
    {VALUE_PORT, "PORT", true},
    {VALUE_PID, "PID", true},
    {VALUE_FD, "FD", true},
    {VALUE_UID, "UID", true},
    {VALUE_GID, "GID", true},
    {VALUE_FLAGS8, "FLAGS8", true},
    {VALUE_FLAGS16, "FLAGS16", true},
    {VALUE_FLAGS32, "FLAGS32", true},
    {VALUE_FSPATH, "FSPATH", false},
    {VALUE_FSRELPATH, "FSRELPATH", false},
    {VALUE_SOCKADDR, "SOCKADDR", false},
    {VALUE_SOCKTUPLE, "SOCKTUPLE", false},
    {VALUE_OTHER, "DYNAMIC", false},
};

enum {
	N_TYPES = sizeof(types) / sizeof(*types)
};

const char *
value_type_name(enum value_type type)
{
	for (size_t i = 0; i < N_TYPES; i++) {
		if (types[i].type == type)
			return types[i].name;
	}
	return "NONE";
}

bool
value_type_parse(const char *name, enum value_type *ret_type)
{
	for (size_t i = 0; i < N_TYPES; i++) {
		if (strcmp(types[i].name, name) == 0) {
			*ret_type = types[i].type;
			return true;
		}
	}
	return false;
}

bool
value_type_is_number(enum value_type type)
{
	for (size_t i = 0; i < N_TYPES; i++) {
		if (types[i].type == type)
			return types[i].number;
	}
	return false;
}
