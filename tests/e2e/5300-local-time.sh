#!/usr/bin/env bash
# The clocks are put forward while it runs: alerts bear local time as it is then.
. "$(dirname "$0")/lib.sh"

rules rules.yaml <<'Y'
- rule: Some
  desc: d
  condition: kit.num >= 0
  output: some %evt.time.s %evt.num
  priority: WARNING
  source: kit
Y
config falco.yaml <<Y
rules_files: [$tmp/rules.yaml]
sandbox: {ctl_socket: none}
plugins:
  - {name: kit, library_path: $plugins/plain.so, open_params: "n=100000000,pause_us=20000"}
Y
# A zone that is UTC until a few seconds from now, and an hour ahead then: more of them
# where mews took so long to start that it began behind the change.
begin() { # begin SECONDS
	change=$(($(date +%s) + $1))
	day=$((10#$(date -u -d "@$change" +%j) - 1))
	at=$(date -u -d "@$change" +%H:%M:%S)
	export TZ="AAA0BBB,$day/$at,$(((day + 180) % 365))/0"
	start_mews run -c "$tmp/falco.yaml" --enable-source kit
	until_true 10 grep -q ': Warning some' "$tmp/out"
}
for seconds in 5 20 60; do
	begin $seconds
	grep ': Warning some' "$tmp/out" | head -1 | grep -q '^22:' && break
	kill -TERM "$mews_pid"
	wait_mews 10
done
alerts() { # alerts HOUR: as the line's time and as the field's
	grep -q "^$1:[0-9:.]*: Warning some $1:" "$tmp/out"
}
check "before: UTC" until_true 5 alerts 22
check "after: an hour later" until_true 20 alerts 23
check "not before its time" test "$(date +%s)" -ge "$change"
is "the hour of the line and of the field" "$(grep -o '^2[23].*some 2[23]' "$tmp/out" |
	sed 's/^\(..\).* \(..\)$/\1 \2/' | sort -u)" $'22 22\n23 23'
kill -TERM "$mews_pid"
check "it ends" wait_mews 10
check "nothing left" nothing_left
finish
