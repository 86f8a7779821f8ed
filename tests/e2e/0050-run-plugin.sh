#!/usr/bin/env bash
# mews run PLUGIN.so: no configuration at all, confined.
. "$(dirname "$0")/lib.sh"

# Each line of $out, read as JSON by jq with the given filter.
jsons() {
	grep '^{' <<<"$out" | jq -c "$1" 2>&1
}

run_mews run "$plugins/plain.so" --open-params n=3
is "ends with the source" "$rc" 0
is "an event is a line of JSON" "$(jsons type | sort | uniq -c | tr -s ' ')" ' 3 "object"'
[ "$(jsons "[.. | .\"kit.num\"? // empty] | first" | paste -sd,)" = 0,1,2 ] || [ "$(grep -c kit.num <<<"$out")" = 3 ]
holds "that has the event's fields"
check "nothing left" nothing_left

run_mews run "$plugins/plain.so" --open-params n=1000 -n 7
is "-n ends after that many events" "$rc $(jsons . | wc -l)" "0 7"

run_mews run "$plugins/golden.so" --open-params n=2 --fields 'g.str,g.key[abc],g.idx[3],g.strs'
is "--fields are extracted" "$rc $(jsons . | wc -l)" "0 2"
check "with arguments" out_has 'abc-1'
! out_has g.word
holds "and nothing else is"

run_mews run "$plugins/golden.so" --fields g.nope
check "an unknown field is an error" test "$rc" -ne 0
check "that names it" err_says g.nope

run_mews run "$plugins/recorder.so" -o log_stderr=true -o log_level=info --init-config '{"a":1}' --open-params there
check "--init-config" err_says "call init '{\"a\":1}'"
check "--open-params" err_says "call open 'there'"

rules rules.yaml <<'Y'
- rule: Two
  desc: d
  condition: kit.num = 2
  output: two as %kit.text
  priority: ERROR
  source: kit
Y
run_mews run "$plugins/plain.so" --open-params n=5 -r "$tmp/rules.yaml"
is "-r prints alerts" "$rc $(grep -c '22:13:20.002000000: Error two as 2' <<<"$out")" "0 1"

run_mews run "$plugins/cpp.so" --open-params n=4
check "a C++ plugin, with its exceptions" out_has 'caught: a multiple of three'
is "ends well" "$rc" 0

run_mews run "$plugins/threads.so" --open-params n=3
is "a plugin whose threads never end" "$rc $(jsons . | wc -l)" "0 3"
check "is gone all the same" nothing_left

run_mews run "$plugins/printer.so" --open-params n=3 -o log_stderr=true -o log_level=info
is "what a plugin prints is no output of mews" "$(grep -c 'stdout of step' <<<"$out")" 0
check "it is in the log" err_has 'stdout of step'

run_mews run /nonexistent.so
[ "$rc" -ne 0 ] && [ "$rc" -lt 124 ]
holds "a missing plugin is an error"
run_mews run "$plugins/not_a_plugin.so"
[ "$rc" -ne 0 ] && [ "$rc" -lt 124 ]
holds "what is no plugin is an error"
finish
