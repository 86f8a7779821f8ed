#!/usr/bin/env bash
# The webserver: health, readiness, versions, metrics, and clients that mean no good.
. "$(dirname "$0")/lib.sh"

rules rules.yaml <<'Y'
- rule: Some "quoted" rule
  desc: d
  condition: kit.num in (1, 2)
  output: some %kit.num
  priority: WARNING
  source: kit
  tags: [b, a]
Y
port=$((20000 + RANDOM % 12000))
config falco.yaml <<Y
rules_files: [$tmp/rules.yaml]
webserver: {enabled: true, listen_address: 127.0.0.1, listen_port: $port, prometheus_metrics_enabled: true}
metrics: {enabled: true, interval: 100ms, output_rule: true, output_file: $tmp/logs/metrics.jsonl}
plugins:
  - {name: kit, library_path: $plugins/plain.so, open_params: "n=1000000000,pause_us=1000",
     sandbox: {restart: {backoff_min: 2s}}}
Y
install -d -m 777 "$tmp/logs"

touch "$tmp/body"
get() { # get PATH [CURL'S OPTIONS...]: status in rc, body in out
	local path=$1
	shift
	rc=$(curl -sS -m 10 -o "$tmp/body" -w '%{http_code}' "$@" "http://127.0.0.1:$port$path" 2>"$tmp/curl-err")
	out=$(cat "$tmp/body")
}

answers() {
	get /healthz && [ "$rc" = 200 ]
}

ready() {
	get /readyz && [ "$rc" = 200 ]
}

start_mews run -c "$tmp/falco.yaml" --enable-source kit
check "/healthz answers" until_true 10 answers
is "as Falco's" "$out" '{"status": "ok"}'
check "/readyz becomes ready" until_true 10 ready
is "and says of what" "$out" \
	'{"ready":true,"sources":[{"ready":true,"source":"kit","plugin":"kit","state":"running"}]}'
get /versions
check "/versions has what falcoctl reads" out_has '"engine_version":"[0-9]+".*"falco_version":".*"plugin_api_version":"3\.[0-9.]+","plugin_versions":\{"kit":"0\.1\.0"\}'
get /nothing
is "another path" "$rc" 404
get /metrics
is "/metrics" "$rc" 200
for name in falcosecurity_falco_version_info falcosecurity_falco_sha256_rules_files_info \
	falcosecurity_falco_outputs_queue_num_drops_total falcosecurity_scap_engine_name_info \
	falcosecurity_falco_host_num_cpus_total falcosecurity_falco_memory_rss_bytes \
	falcosecurity_falco_duration_seconds_total mews_source_events_total; do
	check "$name" out_has "^${name}[ {]"
done
moves() {
	get /metrics
	out_has '^mews_source_events_per_s\{source="kit"\} [1-9]'
}
check "a rate of events" until_true 5 moves
check "extraction of the first stage is timed" out_has \
	'^mews_worker_extract_seconds_count\{plugin="kit",source="kit"\} [1-9]'
check "matches of a rule, its name escaped" out_has \
	'^falcosecurity_falco_rules_matches_total\{priority="4",rule_name="Some \\"quoted\\" rule",source="kit",tag_a="true",tag_b="true"\} 2$'
check "the worker is up" out_has '^mews_worker_up\{plugin="kit",source="kit"\} 1$'
check "and known by its state" out_has '^mews_worker_state\{plugin="kit",source="kit",state="running"\} 1$'
is "every line is a sample or a comment" "$(grep -vE \
	'^(# (HELP|TYPE) [a-z_0-9]+ .+|[a-zA-Z_:][a-zA-Z0-9_:]*(\{[^{}]*\})? [-+0-9.e]+)$' <<<"$out")" ""
is "each family is declared once" "$(grep '^# TYPE' <<<"$out" | awk '{print $3}' | sort | uniq -d)" ""

# Whoever connects cannot hold the loop.
exec 5<>"/dev/tcp/127.0.0.1/$port"
printf 'GET /healthz' >&5
exec 6<>"/dev/tcp/127.0.0.1/$port"
head -c 100000 /dev/zero | tr '\0' a >&6 2>/dev/null
is "an endless head is refused" "$(head -1 <&6 | tr -d '\r')" "HTTP/1.1 431 Request Header Fields Too Large"
exec 6<&-
exec 6<>"/dev/tcp/127.0.0.1/$port"
printf 'POST /healthz HTTP/1.1\r\n\r\n' >&6
is "another method is refused" "$(head -1 <&6 | tr -d '\r')" "HTTP/1.1 405 Method Not Allowed"
exec 6<&-
check "others are served while one is slow" answers
slow_ended() {
	! { read -r -t 0.01 _ <&5 || [ $? -gt 128 ]; }
}
check "the slow one is hung up on" until_true 10 slow_ended
exec 5<&-
for _ in $(seq 100); do
	(
		exec 8<>"/dev/tcp/127.0.0.1/$port"
		printf 'GET / HT' >&8
		sleep 2
	) 2>/dev/null &
	flood+=($!)
done
sleep 0.3
events() {
	get /metrics && awk '/^mews_source_events_total/ {print $2}' <<<"$out"
}
wait "${flood[@]}"
check "it serves after a flood of connections" until_true 10 answers
before=$(events)
more_events() {
	[ "$(events)" -gt "$before" ]
}
check "and events went on" until_true 5 more_events

# A worker that is gone is told.
kill -9 "$(workers)"
not_ready() {
	get /readyz && [ "$rc" = 503 ]
}
check "/readyz is 503 without the worker" until_true 2 not_ready
check "and says why" out_has '"why":"plugin .kit. is waiting to restart: .*SIGKILL|"why":"plugin .kit. is waiting to restart: .*signal 9'
check "/healthz is still ok" answers
check "ready again" until_true 10 ready
get /metrics
check "the crash is counted" out_has '^mews_worker_ends_total\{plugin="kit",source="kit",cause="crash"\} 1$'

kill -TERM "$mews_pid"
check "it ends" wait_mews 10
check "snapshots as alerts" out_has 'Informational Falco metrics snapshot \(evt\.hostname=".*" evt\.source="kit" evt\.time=[0-9]+ '
check "snapshots in a file" test -s "$tmp/logs/metrics.jsonl"
is "which are JSON" "$(jq -r '.output_fields["evt.source"]' "$tmp/logs/metrics.jsonl" | sort -u)" kit
jq -se '.[1].output_fields["falco.evts_rate_sec"] > 0' "$tmp/logs/metrics.jsonl" >/dev/null
holds "with a rate from the second on"
snapshot=$(tail -1 "$tmp/logs/metrics.jsonl")
# Addresses as the host has them, by interface and family, but "lo".
command -v ip >/dev/null && hosts=$(ip -j address 2>/dev/null | jq -r '[.[] | select(.ifname != "lo") | .ifname as $n |
	.addr_info[] | "falco.host_netinfo.interfaces.\($n).protocols.\(if .family == "inet" then "ipv4" else "ipv6" end).addresses"] | unique | .[]')
[ -v hosts ] && is "addresses of interfaces" "$(jq -r '.output_fields | keys[] | select(contains("host_netinfo"))' <<<"$snapshot")" "$hosts"
jq -e '.output_fields | ."falco.sha256_config_file.falco_yaml" and ."falco.sha256_rules_file.rules_yaml"
	and ."scap.n_drops_perc" == 0 and ."falco.outputs_queue_num_drops" == 0
	and ."falco.num_evts" > ."falco.num_evts_prev" and (."falco.evts_rate_sec" | tostring | test("^[0-9]+([.][0-9])?$"))' \
	<<<"$snapshot" >/dev/null
holds "and what else Falco tells of a plugin's source"

# TLS
openssl req -x509 -newkey rsa:2048 -nodes -keyout "$tmp/key.pem" -out "$tmp/cert.pem" -days 2 \
	-subj /CN=localhost -addext subjectAltName=IP:127.0.0.1 2>/dev/null
cat "$tmp/cert.pem" "$tmp/key.pem" >"$tmp/both.pem"
start_mews run -c "$tmp/falco.yaml" --enable-source kit -o webserver.ssl_enabled=true \
	-o "webserver.ssl_certificate=$tmp/both.pem"
secure() {
	[ "$(curl -sS -m 20 --cacert "$tmp/cert.pem" "https://127.0.0.1:$port/healthz" 2>/dev/null)" = '{"status": "ok"}' ]
}
check "TLS" until_true 10 secure
kill -TERM "$mews_pid"
check "it ends" wait_mews 10
run_mews run -c "$tmp/falco.yaml" --enable-source kit -o webserver.ssl_enabled=true \
	-o "webserver.ssl_certificate=$tmp/cert.pem"
check "a file without a key is an error" err_says "an error occurred while starting webserver: webserver.ssl_certificate $tmp/cert.pem"
is "which ends it" "$rc" 1
run_mews run -c "$tmp/falco.yaml" --enable-source kit -o webserver.listen_address=192.0.2.1
check "so is an address that is not ours" err_says "an error occurred while starting webserver"
check "nothing left" nothing_left
finish
