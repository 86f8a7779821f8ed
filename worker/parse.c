/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/parse.h"

#include <inttypes.h>

#include "worker/tables.h"

void
parser_init(struct parser *p, struct plugin *plugin, struct host *host)
{
	*p = (struct parser){
	    .plugin = plugin,
	    .host = host,
	    .input =
		{
		    .owner = host,
		    .get_owner_last_error = host_last_error,
		    .table_reader = *tables_reader(),
		    .table_writer = *tables_writer(),
		    .table_reader_ext = tables_reader_ext(),
		    .table_writer_ext = tables_writer_ext(),
		},
	};
}

void
parse_event(struct parser *p, const struct plugin_event_input *in)
{
	const struct plugin *plugin = p->plugin;

	if (!(plugin->info.capabilities & PLUGIN_PARSING) ||
	    !type_set_has(&plugin->parse_types, in->evt->type) ||
	    (plugin->parse_sources.n > 0 &&
		!name_list_has(&plugin->parse_sources, in->evtsrc)))
		return;
	if (plugin->sym.parse_event(plugin->state, in, &p->input) != PLUGIN_SUCCESS)
		host_complain(p->host, &p->failed, PLUGIN_LOG_DEBUG,
		    "parsing event %" PRIu64 " failed (%" PRIu64 " so far): %s",
		    in->evtnum, p->failed.count + 1, plugin_last_error(plugin));
	tables_call_done(p->host->tables);
}
