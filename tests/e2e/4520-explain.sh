#!/usr/bin/env bash
# mews explain: why a rule matches an event or not, and what rules cost.
. "$(dirname "$0")/lib.sh"

rules rules.yaml <<'Y'
- macro: late
  condition: kit.num > 3
- rule: First
  desc: d
  condition: late
  output: o
  priority: INFO
  source: kit
- rule: Second
  desc: d
  condition: late and not kit.text startswith 1 and toupper(kit.text) != ABC
  output: o
  priority: INFO
  source: kit
- rule: Off
  desc: d
  condition: kit.num = 1
  output: o
  priority: INFO
  source: kit
  enabled: false
Y
explain=(explain -r "$tmp/rules.yaml" --plugin "$plugins/plain.so")

run_mews "${explain[@]}" Second --event '{kit.num: 2, kit.text: abc}'
is "an event that does not match" "$rc $(head -1 <<<"$out")" "0 rule 'Second' does not match"
check "its terms with verdicts and values" out_has '^  false   kit.num > 3   kit.num: 2$'
check "what transformers made" out_has 'kit.text: "abc"   transformed: "ABC"$'
check "what decided, all of it" test "$(sed '1,/^because/d' <<<"$out" | wc -l)" = 2
run_mews "${explain[@]}" Second --event '{kit.num: 5, kit.text: x}'
check "a rule behind another" out_has "^but it does not fire: rule 'First' comes first"
run_mews "${explain[@]}" Second --event '{kit.num: 5, kit.text: x}' -o rule_matching=all
check "unless all match" test -z "$(grep 'does not fire' <<<"$out")"
run_mews "${explain[@]}" Off --event '{kit.num: 1}'
check "a rule that is disabled" out_has '^but it does not fire: it is disabled'
run_mews "${explain[@]}" Second --event '{}'
check "no values" out_has 'kit.num has no value'

run_mews run "$plugins/plain.so" -n 6
tail -1 <<<"$out" >"$tmp/event.json"
run_mews "${explain[@]}" Second --event "@$tmp/event.json" --json
is "an event that was printed, as JSON" \
	"$(jq -c '[.matches, .why[0].check, .why[0].values[0].value]' <<<"$out")" \
	'[true,"kit.num > 3",5]'
by_file=$out
run_mews "${explain[@]}" Second --event 6 --json
is "the same by its number in a run" "$out" "$by_file"
run_mews "${explain[@]}" Second --event 1000000
is "a run that has no such event" "$rc" 1
check "is told" err_says "the run has no event 1000000"
config falco.yaml <<Y
rules_files: [$tmp/rules.yaml]
plugins: [{name: kit, library_path: $plugins/plain.so}]
webserver: {enabled: true, listen_port: 1}
Y
run_mews explain Second -c "$tmp/falco.yaml" --event 6 --json
is "by a configuration; nothing of it is served" "$out" "$by_file"

run_mews "${explain[@]}" --cost
is "what rules cost" "$(grep -c "^rule '" <<<"$out")" 2
check "shared predicates" out_has 'predicate  kit.num > 3  \(.*shared with 1 other rule\)'
run_mews "${explain[@]}" --cost Second --json
is "of one rule, as JSON" "$(jq -c '[.[0].rule, .[0].cost.own_predicates]' <<<"$out")" '["Second",3]'

run_mews "${explain[@]}" Nobody --event '{}'
is "a rule that is not there" "$rc" 1
check "is told" err_says "there is no rule 'Nobody' among the 3"
run_mews "${explain[@]}" Second --event '{kit.nope: 1}'
check "a misspelt field" err_has 'kit.nope.: .*nonexistent field'
run_mews "${explain[@]}" Second --event '{kit.num: [}'
is "no YAML" "$rc" 1
run_mews "${explain[@]}" Second
check "nothing is asked" err_says "either --event or --cost is needed"
rules bad.yaml <<<'- rule: x'
run_mews explain x -r "$tmp/bad.yaml" --plugin "$plugins/plain.so" --cost
is "rules with mistakes" "$rc" 1
check "say them" err_has 'bad.yaml:1:3: error:'
run_mews explain --help
check "--help has examples" out_has '^  mews explain '
check "nothing left" nothing_left
finish
