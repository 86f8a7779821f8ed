#!/usr/bin/env bash
# events_per_s: a source is held back, and loses nothing by it.
. "$(dirname "$0")/lib.sh"

rules rules.yaml <<'Y'
- rule: All
  desc: d
  condition: kit.num >= 0
  output: all %kit.num
  priority: INFO
  source: kit
Y
config falco.yaml <<Y
rules_files: [$tmp/rules.yaml]
sandbox: {ctl_socket: none}
plugins:
  - {name: kit, library_path: $plugins/plain.so, open_params: "n=2000", sandbox: {limits: {events_per_s: 1000}}}
Y
start=$(date +%s%N)
run_mews run -c "$tmp/falco.yaml" --enable-source kit
took=$((($(date +%s%N) - start) / 1000000))
is "it ends" "$rc" 0
is "with every event" "$(grep -oE 'all [0-9]+$' <<<"$out" | md5sum)" "$(seq 0 1999 | sed 's/^/all /' | md5sum)"
# 2,000 events at 1,000 a second, less the batches that may run ahead.
check "not faster than its limit ($took ms)" test "$took" -ge 1200
check "nothing left" nothing_left
finish
