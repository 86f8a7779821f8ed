#!/usr/bin/env bash
# A plugin goes wrong in each step of its life; a neighbour does not notice.
. "$(dirname "$0")/lib.sh"

rules rules.yaml <<'Y'
- rule: Canary
  desc: alive
  condition: canary.num >= 0
  output: canary %canary.num
  priority: INFO
  source: canary
- rule: Fault
  desc: an event of the faulty plugin
  condition: fault.num >= 0
  output: fault %fault.num
  priority: INFO
  source: fault
Y

# beside_canary LIBRARY SANDBOX [PAUSE_US of the canary] [OPEN_PARAMS of the faulty one]
beside_canary() {
	config falco.yaml <<Y
rules_files: [$tmp/rules.yaml]
plugins:
  - name: fault
    library_path: $plugins/$1.so
    open_params: "${4:-n=10}"
    sandbox: {required: false, $2}
  - {name: canary, library_path: $plugins/canary.so, open_params: "n=200,pause_us=${3:-2000}"}
Y
	run_mews run -c "$tmp/falco.yaml" --disable-source syscall
}

canary_sang() {
	[ "$(grep -c ': Informational canary ' <<<"$out")" = 200 ]
}

fault_events() {
	grep -o 'Informational fault [0-9]*' <<<"$out" | sed 's/.* //' | sort -nu | paste -sd' '
}

# Crashes and exits while events run: what came before is evaluated, then restarts, within
# the budget, then the plugin is given up.
for how in crash exit abort; do
	for step in next_batch extract; do
		[ -e "$plugins/fault_${how}_$step.so" ] || continue
		beside_canary "fault_${how}_$step" 'restart: {max: 2, backoff_min: 10ms, backoff_max: 50ms}'
		check "$how in $step: the neighbour gives all alerts" canary_sang
		check "$how in $step: the log tells" err_has 'fault'
		check "$how in $step: nothing left" nothing_left
		is "$how in $step: exit status" "$rc" 0
	done
done

beside_canary fault_crash_next_batch 'restart: {max: 0}'
check "a crash with no restart allowed: the neighbour gives all alerts" canary_sang
check "the crash is named by its signal" err_has 'SIGSEGV|signal 11|segmentation'

# An event a batch: what was published before the crash is not lost with it.
beside_canary fault_crash_extract 'restart: {max: 0}' 2000 n=10,pause_us=1000
[[ "$(fault_events)" == "0 1 2 3 4"* ]]
holds "events before the one that crashes its extraction are evaluated"

for step in close destroy; do
	for how in crash exit; do
		beside_canary "fault_${how}_$step" ''
		check "$how in $step: the neighbour gives all alerts" canary_sang
		is "$how in $step: all events before it" "$(fault_events)" "0 1 2 3 4 5 6 7 8 9"
		check "$how in $step: nothing left" nothing_left
	done
done

# Hanging: deadlines of each call.
hangs() { # hangs LIBRARY STEP
	MEWS_TIMEOUT=20 beside_canary "$1" "restart: {max: 0}, deadlines: {$2: 300ms}" 5000
	check "$1: the neighbour gives all alerts" canary_sang
	check "$1: the plugin is ended, and the program ends" test "$rc" -lt 124
	check "$1: the deadline is named" err_has "fault.*(time|deadline)"
	check "$1: nothing left" nothing_left
}
hangs fault_hang_extract extract
hangs fault_spin_extract extract
hangs fault_hang_next_batch next_batch
for step in close destroy; do
	beside_canary "fault_hang_$step" 'deadlines: {close: 300ms}'
	check "hang in $step: the neighbour gives all alerts" canary_sang
	check "hang in $step: ends" test "$rc" -lt 124
	check "hang in $step: nothing left" nothing_left
done

# Before there are events a failure is an error of the start.
for how in crash exit; do
	config falco.yaml <<Y
rules_files: []
plugins:
  - {name: fault, library_path: $plugins/fault_${how}_open.so, sandbox: {restart: {max: 0}}}
Y
	run_mews run -c "$tmp/falco.yaml" --enable-source fault
	[ "$rc" -ne 0 ] && [ "$rc" -lt 124 ]
	holds "$how in open: an error"
	check "$how in open: nothing left" nothing_left
done

# A required plugin that is given up ends the program.
config falco.yaml <<Y
rules_files: [$tmp/rules.yaml]
plugins:
  - name: fault
    library_path: $plugins/fault_crash_next_batch.so
    sandbox: {required: true, restart: {max: 0}}
  - {name: canary, library_path: $plugins/canary.so, open_params: "n=100000,pause_us=5000"}
Y
run_mews run -c "$tmp/falco.yaml" --disable-source syscall
[ "$rc" -ne 0 ] && [ "$rc" -lt 124 ]
holds "a required plugin that is given up ends the program with an error"
check "nothing left" nothing_left
finish
