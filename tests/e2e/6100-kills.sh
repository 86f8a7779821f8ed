#!/usr/bin/env bash
# Workers killed at random moments, reloads and restarts in between: what was published is
# evaluated, once and in order; the other pipeline does not notice.
#   MEWS_SEED, MEWS_KILLS: which moments, how many
. "$(dirname "$0")/lib.sh"
seed=${MEWS_SEED:-$RANDOM} kills=${MEWS_KILLS:-25}
RANDOM=$seed
echo "# seed $seed, $kills kills"

write_rules() {
	rules rules.new <<Y
- rule: Every
  desc: $1
  condition: kit.num >= 0
  output: kit %kit.num %evt.num
  priority: WARNING
  source: kit
- rule: Canary
  desc: d
  condition: canary.num >= 0
  output: canary %canary.num %evt.num
  priority: WARNING
  source: canary
Y
	mv "$tmp/rules.new" "$tmp/rules.yaml"
}
write_rules 0
restart="restart: {max: 15, window: 1s, backoff_min: 5ms, backoff_max: 20ms}"
config falco.yaml <<Y
rules_files: [$tmp/rules.yaml]
watch_config_files: false
output_timeout: 10000
sandbox: {state_dir: $tmp/state, ctl_socket: $tmp/ctl.sock}
plugins:
  - {name: kit, library_path: $plugins/plain.so, open_params: "n=100000000,pause_us=20", sandbox: {$restart}}
  - {name: canary, library_path: $plugins/canary.so, open_params: "n=100000000,pause_us=1000"}
Y
install -d -m 777 "$tmp/state"

alerts() {
	grep -c "Warning $1 " "$tmp/out"
}
flowing() {
	[ "$(alerts kit)" -gt "$at" ]
}
worker_of() {
	local pid
	for pid in $(workers); do
		grep -qa "$1" "/proc/$pid/cmdline" 2>/dev/null && echo "$pid"
	done
}
ctl() {
	"$mews" ctl --socket "$tmp/ctl.sock" "$@" >"$tmp/ctl-out" 2>&1
}

start_mews run -c "$tmp/falco.yaml" --disable-source syscall
at=0
check "events flow" until_true 10 flowing
canary_before=$(worker_of canary)
stuck=0 asked=0
for ((i = 0; i < kills; i++)); do
	at=$(alerts kit)
	until_true 10 flowing || stuck=$((stuck + 1))
	sleep 0.0$((RANDOM % 10))$((RANDOM % 10))
	case $((RANDOM % 4)) in
	0)
		write_rules "$i"
		kill -HUP "$mews_pid"
		sleep 0.00$((RANDOM % 10))
		;;
	1)
		ctl restart kit && asked=$((asked + 1))
		;;
	esac
	kill -"$([ $((RANDOM % 2)) = 0 ] && echo KILL || echo SEGV)" "$(worker_of kit | head -1)" 2>/dev/null
done
at=$(alerts kit)
check "events flow after all of it" until_true 10 flowing
is "it always came back" "$stuck" 0
is "the other worker was not touched" "$(worker_of canary)" "$canary_before"
ctl reload
is "a reload at last succeeds" "$(cut -c1-10 "$tmp/ctl-out")" '{"ok":true'
kill -TERM "$mews_pid"
check "it ends" wait_mews 15
is "with success" "$rc" 0

# Each life of the source counts from 0; the pipeline counts on.
awk '/Warning kit [0-9]+ [0-9]+$/ {
	if ($(NF - 1) != 0 && $(NF - 1) != want) { print "event " want " of a life is " $(NF - 1) " (number " $NF ")"; exit }
	if ($NF != num + 1) { print "number " num + 1 " is " $NF; exit }
	want = $(NF - 1) + 1
	num = $NF
}' "$tmp/out" >"$tmp/order"
is "what was published is there once, in order" "$(cat "$tmp/order")" ""
awk '/Warning canary [0-9]+ [0-9]+$/ {
	if ($(NF - 1) != want) { print "event " want " is " $(NF - 1); exit }
	want = $(NF - 1) + 1
}' "$tmp/out" >"$tmp/order"
is "the other source lost nothing" "$(cat "$tmp/order")" ""
check "crash records are kept, and bounded" test "$(find "$tmp/state" -name '*.json' | wc -l)" -le 100
check "nothing left" nothing_left
finish
