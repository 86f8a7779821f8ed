#!/usr/bin/env bash
# The broker's own confinement, seen from outside: a filter on every thread, fewer
# capabilities as root; and a plugin runs, is restarted and stops as without it.
. "$(dirname "$0")/lib.sh"

rules rules.yaml <<'Y'
- rule: Kit
  desc: d
  condition: kit.num >= 0
  output: kit %kit.num
  priority: INFO
  source: kit
Y
run_with() { # run_with SANDBOX
	config falco.yaml <<Y
rules_files: [$tmp/rules.yaml]
$1
plugins:
  - {name: kit, library_path: $plugins/plain.so, open_params: "n=1000000,pause_us=1000"}
Y
	: >"$tmp/out" # of the run before
	start_mews run -c "$tmp/falco.yaml" --enable-source kit
	until_true 10 grep -q 'kit 1' "$tmp/out"
}
field() { # field NAME: of every thread, each value once
	sed -n "s/^$1:[[:space:]]*//p" /proc/"$mews_pid"/task/*/status | sort -u | paste -sd' '
}

run_with ""
is "a filter on every thread" "$(field Seccomp)" 2
if [ "$(id -u)" = 0 ]; then
	# CHOWN, DAC_OVERRIDE, DAC_READ_SEARCH, FOWNER, KILL, NET_BIND_SERVICE
	all=$((0x42f & ~0))
	caps=$(field CapEff)
	is "capabilities of every thread" "$((0x$caps & ~all))" 0
fi
# A changed entry starts the plugin again, another list of plugins the whole program.
sed -i 's,n=1000000,n=999999,' "$tmp/falco.yaml"
kill -HUP "$mews_pid"
check "a plugin is started again" until_true 10 grep -q "plugin 'kit' is back" "$tmp/err"
echo "  - {name: canary, library_path: $plugins/canary.so}" >>"$tmp/falco.yaml"
kill -HUP "$mews_pid"
restarted() {
	grep -q "Loaded plugin 'canary" "$tmp/err" && [ "$(field Seccomp)" = 2 ]
}
check "it starts itself again when that is what a reload takes" until_true 10 restarted
kill -TERM "$mews_pid"
check "it stops" wait_mews 10
is "with success" "$rc" 0
check "nothing left" nothing_left

run_with "sandbox: {broker: false}"
is "sandbox.broker: false: no filter" "$(field Seccomp)" "$(sed -n 's/^Seccomp:[[:space:]]*//p' /proc/self/status)"
kill -TERM "$mews_pid"
wait_mews 10
finish
