#!/usr/bin/env bash
# Events that plugins inject: into a source of events, and where there is none.
. "$(dirname "$0")/lib.sh"

alerts() {
	grep -o "Informational $1 .*" <<<"$out" | sed 's/^Informational //'
}
rules rules.yaml <<'Y'
- rule: Injected
  desc: d
  condition: evt.is_async = true and evt.asynctype = async.tick
  output: "injected %evt.num %async.data id=%async.id parsed=%async.parsed %evt.source %evt.rawtime %evt.pluginname %kit.num %evt.plugininfo"
  priority: INFO
  source: kit
- rule: Kit
  desc: d
  condition: evt.is_async = false
  output: "kit %evt.num %kit.num %async.parsed %evt.asynctype %evt.reltime"
  priority: INFO
  source: kit
Y
# Times between those of the source: event i of the kit is at 1700000000 s + i ms.
config falco.yaml <<Y
rules_files: [$tmp/rules.yaml]
plugins:
  - {name: async, library_path: $plugins/async.so, init_config: "n=3,wait_us=250000,ts=1700000000004500000"}
  - {name: kit, library_path: $plugins/plain.so, open_params: "n=8,pause_us=100000"}
Y
run_mews run -c "$tmp/falco.yaml" --disable-source syscall
is "exit status" "$rc" 0
is "merged by their times, numbered and parsed in that order, with the source's id" \
	"$(grep -oE '(injected|kit) .*' <<<"$out")" "$(
		for i in 1 2 3 4 5; do echo "kit $i $((i - 1)) $i <NA> 00$((i - 1))000000"; done
		echo "injected 6 event 0 id=4242 parsed=6 kit 1700000000004500000 <NA> <NA> <NA>"
		echo "injected 7 event 1 id=4242 parsed=7 kit 1700000000004500001 <NA> <NA> <NA>"
		echo "injected 8 event 2 id=4242 parsed=8 kit 1700000000004500002 <NA> <NA> <NA>"
		for i in 6 7 8; do echo "kit $((i + 3)) $((i - 1)) $((i + 3)) <NA> 00$((i - 1))000000"; done
	)"

# What the source makes of its own events has the numbers of the merged stream, too.
rules feed.yaml <<'Y'
- rule: Feed
  desc: d
  condition: evt.is_async = false
  output: "feed %evt.num %feed.last %feed.parsed"
  priority: INFO
  source: feed
- rule: Injected
  desc: d
  condition: evt.is_async = true
  output: "injected %evt.num %async.parsed"
  priority: INFO
  source: feed
Y
config feed.yaml.conf <<Y
rules_files: [$tmp/feed.yaml]
plugins:
  - {name: async, library_path: $plugins/async.so, init_config: "n=3,wait_us=250000,ts=1700000000004500000"}
  - {name: feed, library_path: $plugins/parser_source.so, open_params: "n=8,pause_us=100000"}
Y
run_mews run -c "$tmp/feed.yaml.conf" --disable-source syscall
is "the source's own parser counts as everybody does" \
	"$(grep -oE '(feed|injected) [0-9].*' <<<"$out")" "$(
		for i in 1 2 3 4 5; do echo "feed $i $i $i"; done
		for i in 6 7 8; do echo "injected $i $i"; done
		for i in 9 10 11; do echo "feed $i $i $((i - 3))"; done
	)"

# Without a time they are due at once, though the source's next_batch blocks.
config block.yaml <<Y
rules_files: [$tmp/rules.yaml]
plugins:
  - {name: kit, library_path: $plugins/plain.so, open_params: "n=2,pause_us=4000000"}
  - {name: async, library_path: $plugins/async.so, init_config: "n=50,bad"}
  - {name: async_kit, library_path: $plugins/async_kit.so, init_config: "n=20,pause_us=1000"}
Y
start_mews run -c "$tmp/block.yaml" --disable-source syscall
all_there() {
	[ "$(grep -c "injected .* parsed=" "$tmp/out")" = 50 ]
}
check "a source that blocks holds nothing up" until_true 3 all_there
check "the source is still at its first event" test "$(grep -c 'Informational kit' "$tmp/out")" = 0
kill -TERM "$mews_pid"
check "it stops" wait_mews 10
check "unknown name" err_says \
	"unknown name: 1 'incompatible async event 'unheard' produced by plugin: async'"
check "a thread on a plugin's source" err_says \
	"with thread: 1 'async events of plugin 'async' can have no thread associated with open event source 'kit''"
check "malformed" err_says "two parameters: 1 'malformed async event produced by plugin: async'"
check "a type of another kind" err_says "another type, no room for words: 1 ''"
check "from the future: success, and dropped" err_says "a minute ahead: 0 ''"
check "with a warning" err_says "async event ts too far in future"
check "none of them came" test "$(grep -c future <<<"$out")" = 0
check "the handler is taken away at the end" err_says "handler taken away"
check "nothing left" nothing_left

# No driver, no source: system calls' pipeline lives of what is injected.
rules syscall.yaml <<'Y'
- rule: Injected
  desc: d
  condition: evt.type = async.tick and evt.asynctype = async.tick
  output: "injected %evt.num %async.data id=%async.id %evt.source"
  priority: INFO
Y
config nodriver.yaml <<Y
engine: {kind: nodriver}
rules_files: [$tmp/syscall.yaml]
plugins:
  - {name: async, library_path: $plugins/async.so, init_config: "n=4"}
Y
start_mews run -c "$tmp/nodriver.yaml"
four() {
	[ "$(grep -c "injected" "$tmp/out")" = 4 ]
}
check "events without any source" until_true 5 four
kill -TERM "$mews_pid"
check "it stops" wait_mews 10
is "with id 0" "$(alerts injected)" "$(for i in 1 2 3 4; do echo "injected $i event $((i - 1)) id=0 syscall"; done)"

config refuses.yaml <<Y
rules_files: [$tmp/rules.yaml]
plugins:
  - {name: kit, library_path: $plugins/plain.so, open_params: "n=2"}
  - {name: async, library_path: $plugins/async_refuses.so}
Y
run_mews run -c "$tmp/refuses.yaml" --disable-source syscall
is "a plugin that takes no handler ends the run" "$rc" 1
check "with Falco's words" err_says \
	"can't set async event handler for plugin 'async' : async: out of order"

# After a crash the handler is given anew.
config crash.yaml <<Y
rules_files: [$tmp/rules.yaml]
plugins:
  - {name: kit, library_path: $plugins/plain.so, open_params: "n=200,pause_us=50000"}
  - {name: async, library_path: $plugins/async.so, init_config: "n=2"}
Y
start_mews run -c "$tmp/crash.yaml" --disable-source syscall
times() {
	[ "$(grep -c 'injected .* event 1 ' "$tmp/out")" = "$1" ]
}
check "events before the crash" until_true 5 times 1
for pid in $(workers); do
	if grep -qa async "/proc/$pid/cmdline"; then kill -SEGV "$pid"; fi
done 2>/dev/null
check "and after it" until_true 5 times 2
kill -TERM "$mews_pid"
check "it stops" wait_mews 10
check "nothing left" nothing_left
finish
