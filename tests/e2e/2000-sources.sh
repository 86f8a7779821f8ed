#!/usr/bin/env bash
# Several sources at once: each its own pipeline, its own worker, its own numbers.
. "$(dirname "$0")/lib.sh"

rules rules.yaml <<'Y'
- rule: Kit
  desc: d
  condition: kit.num = 4
  output: kit %evt.num
  priority: INFO
  source: kit
- rule: Canary
  desc: d
  condition: canary.num = 7
  output: canary %evt.num
  priority: INFO
  source: canary
- rule: Syscall
  desc: loads though nothing feeds it
  condition: evt.type = open and proc.name = cat
  output: "%proc.cmdline"
  priority: INFO
Y
config falco.yaml <<Y
rules_files: [$tmp/rules.yaml]
plugins:
  - {name: kit, library_path: $plugins/plain.so, open_params: "n=10"}
  - {name: canary, library_path: $plugins/canary.so, open_params: "n=20"}
Y
run_mews run -c "$tmp/falco.yaml" --disable-source syscall
is "ends when both have ended" "$rc" 0
is "both give their alerts" "$(grep -o 'Informational .*' <<<"$out" | sort | paste -sd,)" \
	"Informational canary 8,Informational kit 5"
check "sources are named" err_says "Loaded event sources: syscall, kit, canary"
check "enabled ones as a sorted set" err_says "Enabled event sources: canary, kit"

run_mews run -c "$tmp/falco.yaml" --enable-source kit
is "--enable-source" "$(grep -o 'Informational .*' <<<"$out")" "Informational kit 5"
run_mews run -c "$tmp/falco.yaml" --disable-source syscall --disable-source kit
is "--disable-source" "$(grep -o 'Informational .*' <<<"$out")" "Informational canary 8"
run_mews run -c "$tmp/falco.yaml" --disable-source kit --enable-source kit
check "not both" err_says "You can not mix --enable-source and --disable-source"
run_mews run -c "$tmp/falco.yaml" --disable-source syscall --disable-source kit --disable-source canary
check "not none" err_says "Must enable at least one event source"

# Different workers, not told apart by anything but their work.
rules every.yaml <<'Y'
- rule: Every
  desc: d
  condition: canary.num >= 0
  output: "%canary.num"
  priority: INFO
  source: canary
Y
config slow.yaml <<Y
rules_files: [$tmp/every.yaml]
plugins:
  - {name: kit, library_path: $plugins/plain.so, open_params: "n=10000,pause_us=5000"}
  - {name: canary, library_path: $plugins/canary.so, open_params: "n=10000,pause_us=5000"}
Y
start_mews run -c "$tmp/slow.yaml" --disable-source syscall
two_at_work() {
	grep -q Informational "$tmp/out" && [ "$(workers | wc -l)" -ge 2 ]
}
check "a worker for each" until_true 20 two_at_work
titles=$(ps -o args= -p "$(workers | paste -sd,)" 2>/dev/null)
grep -q kit <<<"$titles" && grep -q canary <<<"$titles"
holds "ps names the plugin of each"
# One of them dies by the operator's hand: the other does not notice.
kits_worker() {
	local pid
	for pid in $(workers); do
		grep -qa kit "/proc/$pid/cmdline" && [ "$pid" != "${victim:-}" ] && echo "$pid"
	done 2>/dev/null | head -1
}
kit_is_back() {
	[ -n "$(kits_worker)" ]
}
victim=$(kits_worker)
check "the kit's worker is found" test -n "$victim"
before=$(grep -c Informational "$tmp/out")
[ -n "$victim" ] && kill -KILL "$victim"
check "it comes back" until_true 10 kit_is_back
kill -TERM "$mews_pid"
check "and stops" wait_mews 10
is "exit status" "$rc" 0
numbers=$(grep -o 'Informational [0-9]*' <<<"$out" | sed 's/.* //')
n=$(wc -l <<<"$numbers")
check "the other one went on" test "$n" -gt $((before + 10))
is "and lost nothing" "$(md5sum <<<"$numbers")" "$(seq 0 $((n - 1)) | md5sum)"
check "nothing left" nothing_left
finish
