/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/builtin.h"

#include <string.h>

static const struct {
	const char *name, *text;
} descriptions[] = {
    {"class evt", "These fields can be used for all event types"},
    {"evt.num", "number of the event, counted from 1 for each source"},
    {"evt.time", "time of the event as local time of day, with nanoseconds"},
    {"evt.time.s", "time of the event as local time of day, without fraction"},
    {"evt.time.iso8601", "time of the event in ISO 8601 format, UTC, with nanoseconds"},
    {"evt.datetime", "date and time of the event, local, with nanoseconds"},
    {"evt.datetime.s", "date and time of the event, local, without fraction"},
    {"evt.rawtime", "time of the event in nanoseconds since the epoch"},
    {"evt.rawtime.s", "whole seconds of the event's time since the epoch"},
    {"evt.rawtime.ns", "nanoseconds within the second of the event's time"},
    {"evt.reltime", "nanoseconds since the first event"},
    {"evt.reltime.s", "whole seconds since the first event"},
    {"evt.reltime.ns", "nanoseconds within the second since the first event"},
    {"evt.pluginname", "name of the plugin that made the event, if any"},
    {"evt.plugininfo", "the event in the words of the plugin that made it"},
    {"evt.source", "name of the event source"},
    {"evt.is_async", "true for asynchronous events, which come beside the source's own"},
    {"evt.asynctype", "name of an asynchronous event, as its plugin declares it"},
    {"evt.hostname", "name of the machine that the event was seen on"},
};

const char *
builtin_description(const char *name)
{
	for (size_t i = 0; i < sizeof(descriptions) / sizeof(*descriptions); i++) {
		if (strcmp(descriptions[i].name, name) == 0)
			return descriptions[i].text;
	}
	return "";
}
