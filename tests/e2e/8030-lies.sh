#!/usr/bin/env bash
# Events that lie about themselves. The three good ones before the lie give their alerts,
# the lie is named or harmless, nobody else is touched.
. "$(dirname "$0")/../hostile/lib.sh"

rules liar.yaml <<'Y'
- rule: Canary
  desc: the neighbour lives
  condition: canary.num >= 0
  output: canary %canary.num
  priority: DEBUG
  source: canary
- rule: Liar
  desc: an event of the liar
  condition: evt.num > 0
  output: liar %liar.num
  priority: ALERT
  source: liar
Y

n=0
for lie in none other_id type async short long params param_length null_event null_array count \
	empty_success rc wild_pointer; do
	config falco.yaml <<Y
rules_files: [$tmp/liar.yaml]
plugins:
  - name: liar
    library_path: $plugins/liar.so
    open_params: "lie=$n"
    sandbox: {required: false, restart: {max: 0}}
  - name: canary
    library_path: $plugins/canary.so
    open_params: "n=$canary_events,pause_us=$canary_pause_us"
Y
	n=$((n + 1))
	run_mews run -c "$tmp/falco.yaml" --disable-source syscall
	honest=$(grep -o 'Alert liar [012]$' <<<"$out" | paste -sd,)
	is "$lie: the events before it" "$honest" "Alert liar 0,Alert liar 1,Alert liar 2"
	if [ $lie = none ]; then
		is "no lie, no loss" "$(grep -c ': Alert liar' <<<"$out")" 5
	else
		[ $lie != other_id ] || check "$lie: is named" err_says \
			"unexpected plugin ID in plugin event: plugin='liar', expected_id=4305, actual_id=999"
		check "$lie: nothing false came through" \
			test "$(grep ': Alert liar' <<<"$out" | grep -cvE 'liar [0-4]$')" = 0
	fi
	check "$lie: broker and neighbour" test "$(grep -c ': Debug canary ' <<<"$out")" = "$canary_events"
	check "$lie: ends" test "$rc" -lt 124
	check "$lie: nothing left" nothing_left
done
finish
