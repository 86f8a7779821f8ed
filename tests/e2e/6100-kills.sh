#!/usr/bin/env bash
# Workers killed at random moments, reloads and restarts in between: what a source made is
# evaluated, once and in order; helpers and the other pipeline lose nothing either.
#   MEWS_SEED, MEWS_KILLS: which moments, how many
. "$(dirname "$0")/lib.sh"
seed=${MEWS_SEED:-$RANDOM} kills=${MEWS_KILLS:-200}
RANDOM=$seed
echo "# seed $seed, $kills kills"

write_rules() {
	rules rules.new <<Y
- rule: Every
  desc: $1
  condition: ledger.num >= 0 and extractor.len > 0
  output: ledger %extractor.last %ledger.num %evt.num
  priority: WARNING
  source: ledger
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
install -d -m 777 "$tmp/state" "$tmp/ledger"
: >"$tmp/ledger/ledger"
chmod 666 "$tmp/ledger/ledger"
config falco.yaml <<Y
rules_files: [$tmp/rules.yaml]
watch_config_files: false
output_timeout: 10000
sandbox: {state_dir: $tmp/state, ctl_socket: $tmp/ctl.sock}
plugins:
  - name: ledger
    library_path: $plugins/ledger.so
    open_params: "ledger=$tmp/ledger/ledger,pause_us=200"
    sandbox: {write: [$tmp/ledger], $restart}
  - {name: canary, library_path: $plugins/canary.so, open_params: "n=100000000,pause_us=1000"}
  - {name: extractor, library_path: $plugins/extractor.so, sandbox: {$restart}}
Y

# The last alert's number of the source, from the end of what may be a long file.
reached() {
	tail -c 20000 "$tmp/out" | tr -d '\000' | awk '/Warning ledger .* [0-9]+$/ {n = $NF} END {print n + 0}'
}
flowing() {
	[ "$(reached)" -gt "$at" ]
}
worker_of() { # worker_of PLUGIN: those of its workers that are alive
	local pid
	for pid in $(workers); do
		grep -qaxF "mews-worker $1" <(tr '\000' '\n' <"/proc/$pid/cmdline" 2>/dev/null) && echo "$pid"
	done
}
ctl() {
	"$mews" ctl --socket "$tmp/ctl.sock" "$@" >"$tmp/ctl-out" 2>&1
}

start_mews run -c "$tmp/falco.yaml" --disable-source syscall
at=0
check "events flow" until_true 10 flowing
canary_before=$(worker_of canary)
stuck=0 slowest=0
for ((i = 0; i < kills; i++)); do
	at=$(reached)
	began=$(date +%s%3N)
	until_true 10 flowing || stuck=$((stuck + 1))
	took=$(($(date +%s%3N) - began))
	[ $took -le $slowest ] || slowest=$took
	sleep 0.0$((RANDOM % 10))$((RANDOM % 10))
	case $((RANDOM % 12)) in
	0)
		write_rules "$i"
		kill -HUP "$mews_pid"
		sleep 0.00$((RANDOM % 10))
		;;
	1) ctl restart ledger ;;
	2) ctl restart extractor ;;
	esac
	[ $((RANDOM % 4)) = 0 ] && victim=extractor || victim=ledger
	case $((RANDOM % 3)) in
	0) signal=KILL ;;
	1) signal=SEGV ;;
	2) signal=ABRT ;;
	esac
	# shellcheck disable=SC2046
	kill -$signal $(worker_of $victim | head -2) 2>/dev/null
done
echo "# the slowest return to work: $slowest ms"
at=$(reached)
check "events flow after all of it" until_true 10 flowing
is "it always came back" "$stuck" 0
# One for its own source, one for the other: a helper of every source.
is "the other source's worker was not touched" "$(worker_of canary)" "$canary_before"
ctl reload
is "a reload at last succeeds" "$(cut -c1-10 "$tmp/ctl-out")" '{"ok":true'
ctl plugins
crashes=$(jq '[.workers[] | .crashes] | add' "$tmp/ctl-out")
check "there were crashes ($crashes)" test "$crashes" -ge $((kills / 3))
ctl status
is "no field was missing, no event was set aside" \
	"$(ctl drops && jq -c '[.drops[] | select(.what == "field") | .count] | add' "$tmp/ctl-out")" 0
kill -TERM "$mews_pid"
check "it ends" wait_mews 15
is "with success" "$rc" 0

# Each life of the source counts on from LIFE * 1000000; the pipeline counts on for good.
grep -a 'Warning ledger ' "$tmp/out" >"$tmp/got"
awk '{
	life = int($(NF - 1) / 1000000); k = $(NF - 1) % 1000000
	if (life != last) { want = 0; if (life < last) { print "life " life " after " last; exit } last = life }
	if (k != want) { print "event " want " of life " life " is " k " (number " $NF ")"; exit }
	if ($NF != num + 1) { print "number " num + 1 " is " $NF; exit }
	if ($(NF - 2) != k % 10) { print "the helper gives " $(NF - 2) " for " $(NF - 1); exit }
	want = k + 1
	num = $NF
}' "$tmp/got" >"$tmp/order"
is "what was published is there once, in order, with its fields" "$(cat "$tmp/order")" ""
# The ledger has what each life was about to make: all before it was published, and nothing
# after it was made. What the last one published while the program was stopping may be left.
{
	awk '{n[int($(NF - 1) / 1000000)]++} END {for (l in n) print "got", l, n[l]}' "$tmp/got"
	od -An -v -w8 -t u8 "$tmp/ledger/ledger" | awk '{print "made", NR - 1, $1 % 1000000}'
} | awk '
	$1 == "got" {got[$2] = $3}
	$1 == "made" {
		lives++; made += $3; all += got[$2]
		short = got[$2] + 0 < $3 ? "life " $2 " published " $3 " events, and " got[$2] + 0 " came" : ""
		if (before) print before
		before = short
		if (got[$2] + 0 > $3 + 1) print "life " $2 " made " $3 + 1 " events at most, and " got[$2] " came"
	}
	END {print lives " lives, " made " events published, " all " evaluated" >"/dev/stderr"}
' >"$tmp/lost" 2>"$tmp/sum"
echo "# $(cat "$tmp/sum")"
is "what the source made came, all that it published and nothing else" "$(head -5 "$tmp/lost")" ""
check "it was a good many lives" test "$(od -An -v -w8 -t u8 "$tmp/ledger/ledger" | wc -l)" -gt $((kills / 4))
awk '/Warning canary [0-9]+ [0-9]+$/ {
	if ($(NF - 1) != want) { print "event " want " is " $(NF - 1); exit }
	want = $(NF - 1) + 1
}' "$tmp/out" >"$tmp/order"
is "the other source lost nothing" "$(cat "$tmp/order")" ""
check "crash records are kept, and bounded" test "$(find "$tmp/state" -name '*.json' | wc -l)" -le 200
check "nothing left" nothing_left
finish
