#!/usr/bin/env bash
# Stopping by signal, and death: of the broker, of the launcher.
. "$(dirname "$0")/lib.sh"

rules rules.yaml <<'Y'
- rule: Canary
  desc: alive
  condition: canary.num >= 0
  output: canary %canary.num
  priority: INFO
  source: canary
Y
config falco.yaml <<Y
rules_files: [$tmp/rules.yaml]
plugins:
  - {name: canary, library_path: $plugins/canary.so, open_params: "n=100000,pause_us=2000"}
Y

sings() {
	grep -q 'canary 20$' "$tmp/out"
}

for signal in INT TERM; do
	start_mews run -c "$tmp/falco.yaml" --enable-source canary
	check "SIG$signal: alerts come" until_true 20 sings
	kill -"$signal" "$mews_pid"
	check "SIG$signal: ends within 5 s" wait_mews 5
	is "SIG$signal: with success" "$rc" 0
	check "SIG$signal: says so" err_says "SIG$signal received, exiting..."
	check "SIG$signal: with statistics" out_has '^Events detected: [0-9]+$'
	is "SIG$signal: the statistics count every alert" \
		"$(sed -n 's/^Events detected: //p' <<<"$out")" "$(grep -c ': Informational canary ' <<<"$out")"
	check "SIG$signal: nothing left" nothing_left
done

# Ctrl-C reaches every process of the terminal's foreground group.
setsid "$mews" run -c "$tmp/falco.yaml" --enable-source canary >"$tmp/out" 2>"$tmp/err" </dev/null &
mews_pid=$!
background+=("$mews_pid")
check "in a group of its own: alerts come" until_true 20 sings
kill -INT -- "-$(ps -o pgid= -p "$mews_pid" | tr -d ' ')"
check "Ctrl-C: ends within 5 s" wait_mews 5
is "Ctrl-C: with success" "$rc" 0
check "Ctrl-C: the log says nothing else" test -z "$(sed '1,/exiting/d' <<<"$err")"
check "Ctrl-C: nothing left" nothing_left

# A plugin that never comes back from its call must not keep the program.
rules hung_rules.yaml <<'Y'
- rule: R
  desc: d
  condition: fault.num >= 0
  output: o
  priority: INFO
  source: fault
Y
config hung.yaml <<Y
rules_files: [$tmp/hung_rules.yaml]
plugins:
  - {name: fault, library_path: $plugins/fault_hang_next_batch.so}
Y
start_mews run -c "$tmp/hung.yaml" --enable-source fault
source_is_open() {
	[ -n "$(workers)" ] && grep -q Opening "$tmp/err"
}
check "a worker runs" until_true 20 source_is_open
sleep 0.3
kill -TERM "$mews_pid"
check "SIGTERM beside a hanging plugin: ends within 10 s" wait_mews 10
check "nothing left of the hanging plugin" nothing_left

start_mews run -c "$tmp/falco.yaml" --enable-source canary
check "alerts come" until_true 20 sings
kill -KILL "$mews_pid"
wait_mews 5
check "the broker killed: launcher and workers go with it" nothing_left

start_mews run -c "$tmp/falco.yaml" --enable-source canary
check "alerts come" until_true 20 sings
launcher_id=$(stat -c '%d:%i' "$bin/worker/launch/mews-launcher")
launchers=$(stat -Lc '%d:%i %n' /proc/[0-9]*/exe 2>/dev/null | grep "^$launcher_id " |
	sed 's,.*/proc/\([0-9]*\)/exe,\1,')
check "there is a launcher" test -n "$launchers"
# shellcheck disable=SC2086 # numbers
kill -KILL $launchers
check "the launcher killed: the program ends" wait_mews 10
check "with a failure" test "$rc" -ne 0
check "and nothing is left" nothing_left
finish
