#!/usr/bin/env bash
# Reload: new rules between chunks without touching a worker; a plugin whose entry changed
# is started again, and only that; what is wrong changes nothing and is told.
. "$(dirname "$0")/lib.sh"

write_rules() { # write_rules WORD: into a file that replaces the old one
	rules rules.new <<Y
- rule: Every
  desc: d
  condition: kit.num >= 0 and kit.text != "$1"
  output: $1 %kit.num
  priority: WARNING
  source: kit
- rule: Only in $1
  desc: d
  condition: kit.num = -1
  output: never
  priority: WARNING
  source: kit
Y
	mv "$tmp/rules.new" "$tmp/rules.yaml"
}

write_config() { # write_config OPEN-PARAMETERS-OF-OTHER [LINES...]
	config falco.new <<Y
rules_files: [$tmp/rules.yaml, $tmp/other.yaml]
watch_config_files: ${watch:-false}
sandbox: {ctl_socket: $tmp/ctl.sock}
output_timeout: 10000
plugins:
  - {name: kit, library_path: $plugins/plain.so, open_params: "n=100000000,pause_us=100"}
  - {name: canary, library_path: $plugins/canary.so, open_params: "$1"${3:-}}
${2:-}
Y
	mv "$tmp/falco.new" "$tmp/falco.yaml"
}

rules other.yaml <<'Y'
- rule: Other
  desc: d
  condition: canary.num >= 0
  output: canary %canary.num
  priority: INFO
  source: canary
Y
[ -e "$plugins/canary.so" ] || skip_all "there is no plugin canary"
write_rules one
write_config "n=100000000,pause_us=10000"

log_has() { # log_has COUNT PATTERN: that often at least
	[ "$(grep -cE -- "$2" "$tmp/err")" -ge "$1" ]
}
out_file_has() {
	grep -qE -- "$1" "$tmp/out"
}

ctl() { # not run_mews: the files of the one that runs are in use
	"$mews" ctl --socket "$tmp/ctl.sock" "$@" >"$tmp/ctl-out" 2>"$tmp/ctl-err"
	rc=$?
	out=$(cat "$tmp/ctl-out")
	err=$(cat "$tmp/ctl-err")
}

start_mews run -c "$tmp/falco.yaml" --disable-source syscall
check "it runs" until_true 10 out_file_has ': Warning one [0-9]+$'
before=$(workers | sort | paste -sd' ')

# Under load, over and over.
for word in two three four five; do
	write_rules $word
	kill -HUP "$mews_pid"
	until_true 5 out_file_has ": Warning $word [0-9]+\$"
	holds "rules $word are taken on"
done
is "no worker was touched" "$(workers | sort | paste -sd' ')" "$before"
check "Falco's line is in the log" log_has 4 'SIGHUP received, restarting\.\.\.'

# What is wrong changes nothing.
echo '- rule: broken' >"$tmp/rules.yaml"
kill -HUP "$mews_pid"
check "a bad rules file is told" until_true 5 log_has 1 'the configuration stays as it was'
check "by an alert too" until_true 5 out_file_has ': Critical Falco internal: hot restart failure: .*\(\)$'
write_rules six
printf 'plugins: [\n' >"$tmp/broken.yaml"
cp "$tmp/falco.yaml" "$tmp/good.yaml"
cp "$tmp/broken.yaml" "$tmp/falco.yaml"
kill -HUP "$mews_pid"
check "so is a bad configuration" until_true 5 log_has 2 'the configuration stays as it was'
write_config "n=100000000,pause_us=10000" "" ', sandbox: {profile: nonsense}'
kill -HUP "$mews_pid"
check "so is a profile that is none" until_true 5 log_has 3 'the configuration stays as it was'
write_config "n=100000000,pause_us=10000" "" ', sandbox: {limits: {memory: 1MiB}}'
kill -HUP "$mews_pid"
check "so is one that the plugin cannot live in" until_true 10 log_has 4 'the configuration stays as it was'
lines=$(wc -l <"$tmp/out")
more_lines() { [ "$(wc -l <"$tmp/out")" -gt $((lines + 10)) ]; }
check "alerts go on" until_true 5 more_lines
is "the rules are still those of before" \
	"$(sed -n "$((lines + 1)),$((lines + 10))p" "$tmp/out" | grep -cE 'Warning five|Informational canary')" 10
is "no worker was touched" "$(workers | sort | paste -sd' ')" "$before"

# A changed entry restarts its own plugin alone.
write_config "n=100000000,pause_us=20000"
kill -HUP "$mews_pid"
check "a changed entry: its plugin is started again" until_true 10 log_has 1 "plugin 'canary' is back"
check "and said so" log_has 1 "plugin 'canary' is started again: its entry has changed"
check "the rules came along" until_true 5 out_file_has ': Warning six [0-9]+$'
is "one worker in two is another" "$(comm -12 <(tr ' ' '\n' <<<"$before" | sort) <(workers | sort) | wc -l)" 1

# mews ctl does the same, and tells how it went.
write_rules seven
ctl reload
is "mews ctl reload" "$rc" 0
check "says how many there were" out_has '"ok":true,"reloads":[0-9]+'
check "and they hold" until_true 5 out_file_has ': Warning seven [0-9]+$'
echo '- rule: broken' >"$tmp/rules.yaml"
ctl reload
is "a bad one fails" "$rc" 1
check "and says why" err_has "^Error: .*rules.yaml"
write_rules seven

# Another list of plugins: the whole program starts again, in its place.
config falco.new <<Y
rules_files: [$tmp/rules.yaml]
watch_config_files: false
sandbox: {ctl_socket: $tmp/ctl.sock}
plugins:
  - {name: kit, library_path: $plugins/nothing.so}
Y
mv "$tmp/falco.new" "$tmp/falco.yaml"
kill -HUP "$mews_pid"
check "another list of plugins, which cannot be: told" until_true 20 log_has 1 'a dry run failed: .*nothing.so'
config falco.new <<Y
rules_files: [$tmp/rules.yaml]
watch_config_files: true
sandbox: {ctl_socket: $tmp/ctl.sock}
plugins:
  - {name: kit, library_path: $plugins/plain.so, open_params: "n=100000000,pause_us=100"}
Y
mv "$tmp/falco.new" "$tmp/falco.yaml"
kill -HUP "$mews_pid"
check "another list of plugins: it starts again" until_true 20 log_has 2 'Starting|Falco initialized'
one_worker() {
	[ "$(workers | wc -l)" = 1 ]
}
check "with one worker" until_true 10 one_worker
check "as the same process" kill -0 "$mews_pid"
seen=$(wc -l <"$tmp/out")
fresh() {
	tail -n +"$((seen + 1))" "$tmp/out" | grep -qE ": Warning $1 "
}
check "and alerts come" until_true 10 fresh seven
# Files are watched now.
write_rules eight
check "a file that was replaced is noticed" until_true 10 fresh eight
write_rules nine
check "and again" until_true 10 fresh nine

kill -TERM "$mews_pid"
check "it ends" wait_mews 10
is "with success" "$rc" 0

# Over all of the reloads of the first life: every event once, in order.
awk '/: Warning (one|two|three|four|five|six|seven) [0-9]+$/ {
	n = $NF
	if (n == 0 && seen++) exit
	if (n != want) { print "event " want " is " n; exit }
	want = n + 1
}' "$tmp/out" >"$tmp/order"
is "no event was lost or doubled" "$(cat "$tmp/order")" ""
check "statistics are by name, over all rulesets" out_has '^   Every: [0-9]+'
check "nothing left" nothing_left
check "no socket either" test ! -e "$tmp/ctl.sock"
finish
