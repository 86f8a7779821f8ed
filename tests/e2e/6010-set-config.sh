#!/usr/bin/env bash
# A reload in which a plugin's init_config alone has changed: set_config, before a restart.
. "$(dirname "$0")/lib.sh"

write_config() { # write_config VALUE [WORD [MORE OF THE ENTRY]]
	rules rules.yaml <<Y
- rule: Every
  desc: d
  condition: configurable.times >= 0
  output: "${2:-rule} %configurable.value %configurable.times %evt.num"
  priority: WARNING
  source: configurable
Y
	config new.yaml <<Y
rules_files: [$tmp/rules.yaml]
watch_config_files: false
plugins:
  - {name: configurable, library_path: $plugins/configurable.so, open_params: "n=100000000,pause_us=10000", init_config: {value: $1}${3:-}}
Y
	mv "$tmp/new.yaml" "$tmp/falco.yaml"
}
says() { # says N TEXT: N times in the log
	[ "$(grep -cF "$2" "$tmp/err")" -ge "$1" ]
}
alerts_have() {
	grep -q ": Warning $1 [0-9]*\$" "$tmp/out"
}
one_other() {
	[ "$(workers | wc -l)" = 1 ] && [ "$(workers)" != "$before" ]
}

write_config one
start_mews run -c "$tmp/falco.yaml" --disable-source syscall
check "the configuration of the start" until_true 10 alerts_have "rule one 0"
before=$(workers)

write_config two newer
kill -HUP "$mews_pid"
check "a new one is set as it runs, with new rules" until_true 10 alerts_have "newer two 1"
check "which is told" says 1 "plugin 'configurable' goes on with its new configuration (source configurable)"
is "by the same process" "$(workers)" "$before"
check "no start in between" test "$(grep -c 'is back' "$tmp/err")" = 0

# What the schema does not allow never reaches the plugin.
write_config 3
kill -HUP "$mews_pid"
check "the schema is asked first" until_true 10 says 1 "the configuration stays as it was"
check "and its words are told" says 1 "error in plugin configurable init config"
is "by the same process still" "$(workers)" "$before"
check "nothing has changed" test "$(tail -n1 "$tmp/out" | grep -c 'Warning newer two 1 ')" = 1

write_config none refused
kill -HUP "$mews_pid"
check "one that it refuses: it is started with it" until_true 10 alerts_have "refused none 0"
check "and said why" says 1 \
	"plugin 'configurable' is started again: set_config error for plugin 'configurable' : configurable: not that"
check "as another process" until_true 5 one_other
before=$(workers)

write_config five again ', sandbox: {limits: {memory: 256MiB}}'
kill -HUP "$mews_pid"
check "more has changed: a restart" until_true 10 alerts_have "again five 0"
check "and said so" says 1 "plugin 'configurable' is started again: its entry has changed"
check "as another process" until_true 5 one_other

kill -TERM "$mews_pid"
check "it ends" wait_mews 10
is "with success" "$rc" 0
check "every event came once, in order" \
	test "$(grep -o '[0-9]*$' <(grep ': Warning' "$tmp/out") | awk '$1 != NR' | wc -l)" = 0
check "nothing left" nothing_left
finish
