#!/usr/bin/env bash
# A source that gives one event per next_batch: batches that wait are evaluated together,
# and nothing else is different for it.
. "$(dirname "$0")/lib.sh"

rules rules.yaml <<'Y'
- rule: Every
  desc: d
  condition: kit.num >= 0 and kit.text exists
  output: "<%evt.num %kit.num %kit.text>"
  priority: INFO
  source: kit
Y
port=$((20000 + RANDOM % 12000))
config falco.yaml <<Y
rules_files: [$tmp/rules.yaml]
webserver: {enabled: true, listen_address: 127.0.0.1, listen_port: $port, prometheus_metrics_enabled: true}
metrics: {enabled: true, interval: 1h, output_file: $tmp/logs/metrics.jsonl}
output_timeout: 10000
plugins:
  - {name: kit, library_path: $plugins/plain.so, open_params: "n=1000000000,pause_us=50",
     sandbox: {restart: {backoff_min: 10ms, backoff_max: 20ms}}}
Y

install -d -m 777 "$tmp/logs"

counted() { # counted METRIC
	curl -sS -m 10 "http://127.0.0.1:$port/metrics" 2>/dev/null |
		awk -v m="^mews_source_$1_total" '$0 ~ m {print $2}'
}

# While the broker stands still, the worker goes on for as many batches as it may.
some_wait() {
	local broker
	broker=$(broker_pid)
	kill -STOP "$broker" || return
	sleep 0.1
	kill -CONT "$broker"
	chunks=$(counted chunks) windows=$(counted windows)
	[ "${chunks:-0}" -ge $((${windows:-0} + 40)) ]
}

running() {
	grep -q '<' "$tmp/out"
}

start_mews run -c "$tmp/falco.yaml" --enable-source kit
check "it runs" until_true 10 running
check "batches that wait are evaluated together" until_true 1 some_wait

# The worker dies while some of its batches wait.
broker=$(broker_pid)
worker=$(workers)
kill -STOP "$broker"
sleep 0.1
kill -9 "$worker" # the only one
kill -CONT "$broker"
begun_again() {
	[ "$(grep -c ' 0 0>' "$tmp/out")" -ge 2 ]
}
check "killed, it begins again" until_true 10 begun_again
kill -TERM "$mews_pid"
check "ends" wait_mews 10
events=$(grep -o '<[0-9]* [0-9]* [0-9]*>' <<<"$out" | tr -d '<>')
check "every event has its alert, in order and with its number" \
	awk '$1 != NR || $2 != $3 || ($2 != at && $2 != 0) {exit 1} {at = $2 + 1}' <<<"$events"
is "of two lives" "$(grep -c ' 0 0$' <<<"$events")" 2
check "nothing left" nothing_left
finish
