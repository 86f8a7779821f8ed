#!/usr/bin/env bash
# mews test: rule cases without and with plugins.
. "$(dirname "$0")/lib.sh"

mkdir "$tmp/cases"
cat >"$tmp/cases/own.case" <<'Y'
- rule: Many
  desc: d
  condition: app.n > 3 and app.who in (eve, mallory)
  output: "%app.who has %app.n"
  priority: INFO
  source: app
---
source: app
fields: {app.n: uint64, app.who: string}
events:
- {app.n: 4, app.who: eve}
- {app.n: 4, app.who: alice}
---
- {Many: eve has 4}
- []
Y
cat >"$tmp/plugin.case" <<'Y'
- rule: Big
  desc: d
  condition: kit.num >= 5
  output: "%kit.text"
  priority: INFO
  source: kit
---
source: kit
events:
- {kit.num: 5, kit.text: a}
- {"num":3,"time":"t","source":"kit","fields":{"kit.num":4,"kit.text":"b"}}
---
- [Big]
- [Big]
Y
run_mews test "$tmp/cases"
is "a folder of cases" "$rc" 0
is "as TAP" "$out" "ok 1 - $tmp/cases/own.case
1..1"
run_mews test "$tmp/plugin.case"
is "a case without fields needs a plugin" "$rc" 1
check "and says so" out_has '^# .*fields: not a map'
run_mews test "$tmp/cases" "$tmp/plugin.case" --plugin "$plugins/plain.so"
is "a case that comes out differently" "$rc" 1
check "is not ok" out_has '^not ok 2 - .*plugin.case$'
check "and why" out_has '^# plugin.case: event 2: 0 rules match, 1 are expected$'
run_mews test "$tmp/cases/own.case" "$tmp/plugin.case" --plugin "$plugins/plain.so" --json
is "as JSON" "$rc $(jq -c '[.[].ok]' <<<"$out")" "1 [true,false]"
is "with differences" "$(jq -r '.[1].differences[0]' <<<"$out")" "plugin.case: event 2: 0 rules match, 1 are expected"
sed -i 's/kit.num: 5/kit.nm: 5/' "$tmp/plugin.case"
run_mews test "$tmp/plugin.case" --plugin "$plugins/plain.so"
check "a misspelt field of an event is a mistake" out_has "'kit.nm': .*nonexistent field"
run_mews test "$tmp/none.case"
is "no such case" "$rc" 1
mkdir "$tmp/empty"
run_mews test "$tmp/empty"
is "a folder without cases is no success" "$rc" 1
run_mews test "$root/tests/cases"
is "the cases of this project" "$rc" 0
run_mews test --help
is "--help" "$rc" 0
check "shows a case" out_has '^  - rule: '
check "nothing left" nothing_left
finish
