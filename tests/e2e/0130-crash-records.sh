#!/usr/bin/env bash
# A crash leaves a record that says where: signal, registers, a stack with the plugin's
# functions by name. The worker's own account of it is told as such.
. "$(dirname "$0")/lib.sh"

rules rules.yaml <<'Y'
- rule: Fault
  desc: an event of the faulty plugin
  condition: fault.num >= 0
  output: fault %fault.num
  priority: INFO
  source: fault
Y

# record_of LIBRARY: sets record to what its one crash left.
record_of() {
	rm -rf "$tmp/state"
	install -d -m 777 "$tmp/state"
	config falco.yaml <<Y
rules_files: [$tmp/rules.yaml]
sandbox: {state_dir: $tmp/state}
plugins:
  - name: fault
    library_path: $plugins/$1.so
    open_params: "n=10"
    sandbox: {required: false, restart: {max: 0}}
Y
	run_mews run -c "$tmp/falco.yaml" --enable-source fault
	record=$(find "$tmp/state/crashes" -name '*.json' | head -1)
	[ -n "$record" ]
}

says() { # says FILTER: of the worker's account
	jq -r ".worker_says | $1" "$record"
}

# Functions of the stack, the innermost first; what a compiler has split off is the whole's.
stack() {
	says '(.stack // .stack_guessed)[] | split("+")[0] | sub("\\.(cold|part|isra|constprop).*"; "")' |
		paste -sd' '
}

check "crash in next_batch: a record" record_of fault_crash_next_batch
is "how it ended" "$(jq -r '[.cause, .signal_name, .call] | join(" ")' "$record")" \
	"signal SEGV next_batch"
is "the worker says the same" "$(says '[.signal, .signal_name, .code, .address] | join(" ")')" \
	"11 SEGV 1 0x8"
is "where, and who called" "$(stack | cut -d' ' -f-2)" "fault_touches_nowhere plugin_next_batch"
is "of which file" "$(says '.stack[0]' | sed 's/0x[0-9a-f]*/N/')" \
	"fault_touches_nowhere+N (fault_crash_next_batch.so)"
check "down to the worker's own" grep -q ' worker_serve ' <<<"$(stack) "
case $(uname -m) in
x86_64) pc=rip ;;
*) pc=pc ;;
esac
check "registers" test "$(says '.registers | length')" -gt 16
is "the program counter lies in the plugin" \
	"$(for a in "$(says .registers.$pc)" "$(says '.modules[] | select(.path | endswith("fault_crash_next_batch.so")) | .start, .end')"; do echo $a; done | paste -sd' ' |
		while read -r at start end; do echo $((at >= start && at < end)); done)" 1
check "the log names the place" \
	err_has "signal 11 \(Segmentation fault\), by its own account in fault_touches_nowhere\+0x[0-9a-f]+ \(fault_crash_next_batch\.so\)"
check "nothing left" nothing_left

check "abort: a record" record_of fault_abort_extract
is "how it ended" "$(jq -r '[.cause, .signal_name] | join(" ")' "$record")" "signal ABRT"
check "abort's caller is on the stack" grep -q 'abort plugin_extract_fields ' <<<"$(stack)"
check "the log names the plugin's function, not the library's" \
	err_has "by its own account in plugin_extract_fields[^ ]*\+"

check "a jump to where no code is: a record" record_of fault_jump_extract
is "how it ended" "$(jq -r .signal_name "$record")" SEGV
is "the program counter" "$(says .registers.$pc)" 0x8
check "who jumped is on the stack" grep -q 'fault_jumps_nowhere' <<<"$(stack)"

check "a stack that overflows: a record" record_of fault_overflow_extract
is "how it ended" "$(jq -r .signal_name "$record")" SEGV
is "where" "$(stack | cut -d' ' -f1)" fault_goes_deeper

check "one that only exits: a record" record_of fault_exit_next_batch
is "in which the worker says nothing" "$(jq -c '[.cause, .worker_says]' "$record")" '["exit",null]'
finish
