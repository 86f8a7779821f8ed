/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The front door: sub-commands of mews, in the order in which somebody needs them. A
 * command gets argv from its own name on and returns the exit status.
 * COMMAND(function, name, arguments, what it does)
 */
#ifndef BROKER_CMD_COMMANDS_H
#define BROKER_CMD_COMMANDS_H

/* clang-format off */
#define COMMANDS(C) \
	C(cmd_run, "run", "PLUGIN.so | -c falco.yaml", \
	    "run a plugin confined and print its events, or run a whole configuration") \
	C(cmd_replay, "replay", "FILE [PLUGIN.so... | -c falco.yaml]", \
	    "the same with the events of a capture file") \
	C(cmd_plugin_info, "plugin-info", "PLUGIN.so", \
	    "what a plugin says of itself, its fields and its open parameters") \
	C(cmd_list, "list", "[SOURCE]", \
	    "the fields that rules may use") \
	C(cmd_sandbox, "sandbox", "[PLUGIN.so]", \
	    "what this host offers for confinement, and what a plugin gets of it") \
	C(cmd_policy, "policy", "check FILE... | explain PLUGIN", \
	    "mistakes of policy files; what a plugin may do, in words") \
	C(cmd_learn, "learn", "PLUGIN.so | NAME -c falco.yaml", \
	    "run a plugin under observation and write the profile that it needs") \
	C(cmd_check, "check", "[RULES...]", \
	    "all mistakes of rules files at once, and rules that can never fire") \
	C(cmd_test, "test", "CASES...", \
	    "run rule cases: rules, events and what should match") \
	C(cmd_explain, "explain", "RULE --event EVENT | --cost", \
	    "why a rule matches an event or not; what rules cost") \
	C(cmd_fuzz, "fuzz", "PLUGIN.so | --replay FILE", \
	    "look for input that a plugin does not survive, confined") \
	C(cmd_top, "top", "", \
	    "pipelines and workers of a running broker, live") \
	C(cmd_tap, "tap", "PLUGIN", \
	    "events of a running broker with their fields, as they pass") \
	C(cmd_ctl, "ctl", "COMMAND", \
	    "ask a running broker, or make it reload or restart a plugin") \
	C(cmd_help, "help", "[COMMAND]", "this list, or how to use one command")
/* clang-format on */

typedef int command_fn(int argc, char **argv);

#define COMMAND_DECLARE(function, name, args, text) command_fn function;
COMMANDS(COMMAND_DECLARE)
#undef COMMAND_DECLARE

/* The command of that name; NULL when there is none. */
command_fn *command_find(const char *name);

#endif
