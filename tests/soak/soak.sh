#!/usr/bin/env bash
# Runs a broker under load for a while, with everything that happens in its life: crashes,
# reloads, restarts, operators who look. Then nothing may have grown.
#
#   tests/soak/soak.sh [SECONDS]     default 15; 14400 are four hours
#
# Looked at: memory of the broker and the launcher, their descriptors and threads,
# processes, files in the state folder, and, where there is time to tell it from noise, the
# rate of events in the first and the last part.
. "$(dirname "$0")/../e2e/lib.sh"
seconds=${1:-${MEWS_SOAK_SECONDS:-15}}
long=$((seconds >= 600))
port=$((20000 + $$ % 12000))
RANDOM=${MEWS_SEED:-1}
declare -A m # what measure found

write_rules() {
	{
		for ((i = 0; i < 50; i++)); do
			cat <<Y
- rule: Rule $i
  desc: $1
  condition: kit.text endswith "000$i" or kit.num = $i
  output: rule $i %kit.num
  priority: WARNING
  source: kit
Y
		done
		cat <<Y
- rule: Canary
  desc: $1
  condition: canary.text endswith "00"
  output: canary %canary.num
  priority: INFO
  source: canary
Y
	} >"$tmp/rules.new"
	mv "$tmp/rules.new" "$tmp/rules.yaml"
}
write_rules first
restart="restart: {max: 15, window: 1s, backoff_min: 5ms, backoff_max: 20ms}"
install -d -m 777 "$tmp/state"
config falco.yaml <<Y
rules_files: [$tmp/rules.yaml]
watch_config_files: true
sandbox: {state_dir: $tmp/state, ctl_socket: $tmp/ctl.sock}
webserver: {enabled: true, listen_address: 127.0.0.1, listen_port: $port, prometheus_metrics_enabled: true}
metrics: {enabled: true, interval: 500ms, output_file: $tmp/metrics.jsonl}
file_output: {enabled: true, filename: $tmp/alerts}
program_output: {enabled: true, keep_alive: true, program: "cat >/dev/null"}
outputs_queue: {capacity: 1000}
plugins:
  - {name: kit, library_path: $plugins/plain.so, open_params: "n=100000000000", sandbox: {$restart}}
  - {name: canary, library_path: $plugins/canary.so, open_params: "n=100000000000,pause_us=100"}
Y

launcher_pid() {
	pgrep -P "$(broker_pid)" -f launcher | head -1
}
rss_kb() {
	awk '/^VmRSS/ {print $2}' "/proc/$1/status"
}
fds() {
	find "/proc/$1/fd" -mindepth 1 2>/dev/null | wc -l
}
metric() {
	curl -s -m 20 "http://127.0.0.1:$port/metrics" | awk -v m="$1" '$1 == m {print int($2)}'
}
threads() {
	find "/proc/$1/task" -mindepth 1 -maxdepth 1 2>/dev/null | wc -l
}
zombies() { # children of the broker and the launcher that nobody has buried
	ps -o stat= --ppid "$mews_pid,$(launcher_pid)" | grep -c '^Z'
}
ready() {
	[ "$(curl -s -m 20 -o /dev/null -w '%{http_code}' "http://127.0.0.1:$port/readyz")" = 200 ]
}
worker_of() {
	local pid
	for pid in $(workers); do
		grep -qa "$1" "/proc/$pid/cmdline" 2>/dev/null && echo "$pid"
	done
}
rate() { # of the source that nothing happens to, in events per second
	local a b
	a=$(metric 'mews_source_events_total{source="canary"}')
	sleep 2
	b=$(metric 'mews_source_events_total{source="canary"}')
	echo $(((b - a) / 2))
}
trouble() { # everything that happens, once
	case $((RANDOM % 7)) in
	0) kill -SEGV "$(worker_of kit | head -1)" 2>/dev/null ;;
	1) write_rules "reload $RANDOM" ;;
	2) "$mews" ctl --socket "$tmp/ctl.sock" restart kit >/dev/null 2>&1 ;;
	3) echo "- rule: broken" >"$tmp/rules.yaml" ;;
	5) kill -USR1 "$mews_pid" ;;
	6) sed -i "s/capacity: [0-9]*/capacity: $((1000 + RANDOM))/" "$tmp/falco.yaml" ;;
	4)
		timeout 0.2 "$mews" tap --socket "$tmp/ctl.sock" canary >/dev/null 2>&1
		"$mews" top --socket "$tmp/ctl.sock" --once >/dev/null 2>&1
		curl -s -m 20 -o /dev/null "http://127.0.0.1:$port/metrics"
		;;
	esac
	sleep 0.2
}
counted() { # what must be as many as in the beginning, a line each
	echo "descriptors of the broker $(fds "$(broker_pid)")"
	echo "descriptors of the launcher $(fds "$(launcher_pid)")"
	echo "threads $(threads "$(broker_pid)")"
	echo "processes $(ours | wc -l)"
	echo "processes that nobody has buried $(zombies)"
}
quiet() { # what was begun is done: a second later everything is as it was
	local before
	before=$(counted)
	sleep 1
	[ "$(counted)" = "$before" ] && ready
}
measure() { # measure NAME
	write_rules "$1"
	until_true 20 ready
	until_true 20 quiet
	m[$1_counts]=$(counted)
	m[$1_rss]=$(rss_kb "$(broker_pid)")
	m[$1_launcher]=$(rss_kb "$(launcher_pid)")
	m[$1_rate]=$(rate)
}

start_mews run -c "$tmp/falco.yaml" --disable-source syscall
check "it becomes ready" until_true 20 ready
# What is made once and kept (frames of a full ring, the allocator's pools) is there then.
end=$((SECONDS + (long ? 60 : 10)))
while [ $SECONDS -lt $end ]; do trouble; done
measure first
end=$((SECONDS + seconds)) n=0
while [ $SECONDS -lt $end ] || [ $n -lt $((seconds / 2)) ]; do
	trouble
	n=$((n + 1))
done
measure last
echo "# $n troubles; broker ${m[first_rss]} to ${m[last_rss]} kB, launcher ${m[first_launcher]} to ${m[last_launcher]} kB, rate ${m[first_rate]} to ${m[last_rate]}"
check "the broker lives" kill -0 "$mews_pid"
# What is kept once it was needed (frames, the allocator's pools) takes a minute to be
# there; a short run only sees what is lost by the MB.
room=$((long ? 4096 : 12288))
check "memory of the broker is flat" test "${m[last_rss]}" -le $((${m[first_rss]} * 11 / 10 + room))
check "memory of the launcher is flat" test "${m[last_launcher]}" -le $((${m[first_launcher]} + 1024))
is "descriptors, threads and processes are as many" "${m[last_counts]}" "${m[first_counts]}"
check "nobody waits to be buried" grep -q 'buried 0$' <<<"${m[last_counts]}"
check "the quiet source went on" test "${m[last_rate]}" -gt 0
if [ $long = 1 ]; then
	check "and not much slower" test "${m[last_rate]}" -ge $((${m[first_rate]} * 3 / 10))
fi
check "files are bounded" test "$(find "$tmp/state" -type f | wc -l)" -le 200
kill -TERM "$mews_pid"
check "it ends" wait_mews 20
is "with success" "$rc" 0
check "nothing left" nothing_left
finish
