#!/usr/bin/env bash
# Where a host gives every layer, every layer holds; and a share of the CPU is a share.
. "$(dirname "$0")/lib.sh"

run_mews sandbox "$plugins/plain.so"
is "mews sandbox: exit status" "$rc" 0
if out_has '^tier 3'; then
	layers="user pid mount net ipc uts cgroup root landlock no-new-privs no-caps rlimits seccomp"
	out_has 'no execution gain +yes' && layers+=" mdwe"
	is "the layers that hold" "$(sed -n 's/^  layers that hold *//p' <<<"$out")" "$layers"
	is "none is missing" "$(sed -n 's/^  missing *//p' <<<"$out")" none
else
	skip "the layers that hold" "this host does not give all"
fi

rules rules.yaml <<'Y'
- {rule: R, desc: d, condition: kit.num < 0, output: x, priority: INFO, source: kit}
Y
share() { # share LIMITS: CPU time of the worker over some seconds, in hundredths of one CPU
	local worker ticks from to
	config falco.yaml <<Y
rules_files: [$tmp/rules.yaml]
plugins:
  - name: kit
    library_path: $plugins/plain.so
    open_params: "n=4000000000"
    sandbox: {$1}
Y
	start_mews run -c "$tmp/falco.yaml" --enable-source kit
	until_true 10 grep -q Opening "$tmp/err"
	sleep 1
	worker=$(workers | head -1)
	ticks=$(awk '{print $14 + $15}' "/proc/$worker/stat")
	from=$(date +%s%N)
	sleep 2
	ticks=$(($(awk '{print $14 + $15}' "/proc/$worker/stat") - ticks))
	to=$(date +%s%N)
	kill -TERM "$mews_pid"
	wait_mews 10 || ticks=-100
	echo $((ticks * 100 * 1000 / ((to - from) / 1000000) / $(getconf CLK_TCK)))
}
# Twice the share, for its burst and for what clocks count in. Without it, all that there is.
used=$(share "limits: {cpu: 10%}")
[ "$used" -ge 0 ] && [ "$used" -le 20 ]
holds "limits: cpu of 10 % ($used % used)"
check "nothing left" nothing_left
finish
