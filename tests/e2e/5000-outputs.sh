#!/usr/bin/env bash
# Where alerts go: stdout, a file; as text, as JSON.
. "$(dirname "$0")/lib.sh"

rules rules.yaml <<'Y'
- rule: Some
  desc: d
  condition: kit.num in (1, 2)
  output: some "%kit.text" %kit.num
  priority: WARNING
  source: kit
  tags: [b, a]
Y
entry="  - {name: kit, library_path: $plugins/plain.so, open_params: \"n=5\"}"
install -d -m 777 "$tmp/logs"

config falco.yaml <<Y
rules_files: [$tmp/rules.yaml]
file_output: {enabled: true, filename: $tmp/logs/events.txt}
plugins:
$entry
Y
run_mews run -c "$tmp/falco.yaml" --enable-source kit
text='22:13:20.001000000: Warning some \"1\" 1
22:13:20.002000000: Warning some \"2\" 2'
is "stdout" "$(grep Warning <<<"$out")" "$text"
is "a file has the same lines" "$(cat "$tmp/logs/events.txt")" "$text"
run_mews run -c "$tmp/falco.yaml" --enable-source kit
is "a file is appended to" "$(wc -l <"$tmp/logs/events.txt")" 4

run_mews run -c "$tmp/falco.yaml" --enable-source kit -o file_output.enabled=false \
	-o json_output=true -o json_include_message_property=true
is "JSON, keys in byte order" "$(grep '"kit.num":1' <<<"$out" | sed "s/\"hostname\":\"[^\"]*\"/H/")" \
	'{H,"message":"some \"1\" 1","output":"22:13:20.001000000: Warning some \"1\" 1","output_fields":{"evt.time":1700000000001000000,"kit.num":1,"kit.text":"1"},"priority":"Warning","rule":"Some","source":"kit","tags":["a","b"],"time":"2023-11-14T22:13:20.001000000Z"}'
is "the file is off" "$(wc -l <"$tmp/logs/events.txt")" 4

run_mews run -c "$tmp/falco.yaml" --enable-source kit -o time_format_iso_8601=true
check "ISO 8601" out_has '^2023-11-14T22:13:20.001000000\+0000: Warning some'

run_mews run -c "$tmp/falco.yaml" --enable-source kit -o file_output.filename=/nonexistent/x
check "a file that cannot be opened is told" err_says "failed to open output file /nonexistent/x"
is "and the other output works" "$(grep -c Warning <<<"$out")" 2

run_mews run -c "$tmp/falco.yaml" --enable-source kit -o file_output.filename=
check "a file output without a name is an error" \
	err_says "file output enabled but no filename in configuration block"

# Nobody reads: the program must not wait for its reader for ever.
sed -i 's/n=5/n=200000/' "$tmp/falco.yaml"
rules all.yaml <<'Y'
- rule: All
  desc: d
  condition: kit.num >= 0
  output: all %kit.text
  priority: WARNING
  source: kit
Y
mkfifo "$tmp/pipe"
exec 7<>"$tmp/pipe"
"$mews" run -c "$tmp/falco.yaml" -r "$tmp/all.yaml" --enable-source kit -o file_output.enabled=false \
	-o output_timeout=500 >"$tmp/pipe" 2>"$tmp/err" &
mews_pid=$!
background+=("$mews_pid")
check "stdout that nobody reads: the program ends" wait_mews 30
check "and says that alerts were lost" err_has 'output|discard|drop'
exec 7<&-
# A file that may not grow beyond what the process is limited to (SIGXFSZ).
limit_kib=262144
config limited.yaml <<Y
rules_files: [$tmp/rules.yaml]
metrics: {enabled: true, interval: 100ms, output_rule: false, output_file: $tmp/limited/metrics.jsonl}
plugins:
  - {name: kit, library_path: $plugins/plain.so, open_params: "n=1000000000,pause_us=1000"}
Y
install -d -m 777 "$tmp/limited"
truncate -s $((limit_kib * 1024 - 100)) "$tmp/limited/metrics.jsonl"
chmod 666 "$tmp/limited/metrics.jsonl"
ulimit -S -f $limit_kib
start_mews run -c "$tmp/limited.yaml" --enable-source kit
ulimit -S -f unlimited
refused() {
	grep -q 'metrics.output_file .*: \(File too large\|a snapshot was cut short\)' "$tmp/err"
}
written_again() {
	grep -q 'metrics.output_file .*: written again; [0-9]* snapshots are missing' "$tmp/err"
}
check "a file that may not grow: told" until_true 10 refused
sleep 0.5
: >"$tmp/limited/metrics.jsonl"
check "mews goes on, and counts what is missing" until_true 10 written_again
kill -TERM "$mews_pid"
wait_mews 10
is "exit status" "$rc" 0
is "it was told once" "$(grep -c 'metrics.output_file .*\(too large\|cut short\)' <<<"$err")" 1
finish
