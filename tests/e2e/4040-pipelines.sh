#!/usr/bin/env bash
# Pipelines of every kind: system events of a plugin without an id, one plugin on several
# sources, and what Falco refuses to combine.
. "$(dirname "$0")/lib.sh"

alerts() {
	grep -o "Informational $1 .*" <<<"$out" | sed 's/^Informational //'
}
rules system.yaml <<'Y'
- rule: System
  desc: d
  condition: system.type in (3, 5) and evt.num > 0
  output: "system %evt.num %system.tid %system.type %evt.source %evt.pluginname %evt.is_async %parser.parsed %evt.asynctype"
  priority: INFO
Y
config system.conf <<Y
engine: {kind: nodriver}
rules_files: [$tmp/system.yaml]
plugins:
  - {name: system, library_path: $plugins/system_source.so, open_params: "n=4"}
  - {name: parser, library_path: $plugins/parser.so}
Y
run_mews run -c "$tmp/system.conf"
is "a source without an id gives system events" "$(alerts system)" \
	"$(for i in 1 2 3 4; do echo "system $i 77 $((i % 2 ? 3 : 5)) syscall <NA> false $i <NA>"; done)"
is "and ends the run with its end" "$rc" 0
check "it is the plugin that is opened" err_says "Opening 'syscall' source with plugin 'system'"

# One plugin on three sources, injecting, parsing and extracting: three states.
rules three.yaml <<'Y'
- {rule: K, desc: d, condition: kit.num = 7, output: "k %evt.num %async.parsed", priority: INFO, source: kit}
- {rule: C, desc: d, condition: canary.num = 3, output: "c %evt.num %async.parsed", priority: INFO, source: canary}
- {rule: I, desc: d, condition: evt.asynctype = async.tick, output: "i %async.data %evt.source", priority: INFO, source: kit}
- {rule: J, desc: d, condition: evt.asynctype = async.tick, output: "j %async.data %evt.source", priority: INFO, source: canary}
Y
config three.conf <<Y
rules_files: [$tmp/three.yaml]
plugins:
  - {name: kit, library_path: $plugins/plain.so, open_params: "n=12,pause_us=20000"}
  - {name: canary, library_path: $plugins/canary.so, open_params: "n=12,pause_us=20000"}
  - {name: async, library_path: $plugins/async.so, init_config: "n=1"}
Y
run_mews run -c "$tmp/three.conf" --disable-source syscall
is "each source has its own" "$(alerts '[kcij]' | sort | paste -sd,)" \
	"c 5 5,i event 0 kit,j event 0 canary,k 9 9"
run_mews run -c "$tmp/three.conf" --enable-source canary
is "a source that is not enabled is not opened, nor injected into" \
	"$(alerts '[kcij]' | sort | paste -sd,)" "c 5 5,j event 0 canary"

refused() { # refused WORDS ENTRY...
	local words=$1
	shift
	{
		echo "rules_files: [$tmp/none.yaml]"
		echo "plugins:"
		printf -- '  - %s\n' "$@"
	} | config refused.conf
	run_mews run -c "$tmp/refused.conf" --disable-source syscall
	[ "$rc" = 1 ] && err_says "$words"
}
rules none.yaml <<'Y'
- {list: nothing, items: []}
Y
kit="{name: kit, library_path: $plugins/plain.so, open_params: 'n=1'}"
check "one library under two names is one plugin twice" refused \
	"found another plugin with name kit. Aborting." "$kit" "{name: kit2, library_path: $plugins/plain.so}"
check "two plugins of one id" refused "found another plugin with ID 4242. Aborting." "$kit" \
	"{name: impostor, library_path: $plugins/same_id.so}"
check "fields that are there already" refused \
	"supports extraction of field 'kit.num' that is overlapping for source 'kit'" "$kit" \
	"{name: extractor, library_path: $plugins/extractor_overlap.so}"
check "a plugin for a source that nobody has" refused \
	"is loaded but unused as not compatible with any known event source" "$kit" \
	"{name: extractor, library_path: $plugins/extractor_unused.so}"
check "nothing left" nothing_left
finish
