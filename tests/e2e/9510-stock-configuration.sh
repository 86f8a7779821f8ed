#!/usr/bin/env bash
# Every key of the configuration that Falco is shipped with, at its value there.
. "$(dirname "$0")/lib.sh"

port=$((20000 + RANDOM % 10000))
cat >"$tmp/falco.yaml" <<Y
config_files: [$tmp/config.d]
watch_config_files: true
rules_files: [$tmp/rules.yaml, $tmp/falco_rules.local.yaml, $tmp/rules.d]
engine:
  kind: modern_ebpf
  kmod: {buf_size_preset: 4, drop_failed_exit: false}
  modern_ebpf: {cpus_for_each_buffer: 2, buf_size_preset: 4, drop_failed_exit: false, disable_iterators: false}
  replay: {capture_file: ""}
capture: {enabled: false, path_prefix: /tmp/falco, mode: rules, default_duration: 5000}
load_plugins: []
plugins:
  - name: container
    library_path: libcontainer.so
    init_config:
      label_max_len: 100
      with_size: false
      hooks: [create]
      engines:
        docker: {enabled: true, sockets: [/var/run/docker.sock]}
plugins_hostinfo: true
time_format_iso_8601: false
buffer_format_base64: false
priority: debug
json_output: false
json_include_output_property: true
json_include_message_property: false
json_include_output_fields_property: true
json_include_tags_property: true
buffered_outputs: false
rule_matching: first
outputs_queue: {capacity: 0}
append_output: [{suggested_output: true}]
stdout_output: {enabled: true}
syslog_output: {enabled: true}
file_output: {enabled: false, keep_alive: false, filename: ./events.txt}
http_output:
  {enabled: false, url: "", user_agent: falcosecurity/falco, insecure: false, ca_cert: "", ca_bundle: "",
   ca_path: /etc/ssl/certs, mtls: false, client_cert: /etc/ssl/certs/client.crt,
   client_key: /etc/ssl/certs/client.key, echo: false, compress_uploads: false, keep_alive: false,
   max_consecutive_timeouts: 5}
program_output: {enabled: false, keep_alive: false, program: "cat >/dev/null"}
webserver:
  {enabled: true, threadiness: 0, listen_port: $port, listen_address: 0.0.0.0, k8s_healthz_endpoint: /healthz,
   prometheus_metrics_enabled: false, ssl_enabled: false, ssl_certificate: /etc/falco/falco.pem}
log_stderr: true
log_syslog: true
log_level: info
libs_logger: {enabled: true, severity: info}
output_timeout: 2000
syscall_event_timeouts: {max_consecutives: 1000}
syscall_event_drops: {threshold: .1, actions: [log, alert], rate: .03333, max_burst: 1, simulate_drops: false}
metrics:
  {enabled: false, interval: 1h, output_rule: true, output_file: "", rules_counters_enabled: true,
   resource_utilization_enabled: true, state_counters_enabled: true, kernel_event_counters_enabled: true,
   kernel_event_counters_per_cpu_enabled: false, libbpf_stats_enabled: true, plugins_metrics_enabled: true,
   kernel_iter_event_counters_enabled: true, jemalloc_stats_enabled: false, convert_memory_to_mb: true,
   include_empty_values: false}
base_syscalls: {custom_set: [], repair: false, all: false}
falco_libs:
  {thread_table_size: 262144, thread_table_auto_purging_interval_s: 300,
   thread_table_auto_purging_thread_timeout_s: 300, snaplen: 80}
Y
chmod 644 "$tmp/falco.yaml"
rules rules.yaml <<'Y'
- rule: Write below etc
  desc: of system calls, which nobody gives here
  condition: evt.type = openat and evt.is_open_write = true and fd.name startswith /etc
  output: written %fd.name by %proc.name
  priority: ERROR
- rule: Any
  desc: d
  condition: kit.num = 1
  output: seen %kit.text
  priority: INFO
  source: kit
Y

# Nothing but what the file has.
start_mews -c "$tmp/falco.yaml"
check "it runs" until_true 10 curl -sfo /dev/null http://127.0.0.1:$port/healthz
kill -TERM "$mews_pid"
check "and ends when asked" wait_mews 10
is "well" "$rc" 0
check "the schema has nothing to say" err_has 'falco.yaml \| schema validation: ok$'
is "keys of kernel drivers are named once" "$(grep -c 'Keys of kernel drivers have no effect here' <<<"$err")" 1
check "all of them" err_has 'engine.kmod, engine.modern_ebpf, .*syscall_event_drops, base_syscalls, falco_libs$'

# A plugin comes by a file of its own, as packages of plugins do it.
mkdir "$tmp/config.d"
cat >"$tmp/config.d/kit.yaml" <<Y
plugins: [{name: kit, library_path: $plugins/plain.so}]
load_plugins: [kit]
Y
run_mews -c "$tmp/falco.yaml" -o webserver.enabled=false --disable-source syscall
is "with a plugin" "$rc" 0
check "its rules fire" out_has 'Informational seen 1$'
run_mews -c "$tmp/falco.yaml" --dry-run
is "--dry-run" "$rc" 0
run_mews -c "$tmp/falco.yaml" -V "$tmp/rules.yaml"
check "-V" out_has 'rules.yaml: Ok'
check "nothing left" nothing_left
finish
