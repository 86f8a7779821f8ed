#!/usr/bin/env bash
# mews check: all mistakes of rules files at once, and rules that can never fire.
. "$(dirname "$0")/lib.sh"

rule() { # rule NAME CONDITION [SOURCE]
	printf -- '- rule: %s\n  desc: d\n  condition: %s\n  output: o\n' "$1" "$2"
	printf '  priority: INFO\n  source: %s\n' "${3:-kit}"
}

{
	rule Good 'kit.num > 3'
	rule Field 'kit.nope = 1'
	rule Text 'kit.num >'
	rule Priority 'kit.num = 1' | sed s/INFO/LOUD/
	rule Last 'kit.text = val(kit.num)'
} | rules bad.yaml
run_mews check "$tmp/bad.yaml" --plugin "$plugins/plain.so"
is "a file with mistakes" "$rc" 1
check "a condition, where it stands" out_has 'bad.yaml:9:14: error: .*nonexistent field kit.nope'
check "with the rule's name" out_has "in rule 'Field', rule condition"
check "an unfinished condition behind another mistake" out_has 'bad.yaml:15:14: error: expected a number'
check "a priority" out_has 'bad.yaml:23:13: error: Invalid priority'
check "and how many" out_has '^1 file, 4 errors, 0 warnings, 0 hints$'

run_mews check "$tmp/bad.yaml" --plugin "$plugins/plain.so" --json
is "as JSON" "$rc $(jq -r '.ok, (.files[0] | (.errors + .more_errors | length))' <<<"$out" | paste -sd' ')" "1 false 4"

{
	rule First 'kit.num > 3'
	rule Second 'kit.num = 7 and kit.text = a'
	rule Never 'kit.num = 4 and kit.num in (5, 6)'
	rule Elsewhere 'kit.num = 1' another
} | rules good.yaml
run_mews check "$tmp/good.yaml" --plugin "$plugins/plain.so"
is "hints and warnings are no errors" "$rc" 0
check "a rule behind another" out_has "good.yaml:7:3: hint: rule 'Second' never fires: rule 'First' comes first"
check "where the other is" out_has 'the other is at .*good.yaml:1:3'
check "a contradiction" out_has "hint: rule 'Never' never matches: 'kit.num in \\(5, 6\\)' and 'kit.num = 4' exclude"
check "a source that nobody has" out_has 'warning: .*another.*LOAD_UNKNOWN_SOURCE'
run_mews check "$tmp/good.yaml" --plugin "$plugins/plain.so" --no-hints
check "hints can be turned off" test -z "$(grep hint: <<<"$out")"
run_mews check "$tmp/good.yaml" --plugin "$plugins/plain.so" --strict
is "--strict" "$rc" 1
run_mews check "$tmp/good.yaml" --plugin "$plugins/plain.so" -o rule_matching=all --json
is "with all rules matching nothing is behind another" "$(jq -c '[.hints[].rule]' <<<"$out")" '["Never"]'

config falco.yaml <<Y
rules_files: [$tmp/good.yaml]
plugins: [{name: kit, library_path: $plugins/plain.so}]
Y
run_mews check -c "$tmp/falco.yaml"
is "the rules of a configuration" "$rc $(tail -1 <<<"$out")" "0 1 file, 3 rules, 0 errors, 1 warning, 2 hints"
printf -- '- required_plugin_versions:\n  - {name: kit, version: 9.0.0}\n' | rules needs.yaml
run_mews check "$tmp/needs.yaml" -c "$tmp/falco.yaml"
is "a plugin that is too old" "$rc" 1
check "is told" err_says "version '0.1.0' is not compatible with required plugin version '9.0.0'"
run_mews check "$tmp/needs.yaml"
is "nothing is asked of plugins that nobody gave" "$rc" 0

mkdir "$tmp/dir"
cp "$tmp/good.yaml" "$tmp/dir/a.yaml"
rule Third 'First' | rules dir/b.yml
echo 'not rules: [' >"$tmp/dir/note.txt"
run_mews check "$tmp/dir" --plugin "$plugins/plain.so"
is "a folder" "$rc $(tail -1 <<<"$out")" "1 2 files, 1 error, 1 warning, 0 hints"
rule $'Esc\e[2J' 'kit.num =' | rules escape.yaml
run_mews check "$tmp/escape.yaml" --plugin "$plugins/plain.so"
check "nothing reaches the terminal that moves its cursor" \
	bash -c '! grep -q $'"'"'\e'"'"' "$1"' - "$tmp/out"
run_mews check
is "without anything" "$rc" 1
check "the way to help" err_says "See: mews check --help"
run_mews check "$tmp/none.yaml"
is "no such file" "$rc" 1
check "is told" err_has '^Error: .*none.yaml'
run_mews check --help
is "--help" "$rc" 0
check "has examples" out_has '^  mews check '
check "nothing left" nothing_left
finish
