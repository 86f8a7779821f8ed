#!/usr/bin/env bash
# The calls that a plugin gets, in Falco's order.
. "$(dirname "$0")/lib.sh"

rules rules.yaml <<'Y'
- rule: R
  desc: d
  condition: recorder.num = 1 and recorder.text = "1"
  output: "%recorder.num"
  priority: INFO
  source: recorder
Y
config falco.yaml <<Y
rules_files: [$tmp/rules.yaml]
plugins:
  - {name: recorder, library_path: $plugins/recorder.so, open_params: here}
Y
run_mews run -c "$tmp/falco.yaml" --enable-source recorder
calls=$(grep -o 'call [a-z_]*' <<<"$err" | sed 's/call //')
# Plugins may be loaded a second time only to be asked, never initialised twice for nothing.
is "once each, and in order" "$(grep -v extract <<<"$calls" | paste -sd' ')" \
	"init open next_batch next_batch next_batch close destroy"
is "an event's fields are extracted before the next batch is fetched" \
	"$(paste -sd' ' <<<"$calls" | grep -oE 'next_batch (extract )*next_batch' | head -1)" \
	"next_batch extract next_batch"
is "all fields of a rule in one call" \
	"$(grep -o 'call extract [0-9]* ([0-9]* fields)' <<<"$err" | head -1)" "call extract 1 (2 fields)"
is "exit status" "$rc" 0
finish
