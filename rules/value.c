/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/value.h"

#include <string.h>

static const struct {
	enum value_type type;
	const char *name;
} types[] = {
    {VALUE_NONE, "NONE"},
    {VALUE_INT8, "INT8"},
    {VALUE_INT16, "INT16"},
    {VALUE_INT32, "INT32"},
    {VALUE_INT64, "INT64"},
    {VALUE_UINT8, "UINT8"},
    {VALUE_UINT16, "UINT16"},
    {VALUE_UINT32, "UINT32"},
    {VALUE_UINT64, "UINT64"},
    {VALUE_CHARBUF, "CHARBUF"},
    {VALUE_BYTEBUF, "BYTEBUF"},
    {VALUE_RELTIME, "RELTIME"},
    {VALUE_ABSTIME, "ABSTIME"},
    {VALUE_BOOL, "BOOL"},
    {VALUE_IPADDR, "IPADDR"},
    {VALUE_IPNET, "IPNET"},
    {VALUE_DOUBLE, "DOUBLE"},
    {VALUE_PORT, "PORT"},
    {VALUE_PID, "PID"},
    {VALUE_FD, "FD"},
    {VALUE_UID, "UID"},
    {VALUE_GID, "GID"},
    {VALUE_FLAGS8, "FLAGS8"},
    {VALUE_FLAGS16, "FLAGS16"},
    {VALUE_FLAGS32, "FLAGS32"},
    {VALUE_FSPATH, "FSPATH"},
    {VALUE_FSRELPATH, "FSRELPATH"},
    {VALUE_SOCKADDR, "SOCKADDR"},
    {VALUE_SOCKTUPLE, "SOCKTUPLE"},
    {VALUE_OTHER, "DYNAMIC"},
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
