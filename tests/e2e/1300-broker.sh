#!/usr/bin/env bash
# The broker's own confinement, seen from outside: a filter and no new privileges on every
# thread, fewer capabilities as root; a plugin runs, is restarted and stops as without it,
# and programs for alerts are started by somebody else.
. "$(dirname "$0")/lib.sh"
install -d -m 777 "$tmp/user"

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
	sed -n "s/^$1:[[:space:]]*//p" /proc/"$(broker_pid)"/task/*/status | sort -u | paste -sd' '
}

run_with "program_output: {enabled: true, keep_alive: true, program: 'exec cat >$tmp/user/program'}"
is "a filter on every thread" "$(field Seccomp)" 2
is "no new privileges on every thread" "$(field NoNewPrivs)" 1
check "a program gets the alerts" until_true 10 grep -q 'kit 1' "$tmp/user/program"
program=$(pgrep -P "$mews_pid" -x cat)
check "which the broker's keeper has started" test -n "$program"
is "under no filter of the broker's" "$(sed -n 's/^Seccomp:[[:space:]]*//p' "/proc/$program/status")" \
	"$(sed -n 's/^Seccomp:[[:space:]]*//p' /proc/self/status)"
before=$(broker_pid)
if [ "$(id -u)" = 0 ]; then
	# CHOWN, DAC_OVERRIDE, DAC_READ_SEARCH, FOWNER, KILL, NET_BIND_SERVICE
	all=$((0x42f & ~0))
	caps=$(field CapEff)
	is "capabilities of every thread" "$((0x$caps & ~all))" 0
	[ "${MEWS_USER:-no}" = yes ] || is "and what programs could give it" "$((0x$(field CapBnd) & ~all))" 0
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
check "as another process, under the same number" test "$(broker_pid)" != "$before"
# So it does for another program, which its keeper does not know.
sed -i "s,exec cat >$tmp/user/program,exec cat >$tmp/user/other," "$tmp/falco.yaml"
kill -HUP "$mews_pid"
check "and when alerts are to go to another program" until_true 10 grep -q 'kit 1' "$tmp/user/other"
kill -TERM "$mews_pid"
check "it stops" wait_mews 10
is "with success" "$rc" 0
check "nothing left" nothing_left
no_program() {
	! pgrep -f "cat >$tmp" >/dev/null && ! [ -e "/proc/$program" ]
}
check "no program either" until_true 5 no_program

# What ends the broker ends what was started, in the same way.
run_with ""
kill -SEGV "$(broker_pid)"
check "the broker dies: all of it ends" wait_mews 10
is "by the same signal" "$rc" 139
check "and says so" err_says "the broker was ended by signal 11"
check "nothing left" nothing_left

run_with "sandbox: {broker: false}"
is "sandbox.broker: false: no filter" "$(field Seccomp)" "$(sed -n 's/^Seccomp:[[:space:]]*//p' /proc/self/status)"
kill -TERM "$mews_pid"
wait_mews 10
finish
