#!/usr/bin/env bash
# Which fields come with every event, and which for those alone that need them: what a
# plugin is asked for that takes long to extract, and that rules match as ever.
. "$(dirname "$0")/lib.sh"

# asked FIELD: how often the plugin was asked for it.
asked() {
	grep -o "asked num=.*" "$tmp/log" | grep -o " $1=[0-9]*\|asked $1=[0-9]*" | grep -o '[0-9]*$'
}

run_dear() { # run_dear EVENTS
	config falco.yaml <<Y
rules_files: [$tmp/rules.yaml]
stdout_output: {enabled: true}
plugins:
  - {name: dear, library_path: $plugins/dear.so, open_params: "n=$1"}
Y
	run_mews run -c "$tmp/falco.yaml" --disable-source syscall
	printf '%s\n%s\n' "$out" "$err" >"$tmp/log"
	is "exit status" "$rc" 0
}

# Loud events of root whose number has a 7.
expected() {
	awk -v n="$1" 'BEGIN {
		for (i = 0; i < n; i++)
			if (i % (i < 20000 ? 1000 : 2) == 0 && i % 3 == 0 && i ~ /7/)
				print i
	}'
}

rules rules.yaml <<'Y'
- rule: Loud
  desc: d
  condition: dear.kind = loud and dear.who = root and dear.what contains 7
  output: "loud %dear.num"
  priority: INFO
  source: dear
Y
run_dear 20000
is "rules match what they should when hardly any event needs a field" \
	"$(grep -o 'loud [0-9]*$' <<<"$out" | cut -d' ' -f2)" "$(expected 20000)"
check "which then is not asked for on every event" test "$(asked who)" -lt 10000
is "but what the others wait for is" "$(asked kind)" 20000

run_dear 40000
is "rules match what they should when many events need it later" \
	"$(grep -o 'loud [0-9]*$' <<<"$out" | cut -d' ' -f2)" "$(expected 40000)"
check "which then is asked for on every event again" test "$(asked who)" -gt 20000

rules rules.yaml <<'Y'
- rule: Often
  desc: d
  condition: dear.num >= 0
  output: "often %dear.who"
  priority: INFO
  source: dear
- rule: Never
  desc: d
  condition: dear.num = 123456789
  output: "never %dear.dump"
  priority: INFO
  source: dear
Y
run_dear 10000
is "every event an alert" "$(grep -c 'often \(root\|user\)$' <<<"$out")" 10000
is "with a field that is asked for once" "$(asked who)" 10000
is "and nothing is asked for that no alert prints" "$(asked dump)" 0
check "nothing left" nothing_left

finish
