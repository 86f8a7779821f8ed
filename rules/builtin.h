/* SPDX-License-Identifier: Apache-2.0 */
/* The fields of class "evt" that are computed from struct event_meta: those that every
 * source has, and evt.type of the source syscall, where injected events have one. */
#ifndef RULES_BUILTIN_H
#define RULES_BUILTIN_H

/* clang-format off */
#define EVT_FIELDS(F) \
	F(NUM, "evt.num") F(TIME, "evt.time") F(TIME_S, "evt.time.s") \
	F(TIME_ISO8601, "evt.time.iso8601") F(DATETIME, "evt.datetime") \
	F(DATETIME_S, "evt.datetime.s") F(RAWTIME, "evt.rawtime") F(RAWTIME_S, "evt.rawtime.s") \
	F(RAWTIME_NS, "evt.rawtime.ns") F(RELTIME, "evt.reltime") F(RELTIME_S, "evt.reltime.s") \
	F(RELTIME_NS, "evt.reltime.ns") F(PLUGINNAME, "evt.pluginname") \
	F(PLUGININFO, "evt.plugininfo") F(SOURCE, "evt.source") F(IS_ASYNC, "evt.is_async") \
	F(ASYNCTYPE, "evt.asynctype") F(HOSTNAME, "evt.hostname") F(TYPE, "evt.type")
/* clang-format on */

enum evt_field {
	EVT_FIELD_NONE, /* a built-in field that nothing feeds */
#define EVT_ENUM(id, name) EVT_FIELD_##id,
	EVT_FIELDS(EVT_ENUM)
#undef EVT_ENUM
	EVT_FIELD_N,
};

/* One line for listings; "" when there is none. */
const char *builtin_description(const char *name);

#endif
