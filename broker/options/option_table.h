/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Falco's command line, once: OPT(id, letter, name, arg, kind, member, help).
 * Parser, --help and shell completion come from this table. letter 0: long only; name "":
 * short only. Kinds: FLAG (bool member), TEXT (last one wins), LIST (one value per
 * occurrence), OPTIONAL (a value only with "="), NUMBER.
 */
/* clang-format off */
OPT(HELP,           'h', "help",           "",              FLAG,     help,           "Print this help list and exit.")
OPT(CONFIG,         'c', "",               "PATH",          TEXT,     config,         "Configuration file. If not specified uses /etc/falco/falco.yaml.")
OPT(CONFIG_SCHEMA,  0,   "config-schema",  "",              FLAG,     config_schema,  "Print the config json schema and exit.")
OPT(RULE_SCHEMA,    0,   "rule-schema",    "",              FLAG,     rule_schema,    "Print the rule json schema and exit.")
OPT(DISABLE_SOURCE, 0,   "disable-source", "EVENT_SOURCE",  LIST,     disable_source, "Turn off a specific event source. By default, all loaded sources get enabled. Can be passed multiple times, but turning off all event sources simultaneously is not permitted. This option can not be mixed with --enable-source.")
OPT(DRY_RUN,        0,   "dry-run",        "",              FLAG,     dry_run,        "Run without processing events. It can help check that the configuration and rules do not have any errors.")
OPT(ENABLE_SOURCE,  0,   "enable-source",  "EVENT_SOURCE",  LIST,     enable_source,  "Enable a specific event source. By default, all loaded sources get enabled. Can be passed multiple times. When using this option, only the event sources specified by it will be enabled. This option can not be mixed with --disable-source.")
OPT(IGNORED_EVENTS, 'i', "",               "",              FLAG,     ignored_events, "Print those events that are ignored by default for performance reasons and exit.")
OPT(DESCRIBE_ALL,   'L', "",               "",              FLAG,     describe_all,   "Show the name and description of all rules and exit. If json_output is set to true, it prints details about all rules, macros, and lists in JSON format.")
OPT(DESCRIBE_RULE,  'l', "",               "RULE",          TEXT,     describe_rule,  "Show the name and description of the rule specified <RULE> and exit. If json_output is set to true, it prints details about the rule in JSON format.")
OPT(LIST,           0,   "list",           "SOURCE",        OPTIONAL, list,           "List all defined fields and exit. If a value is provided, only list fields for the given source. Current values include: \"syscall\", and the sources of configured plugins.")
OPT(LIST_EVENTS,    0,   "list-events",    "",              FLAG,     list_events,    "List all defined syscall events, metaevents, tracepoint events and exit.")
OPT(LIST_PLUGINS,   0,   "list-plugins",   "",              FLAG,     list_plugins,   "Print info on all loaded plugins and exit.")
OPT(MAX_TIME,       'M', "",               "NUM_SECONDS",   NUMBER,   max_time_s,     "Stop once <NUM_SECONDS> of event time have passed.")
OPT(MARKDOWN,       0,   "markdown",       "",              FLAG,     markdown,       "DEPRECATED: use --format markdown instead. Print output in Markdown format when used with --list or --list-events options.")
OPT(FORMAT,         0,   "format",         "FORMAT",        TEXT,     format,         "Print output in the given FORMAT when used with --list or --list-events: text, markdown or json.")
OPT(NAMES,          'N', "",               "",              FLAG,     names_only,     "Only print field names when used in conjunction with the --list option. It has no effect when used with other options.")
OPT(OPTION,         'o', "option",         "OPT=VAL",       LIST,     option,         "Set the value of option <opt> to <val>. Overrides values in the configuration file. <opt> can be identified using its location in the configuration file using dot notation. Elements of lists can be accessed via square brackets [].")
OPT(PLUGIN_INFO,    0,   "plugin-info",    "PLUGIN",        TEXT,     plugin_info,    "Print info for a single plugin and exit. This includes all descriptive information like name and author, along with the schema format for the init configuration and a list of suggested open parameters. <PLUGIN> can be the name of the plugin or its configured 'library_path'.")
OPT(PRINT,          'p', "print",          "OUTPUT_FORMAT", TEXT,     print,          "DEPRECATED: use -o append_output... instead. Print additional information in the rule's output.")
OPT(PIDFILE,        'P', "pidfile",        "PATH",          TEXT,     pidfile,        "Write PID to specified <PATH> path. By default, no PID file is created.")
OPT(RULES,          'r', "",               "RULES_FILE",    LIST,     rules,          "Rules file or directory to be loaded. This option can be passed multiple times. Falco defaults to the values in the configuration file when this option is not specified. Only files with .yml or .yaml extension are considered.")
OPT(SUPPORT,        0,   "support",        "",              FLAG,     support,        "Print support information, including version, rules files used, loaded configuration, etc., and exit. The output is in JSON format.")
OPT(UNBUFFERED,     'U', "unbuffered",     "",              FLAG,     unbuffered,     "Turn off output buffering for configured outputs.")
OPT(VALIDATE,       'V', "validate",       "RULES_FILE",    LIST,     validate,       "Read the contents of the specified <RULES_FILE> file(s), validate the loaded rules, and exit. This option can be passed multiple times to validate multiple files.")
OPT(VERBOSE,        'v', "",               "",              FLAG,     verbose,        "Enable verbose output.")
OPT(VERSION,        0,   "version",        "",              FLAG,     version,        "Print version information and exit.")
OPT(PAGE_SIZE,      0,   "page-size",      "",              FLAG,     page_size,      "Print the system page size and exit.")
/* clang-format on */
