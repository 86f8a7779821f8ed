#!/usr/bin/env bash
# A plugin that was given up comes back when an operator asks for it, as a source and as a
# helper; everybody else goes on.
. "$(dirname "$0")/lib.sh"

rules rules.yaml <<'Y'
- rule: Fault
  desc: what the source gives before its end
  condition: fault.num >= 0
  output: fault %fault.num len %poison.len
  priority: INFO
  source: fault
- rule: Canary
  desc: a neighbour whose events another plugin takes apart
  condition: canary.num >= 0
  output: canary %canary.num len %poison.len
  priority: INFO
  source: canary
Y
install -d -m 777 "$tmp/state"
config falco.yaml <<Y
rules_files: [$tmp/rules.yaml]
watch_config_files: false
output_timeout: 10000
sandbox: {state_dir: $tmp/state, ctl_socket: $tmp/ctl.sock}
plugins:
  - name: fault
    library_path: $plugins/fault_crash_next_batch.so
    open_params: "n=10,pause_us=1000"
    sandbox: {required: false, restart: {max: 0}}
  - {name: canary, library_path: $plugins/canary.so, open_params: "n=100000000,pause_us=1000"}
  - name: poison
    library_path: $plugins/extractor_poison.so
    sandbox: {required: false, restart: {max: 0}}
Y
ctl() {
	"$mews" ctl --socket "$tmp/ctl.sock" "$@" >"$tmp/ctl-out" 2>&1
}
state_is() { # state_is PLUGIN SOURCE STATE
	ctl plugins &&
		[ "$(jq -r ".workers[] | select(.plugin == \"$1\" and .source == \"$2\") | .state" \
			"$tmp/ctl-out")" = "$3" ]
}
alerts() { # alerts PATTERN
	grep -c "Informational $1" "$tmp/out"
}
more_than() { # more_than N PATTERN
	[ "$(alerts "$2")" -gt "$1" ]
}

start_mews run -c "$tmp/falco.yaml" --disable-source syscall
check "the source is given up" until_true 10 state_is fault fault failed
# The poison is event 13, which the other source never gets to.
check "so is the helper" until_true 10 state_is poison canary failed
check "the neighbour goes on without the helper" until_true 10 more_than 50 "canary .* len <NA>"
is "all that the source gave before its end" "$(alerts 'fault [0-4] len 1$')" 5
reloaded() {
	ctl reload && grep -q '"ok":true' "$tmp/ctl-out"
}
check "a reload in between" reloaded

ctl restart fault
is "it is started again" "$(jq .workers "$tmp/ctl-out")" 1
check "and gives its events once more" until_true 10 more_than 9 'fault [0-4] len 1$'
check "and is given up once more" until_true 10 state_is fault fault failed
at=$(alerts 'canary .* len [0-9]')
ctl restart poison
check "the helper is back" until_true 10 state_is poison canary ready
check "with its fields" until_true 10 more_than "$at" 'canary .* len [0-9]'
check "the log says both" grep -q "plugin 'poison' is back (source canary)" "$tmp/err"
kill -TERM "$mews_pid"
check "it ends" wait_mews 15
is "with success" "$rc" 0
check "nothing left" nothing_left
finish
