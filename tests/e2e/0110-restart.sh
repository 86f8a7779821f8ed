#!/usr/bin/env bash
# A plugin that crashes once comes back, and what it gave before is not lost.
. "$(dirname "$0")/lib.sh"
[ -e "$built/demo/doors_source.so" ] || skip_all "the demo's plugins are not built"
install -m 755 "$built/demo/doors_source.so" "$plugins/"

rules rules.yaml <<'Y'
- rule: Door
  desc: every record
  condition: door.number > 0
  output: door %door.number %door.badge %evt.num
  priority: INFO
  source: doors
Y
config falco.yaml <<Y
rules_files: [$tmp/rules.yaml]
plugins:
  - name: doors
    library_path: $plugins/doors_source.so
    open_params: start=$(date +%s%3N)
    sandbox: {restart: {max: 3, backoff_min: 50ms, backoff_max: 200ms}}
Y
run_mews run -c "$tmp/falco.yaml" --enable-source doors
is "the end of the source is a success" "$rc" 0
check "the crash is in the log" err_has 'doors.*(SIGSEGV|signal|crash)'
n=$(grep -c ': Informational door ' <<<"$out")
# Record 7 is lost, and what came while nobody listened: at least one record, at most
# a second's worth.
check "alerts before and after ($n)" test "$n" -ge 10
check "not the record that crashed it" test "$n" -le 24
is "event numbers go on, none twice" \
	"$(grep -oE '[0-9]+$' <<<"$(grep Informational <<<"$out")" | sort -n | uniq -d | wc -l)" 0
check "nothing left" nothing_left
finish
