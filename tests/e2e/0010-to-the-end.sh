#!/usr/bin/env bash
# From start to the end of a source: alerts, statistics, exit status, nothing left.
. "$(dirname "$0")/lib.sh"

rules rules.yaml <<'Y'
- rule: Even
  desc: an even number
  condition: kit.num in (0, 2, 4, 6, 8)
  output: even %kit.num (%kit.text at %evt.num)
  priority: WARNING
  source: kit
- rule: Seven
  desc: seven
  condition: kit.text = "7"
  output: seven
  priority: ERROR
  source: kit
- rule: Never
  desc: no event has it
  condition: kit.num > 100
  output: never
  priority: ERROR
  source: kit
Y
config falco.yaml <<Y
rules_files: [$tmp/rules.yaml]
plugins:
  - {name: kit, library_path: $plugins/plain.so, open_params: "n=10"}
Y

run_mews run -c "$tmp/falco.yaml" --enable-source kit
is "a source that ends is a success" "$rc" 0
is "alerts and statistics, in Falco's words" "$out" "22:13:20.000000000: Warning even 0 (0 at 1)
22:13:20.002000000: Warning even 2 (2 at 3)
22:13:20.004000000: Warning even 4 (4 at 5)
22:13:20.006000000: Warning even 6 (6 at 7)
22:13:20.007000000: Error seven
22:13:20.008000000: Warning even 8 (8 at 9)
Events detected: 6
Rule counts by severity:
   ERROR: 1
   WARNING: 5
Triggered rules by rule name:
   Even: 5
   Seven: 1"
check "the log names the plugin" err_says "Loaded plugin 'kit@0.1.0' from file $plugins/plain.so"
check "the log names the source" err_says "Opening 'kit' source with plugin 'kit'"
check "nothing is left" nothing_left
first=$out

run_mews -c "$tmp/falco.yaml" --disable-source syscall
is "without a sub-command: Falco's flags" "$rc $out" "0 $first"

ln -s "$mews" "$bin/broker/falco"
"$bin/broker/falco" -c "$tmp/falco.yaml" --enable-source kit >"$tmp/out" 2>"$tmp/err"
is "called as falco" "$? $(cat "$tmp/out")" "0 $first"
rm "$bin/broker/falco"

run_mews run -c "$tmp/falco.yaml" --enable-source kit -r "$tmp/rules.yaml" -o priority=error \
	-o json_output=true
is "a higher priority and JSON" "$(grep -c '^{.*"rule":"Seven"' <<<"$out") $(grep -c '^{' <<<"$out")" "1 1"

run_mews run -c "$tmp/falco.yaml" --enable-source kit --dry-run
is "a dry run has no events" "$rc $out" "0 "
check "nothing is left of a dry run" nothing_left
finish
