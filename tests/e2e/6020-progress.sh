#!/usr/bin/env bash
# How much of a source that has an end is read: on a terminal, and by mews top.
. "$(dirname "$0")/lib.sh"
command -v script >/dev/null || skip_all "script(1), which makes a terminal, is not there"

rules rules.yaml <<'Y'
- rule: All
  desc: d
  condition: listener.num >= 0
  output: "number %listener.num"
  priority: INFO
  source: listener
Y
config falco.yaml <<Y
rules_files: [$tmp/rules.yaml]
sandbox: {ctl_socket: $tmp/ctl.sock}
plugins:
  - {name: listener, library_path: $plugins/listener.so, open_params: "n=40,pause_us=50000"}
Y
start_mews run -c "$tmp/falco.yaml" --disable-source syscall
has_progress() {
	"$mews" top --socket "$tmp/ctl.sock" --once 2>/dev/null | grep -qE '^listener .* [1-9][0-9]*%$'
}
check "mews top has it" until_true 5 has_progress
check "it ends" wait_mews 20
is "with success" "$rc" 0
is "nothing of it where stderr is no terminal" "$(grep -c '\[#* *\]' "$tmp/err")" 0

script -qec "'$mews' run -c '$tmp/falco.yaml' --disable-source syscall >'$tmp/out'" \
	"$tmp/typescript" >/dev/null 2>&1 </dev/null
out=$(cat "$tmp/out") err=$(tr '\r' '\n' <"$tmp/typescript")
is "all events came" "$(grep -c 'Informational number' <<<"$out")" 40
check "a line with the part that is read" err_has '^\[#+ +\] +[1-9][0-9]?%$'
check "which grows" test "$(grep -oE '^\[#+ *\] +[0-9]+%$' <<<"$err" | sort -u | wc -l)" -gt 3
check "no longer than what begins a line of the log" test \
	"$(grep -oE '^\[#* *\] +[0-9]+%$' <<<"$err" | awk '{ if (length > m) m = length } END { print m }')" -le 23
check "and is taken away at the end" bash -c 'tr "\r" "\n" <"$1" | grep -qE "^ {23}\$"' - "$tmp/typescript"
check "nothing left" nothing_left
finish
