#!/usr/bin/env bash
# Nothing that a plugin says reaches a terminal or forges a line: log, stdout, fields.
. "$(dirname "$0")/../hostile/lib.sh"

config falco.yaml <<Y
rules_files: [$tmp/noisy.yaml]
plugins:
  - {name: noisy, library_path: $plugins/noisy.so, open_params: "n=3"}
Y
rules noisy.yaml <<'Y'
- rule: Noise
  desc: d
  condition: noisy.num = 0
  output: noise %noisy.text %evt.plugininfo
  priority: INFO
  source: noisy
Y

clean() { # clean FILE: no control character but newline, no byte that is no UTF-8
	LC_ALL=C tr -d '\n' <"$1" | LC_ALL=C grep -qP '[\x00-\x1f\x7f]' && return 1
	iconv -f utf-8 -t utf-8 <"$1" >/dev/null 2>&1 || return 1
	! LC_ALL=C grep -qP '\xc2[\x80-\x9f]|\xe2\x80[\xaa-\xae]' "$1"
}

for json in false true; do
	run_mews run -c "$tmp/falco.yaml" --enable-source noisy -o json_output=$json
	is "exit status (json_output: $json)" "$rc" 0
	is "an alert per event" "$(grep -c 'noise' <<<"$(grep Informational <<<"$out")")" 3
	check "the log is clean" clean "$tmp/err"
	check "no forged line" test -z "$(grep -E '^Thu Jan  1' "$tmp/err" "$tmp/out")"
	check "no line of the log is endless" test "$(awk '{ if (length > n) n = length } END { print n }' "$tmp/err")" -lt 5000
done
# The log as JSON: each line an object that says no more than it should.
run_mews run -c "$tmp/falco.yaml" --enable-source noisy -o sandbox.log_json=true
check "log_json: every line is an object of level, msg and time" \
	jq -es 'length > 5 and all(.[]; keys == ["level", "msg", "time"])' "$tmp/err" >/dev/null
is "log_json: an object a line" "$(jq -s length "$tmp/err")" "$(wc -l <"$tmp/err")"
check "log_json: the log is clean" clean "$tmp/err"
check "log_json: what the plugin said is there, as its words" \
	jq -es 'any(.[]; .msg | contains("FORGED") and contains("noisy"))' "$tmp/err" >/dev/null
is "log_json: no message is forged" "$(jq -r 'select(.msg | test("^(Thu Jan|FORGED|\\{)")) | .msg' "$tmp/err")" ""

# Falco's text has whatever bytes a field has, apart from C0 controls, as JSON would escape
# them; that is kept. JSON stays one line, valid, escaped.
check "JSON is valid" jq -e . <(grep '^{' "$tmp/out") >/dev/null
! LC_ALL=C grep -qP '[\x00-\x08\x0b-\x1f\x7f]' "$tmp/out"
holds "no raw control character in alerts"

run_mews run "$plugins/noisy.so" --open-params n=3
is "mews run PLUGIN: exit status" "$rc" 0
check "mews run PLUGIN: lines are JSON" jq -e . <(grep '^{' "$tmp/out") >/dev/null
! LC_ALL=C grep -qP '[\x00-\x08\x0b-\x1f\x7f]' "$tmp/out"
holds "mews run PLUGIN: no raw control character"
finish
