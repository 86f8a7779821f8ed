/* SPDX-License-Identifier: Apache-2.0 */
/* The commands of the control socket, once, for the broker, "mews ctl" and completion. */
#ifndef BROKER_OPERATORS_CTL_COMMAND_TABLE_H
#define BROKER_OPERATORS_CTL_COMMAND_TABLE_H

/* COMMAND(function, name, argument, what it does) */
/* clang-format off */
#define CTL_COMMANDS(C) \
	C(ctl_help,        "help",        "",       "this list") \
	C(ctl_status,      "status",      "",       "sources, whether events can flow, alerts, the last reload") \
	C(ctl_plugins,     "plugins",     "",       "a row for each worker: state, pid, restarts, cpu, memory, latency") \
	C(ctl_restart,     "restart",     "PLUGIN", "end the plugin's workers in good order and start them again; failed ones, too") \
	C(ctl_reload,      "reload",      "",       "read configuration and rules again, as SIGHUP; answers when it is done") \
	C(ctl_drops,       "drops",       "",       "everything that was dropped: what, where, why, how often") \
	C(ctl_denials,     "denials",     "",       "what plugins tried and were refused, and what would allow it") \
	C(ctl_dump_config, "dump-config", "",       "the configuration that holds, merged; it may name secrets") \
	C(ctl_tap,         "tap",         "PLUGIN", "the events of a plugin's source with the fields that rules ask for, as they pass")
/* clang-format on */

#endif
