/* SPDX-License-Identifier: Apache-2.0 */
/* The options of "mews fuzz", once, for its help and for shell completion. */
#ifndef BROKER_FUZZ_OPTION_TABLE_H
#define BROKER_FUZZ_OPTION_TABLE_H

/* OPT(name, argument, help); what each does is in take(). */
/* clang-format off */
#define FUZZ_OPTIONS(OPT) \
	OPT("--target",      "NAME",   "what is called: see --list-targets (the first that the plugin has)") \
	OPT("--list-targets", "",      "which targets this plugin has") \
	OPT("--time",        "S",      "stop after that many seconds") \
	OPT("--runs",        "N",      "stop after that many executions") \
	OPT("--jobs",        "N",      "so many campaigns at once, in one folder (1)") \
	OPT("--stop-at-first", "",     "stop at the first finding of --fail-on") \
	OPT("--seed",        "N",      "of the random numbers (1): the same seed does the same") \
	OPT("--out",         "DIR",    "corpus and findings (fuzz-NAME); a campaign there is resumed") \
	OPT("--seeds",       "PATH",   "a payload, a .jsonl of them, a reproducer or an event set aside by a broker, or a folder of such; again for more") \
	OPT("--rules",       "FILE",   "rules for the plugin: arguments and words of theirs are tried") \
	OPT("--init-config", "TEXT",   "init configuration") \
	OPT("--open-params", "TEXT",   "open parameters; {file}, {pipe}: what --target source fuzzes") \
	OPT("--post",        "URL",    "where --target source posts its cases (open parameters that are an http:// URL)") \
	OPT("--sandbox",     "'{…}'",  "a sandbox block, as in falco.yaml") \
	OPT("--fail-on",     "KINDS",  "exit with 3 for these: crash,hang,memory,sanitizer,breach,denial (all)") \
	OPT("--hang-ms",     "MS",     "a call that takes longer hangs (1000)") \
	OPT("--memory",      "MIB",    "that one case may take (256)") \
	OPT("--max-bytes",   "N",      "a case grows no larger, unless its seed is (4096)") \
	OPT("--engine",      "NAME",   "builtin, or afl: AFL++ chooses and changes, if it is installed (builtin)") \
	OPT("--coverage",    "NAME",   "of a plugin without instrumentation: blocks, by breakpoints, or none (blocks)") \
	OPT("--replay",      "FILE",   "run a reproducer, or an event set aside, once, and tell") \
	OPT("--minimize",    "FILE",   "make a reproducer smaller, in --out")
/* clang-format on */

#endif
