/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/builtin.h"

#include <string.h>

static const struct {
	const char *name, *text;
} descriptions[] = {
    {"class evt", "These fields can be used for all event types"},
    {"evt.num", "event number."},
    {"evt.time", "event timestamp as a time string that includes the nanosecond part."},
    {"evt.time.s", "event timestamp as a time string with no nanoseconds."},
    {"evt.time.iso8601", "event timestamp in ISO 8601 format, including nanoseconds and "
			 "time zone offset (in UTC)."},
    {"evt.datetime", "event timestamp as a time string that includes the date."},
    {"evt.datetime.s", "event timestamp as a datetime string with no nanoseconds."},
    {"evt.rawtime", "absolute event timestamp, i.e. nanoseconds from epoch."},
    {"evt.rawtime.s", "integer part of the event timestamp (e.g. seconds since epoch)."},
    {"evt.rawtime.ns", "fractional part of the absolute event timestamp."},
    {"evt.reltime", "number of nanoseconds from the beginning of the capture."},
    {"evt.reltime.s", "number of seconds from the beginning of the capture."},
    {"evt.reltime.ns",
	"fractional part (in ns) of the time from the beginning of the capture."},
    {"evt.pluginname",
	"if the event comes from a plugin-defined event source, the name of the plugin "
	"that generated it. The plugin must be currently loaded."},
    {"evt.plugininfo",
	"if the event comes from a plugin-defined event source, a summary of the event "
	"as formatted by the plugin. The plugin must be currently loaded."},
    {"evt.source", "the name of the source that produced the event."},
    {"evt.is_async", "'true' for asynchronous events, 'false' otherwise."},
    {"evt.asynctype",
	"If the event is asynchronous, the type of the event (e.g. 'container')."},
    {"evt.hostname",
	"The hostname of the underlying host can be customized by setting an environment "
	"variable (e.g. FALCO_HOSTNAME for the Falco agent). This is valuable in "
	"Kubernetes setups, where the hostname can match the pod name particularly in "
	"DaemonSet deployments. To achieve this, assign Kubernetes' spec.nodeName to the "
	"environment variable. Notably, spec.nodeName generally includes the cluster "
	"name."},
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
