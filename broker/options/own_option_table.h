/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Options of our sub-commands, once: OWN(name, arg, kind, member, commands, help).
 * Parser, man page and shell completion come from this table; the options of Falco that a
 * command takes as well are in option_table.h. Kinds: FLAG (bool), TEXT (the last one
 * wins), LIST (one value per occurrence), COUNT (a number from 1). A name with one dash
 * is one letter.
 */
/* clang-format off */
OWN("--init-config", "TEXT",   TEXT,  init_config, OWN_RUN | OWN_REPLAY | OWN_INFO | OWN_EXPLAIN, "the plugin's init_config")
OWN("--open-params", "TEXT",   TEXT,  open_params, OWN_RUN | OWN_INFO | OWN_EXPLAIN,              "the plugin's open_params")
OWN("--fields",      "a,b[c]", TEXT,  fields,      OWN_RUN | OWN_REPLAY,                          "the fields that are printed")
OWN("--sandbox",     "YAML",   TEXT,  sandbox,     OWN_RUN | OWN_REPLAY | OWN_INFO | OWN_AUTHORS, "what the plugin may do, as the sandbox: block of falco.yaml")
OWN("-n",            "EVENTS", COUNT, max_events,  OWN_RUN | OWN_REPLAY,                          "stop after so many events")
OWN("--write",       "FILE",   TEXT,  write,       OWN_RUN | OWN_REPLAY,                          "a capture file for all events")
OWN("--plugin",      "FILE",   LIST,  plugin,      OWN_AUTHORS,                                   "a plugin whose fields rules may use; may be given several times")
OWN("--json",        "",       FLAG,  json,        OWN_CHECK | OWN_TEST | OWN_EXPLAIN,            "JSON for programs")
OWN("--event",       "EVENT",  TEXT,  event,       OWN_EXPLAIN,                                   "fields as YAML or JSON, @FILE, or the number of an event of a run")
OWN("--cost",        "",       FLAG,  cost,        OWN_EXPLAIN,                                   "what the rule adds to the work per event")
OWN("--no-hints",    "",       FLAG,  no_hints,    OWN_CHECK,                                     "do not look for rules that can never fire")
OWN("--strict",      "",       FLAG,  strict,      OWN_CHECK,                                     "fail on warnings and hints, too")
/* clang-format on */
