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
finish
