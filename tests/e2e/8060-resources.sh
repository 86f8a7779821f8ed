#!/usr/bin/env bash
# Plugins that take all there is of something get to their limit; neighbours do not notice.
. "$(dirname "$0")/../hostile/lib.sh"
limits='limits: {memory: 128M, threads: 16}'

# amount NAME: the number in "stopped_at_N"
amount() {
	sed -n "s/^$1 stopped_at_\([0-9]*\) .*/\1/p" <<<"$reports"
}

# Stopped with an errno, or the worker's end: never unlimited.
limited() { # NAME MOST
	local n
	n=$(amount "$1")
	if [ -n "$n" ]; then
		check "$1: stopped at $n (at most $2)" test "$n" -le "$2"
	else
		check "$1: ended the worker" test -z "$reports"
	fi
	check "$1: broker and neighbour are unharmed" unharmed
}

while read -r what most; do
	attack resources "only=$what" "$limits"
	limited "$what" "$most"
done <<'T'
memory 128
shared_memory 128
descriptors 256
threads 16
timers 128
mappings 65536
T
attack resources only=stack "$limits"
is "a stack without end: ends the worker" "$reports" ""
check "a stack without end: broker and neighbour are unharmed" unharmed

mkdir -p "$tmp/data"
for profile in pure "file-reader, read: [$tmp/data]"; do
	attack resources only=watches "$limits, profile: $profile"
	limited watches 256
done

attack resources only=socket_buffers "$limits, profile: listener, listen: ['tcp:9765']"
limited socket_buffers 64

# What would hold a call for ever ends at its deadline.
for what in caught_crash deaf; do
	attack resources "only=$what" "$limits, deadlines: {next_batch: 500ms}"
	is "$what: ends the worker" "$reports" ""
	check "$what: the deadline is named" err_has "hostile.*(time|deadline)"
	check "$what: broker and neighbour are unharmed" unharmed
done

CANARY=$canary_events
config falco.yaml <<Y
rules_files: [$tmp/hostile.yaml]
plugins:
  - {name: hog, library_path: $plugins/hog.so, open_params: "n=100000", sandbox: {required: false, restart: {max: 0}, $limits}}
  - {name: canary, library_path: $plugins/canary.so, open_params: "n=$CANARY,pause_us=5000"}
Y
run_mews run -c "$tmp/falco.yaml" --disable-source syscall
check "a leak: broker and neighbour are unharmed" unharmed
check "a leak: the log tells" err_has 'hog'

# Floods of a second. The log stays readable, the broker does its work.
canary_events=300
for what in print wake denials sockets; do
	attack floods "only=$what"
	is "flood of $what: it survives" "$(report "$what")" "survived 0"
	check "flood of $what: broker and neighbour are unharmed" unharmed
	# 100 lines a second of 1 KiB, tenfold in a burst, escaped fourfold.
	check "flood of $what: the log does not grow with it" test "$(wc -c <"$tmp/err")" -lt 6000000
done

# The worker's own descriptors.
canary_events=150
for what in garbage oversized flood rights hang_up all_closed; do
	attack channel "only=$what"
	check "channel, $what: broker and neighbour are unharmed" unharmed
done
finish
