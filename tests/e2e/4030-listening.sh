#!/usr/bin/env bash
# Plugins that listen: told of beginning and end, with routines in threads of their own.
. "$(dirname "$0")/lib.sh"

rules rules.yaml <<'Y'
- rule: Listener
  desc: d
  condition: listener.num >= 0
  output: "%listener.num"
  priority: INFO
  source: listener
Y
listen() { # listen INIT_CONFIG OPEN_PARAMS
	config falco.yaml <<Y
rules_files: [$tmp/rules.yaml]
plugins:
  - {name: listener, library_path: $plugins/listener.so, init_config: "$1", open_params: "$2"}
Y
	run_mews run -c "$tmp/falco.yaml" --disable-source syscall
}
listen "" "n=20,pause_us=20000"
is "exit status" "$rc" 0
is "events flow" "$(grep -c Informational <<<"$out")" 20
check "told when events begin, with tables" err_says "capture opened, threads: 0"
check "a routine can be taken back" err_says "taken back: 0"
check "but once" err_says "taken back again: 1"
check "and no other" err_says "never there: 1"
check "told when they end; a routine was called all the time" err_says "capture closed, ticks enough: 1"
check "one that says no was called once" err_says "once: 1"
check "routines use tables" err_says "threads enough: 1"
check "each time" err_says "failed: 0"
check "nothing left" nothing_left

listen "refuses" "n=1"
is "a plugin that cannot listen ends the run" "$rc" 1
check "with Falco's words" err_says "capture_open error for plugin 'listener' : listener: out of order"

listen "schema=4.0.0" "n=1"
is "an older version of the events is fine" "$rc" 0
for version in 4.99.0 5.0.0 four; do
	listen "schema=$version" "n=1"
	is "a later one is not: $version" "$rc" 1
	check "and named" err_says "plugin 'listener' required event schema version '$version' not compatible"
done

# Its metrics, under Falco's names.
config metrics.yaml <<Y
rules_files: [$tmp/rules.yaml]
webserver: {enabled: true, listen_port: 18765, listen_address: 127.0.0.1, prometheus_metrics_enabled: true}
metrics: {enabled: true, interval: 100ms, output_rule: false, output_file: $tmp/metrics.jsonl}
plugins:
  - {name: listener, library_path: $plugins/listener.so, open_params: "n=100000,pause_us=5000"}
Y
start_mews run -c "$tmp/metrics.yaml" --disable-source syscall
snapshots() {
	grep -q '"plugins.listener.below":-7' "$tmp/metrics.jsonl" 2>/dev/null
}
scraped() {
	curl -s http://127.0.0.1:18765/metrics >"$tmp/scraped" 2>/dev/null &&
		grep -q '^falcosecurity_plugins_listener_ticks_total{source="listener"} [1-9]' "$tmp/scraped"
}
check "snapshots have the plugin's metrics" until_true 10 snapshots
if command -v curl >/dev/null; then
	check "so has Prometheus" until_true 10 scraped
	check "of their kinds" grep -q '^# TYPE falcosecurity_plugins_listener_below_total gauge' "$tmp/scraped"
	check "and values" grep -q '^falcosecurity_plugins_listener_half_total{source="listener"} 0.5' "$tmp/scraped"
fi
kill -TERM "$mews_pid"
check "it stops" wait_mews 10
finish
