/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rule cases: rules, events and what should match, in one file that authors of rules
 * write.
 *
 * A case is three YAML documents, parted by lines "---":
 *
 *   - rule: Shell                      1. the rules, as in a rules file
 *     ...
 *   ---
 *   source: app                        2. what happens: the event source, its fields with
 *   fields:                               their types, and events with the fields that
 * have app.name: string                    a value there app.ports: uint64 list
 *     app.label: string key required
 *   events:
 *   - {app.name: sh, app.ports: [80, 443], "app.label[team]": core}
 *   - {app.name: ls}
 *   ---
 *   - [Shell]                          3. what is expected: for each event the rules that
 *   - []                                  match, in order
 *
 * Types: string uint64 bool ipaddr ipnet reltime abstime; behind them: list, key, index,
 * required. "fields" may be left out where a catalog is given. Events are those of
 * sample.h. "rule_matching: first" beside "events" is Falco's default; cases have "all".
 * An expected rule may be a pair {Rule: "its message"}. When the third document is a map,
 * "events" is the above, "errors" and "warnings" are lists of "CODE" or "CODE: beginning
 * of the message" that loading the rules must give, no more and no less.
 */
#ifndef RULES_CASE_H
#define RULES_CASE_H

#include "base/buf.h"
#include "base/err.h"
#include "rules/field.h"

/*
 * Runs one case. catalog: of cases that do not name their fields; NULL: they must.
 * *ret_as_expected is false when something came out differently: report then says what, a
 * line each, "name: …". False when the case itself has a mistake.
 */
bool case_run(const char *name, const char *text, size_t len,
    const struct field_catalog *catalog, bool *ret_as_expected, struct buf *report,
    struct err *err);

#endif
