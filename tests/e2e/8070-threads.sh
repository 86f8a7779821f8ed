#!/usr/bin/env bash
# Threads that run on after close and destroy end with the worker, restarts or not.
. "$(dirname "$0")/../hostile/lib.sh"

rules threads.yaml <<'Y'
- rule: Thread
  desc: d
  condition: threads.num >= 0
  output: thread %threads.num
  priority: INFO
  source: threads
Y
config falco.yaml <<Y
rules_files: [$tmp/threads.yaml]
plugins:
  - {name: threads, library_path: $plugins/threads.so, open_params: "n=5"}
Y
run_mews run -c "$tmp/falco.yaml" --enable-source threads
is "its events" "$rc $(grep -c Informational <<<"$out")" "0 5"
check "nothing left" nothing_left
finish
