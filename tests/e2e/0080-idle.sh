#!/usr/bin/env bash
# While a source has nothing, nobody works for that: counted, not timed.
. "$(dirname "$0")/lib.sh"

rules rules.yaml <<'Y'
- rule: R
  desc: d
  condition: quiet.num >= 0
  output: number %quiet.num
  priority: INFO
  source: quiet
Y
config falco.yaml <<Y
rules_files: [$tmp/rules.yaml]
plugins:
  - {name: quiet, library_path: $plugins/quiet.so, open_params: "n=1"}
Y

# Times that the threads of these processes lay down to wait.
switches() {
	local pid
	for pid in "$@"; do
		cat "/proc/$pid/task"/*/status 2>/dev/null
	done | awk '/^voluntary_ctxt_switches/ {n += $2} END {print n + 0}'
}

reads() {
	awk '/^syscr/ {print $2}' "/proc/$1/io" 2>/dev/null
}

# The plugin's thread sleeps once per call that times out.
has_timed_out() {
	[ "$(switches "$worker")" -ge $((before_worker + 1000)) ]
}

start_mews run -c "$tmp/falco.yaml" --enable-source quiet
check "an event, and then none" until_true 10 grep -q "number 0" "$tmp/out"
worker=$(workers)
mapfile -t others < <(ours | grep -vx "$worker")
before_worker=$(switches "$worker")
before_others=$(switches "${others[@]}")
before_reads=$(reads "$worker")
check "it times out a thousand times" until_true 30 has_timed_out
woken=$(($(switches "${others[@]}") - before_others))
asked=$(($(reads "$worker") - ${before_reads:-0}))
check "nobody else is woken for that (${#others[@]} processes, $woken times)" [ "$woken" -lt 100 ]
if [ -n "$before_reads" ]; then
	check "and the worker asks for no messages ($asked times)" [ "$asked" -lt 100 ]
else
	skip "the worker asks for no messages" "its reads are not counted"
fi
kill -TERM "$mews_pid"
wait_mews 10
is "it hears that it is to stop" "$rc" 0
finish
