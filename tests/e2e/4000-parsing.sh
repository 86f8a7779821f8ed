#!/usr/bin/env bash
# Plugins that parse events: each event before it is extracted from, and before the next.
. "$(dirname "$0")/lib.sh"

rules rules.yaml <<'Y'
- rule: Kit
  desc: fields of parsers in conditions and in outputs
  condition: kit.num >= 0 and parser.last > 0
  output: "kit %evt.num %parser.parsed %parser.last %parser.source %only_kit.parsed %only_kit.last %other.parsed"
  priority: INFO
  source: kit
- rule: Canary
  desc: d
  condition: canary.num >= 0
  output: "canary %evt.num %parser.parsed %parser.last %parser.source %only_kit.parsed"
  priority: INFO
  source: canary
- rule: Feed
  desc: a source that parses its own events, and one parser more
  condition: feed.last >= 0
  output: "feed %evt.num %feed.parsed %feed.last %feed.source %parser.last"
  priority: INFO
  source: feed
Y
config falco.yaml <<Y
rules_files: [$tmp/rules.yaml]
plugins:
  - {name: parser, library_path: $plugins/parser.so}
  - {name: kit, library_path: $plugins/plain.so, open_params: "n=700"}
  - {name: canary, library_path: $plugins/canary.so, open_params: "n=20"}
  - {name: feed, library_path: $plugins/parser_source.so, open_params: "n=500"}
  - {name: only_kit, library_path: $plugins/parser_kit.so}
  - {name: other, library_path: $plugins/parser_other.so}
Y
run_mews run -c "$tmp/falco.yaml" --disable-source syscall
is "exit status" "$rc" 0
alerts() {
	grep -o "Informational $1 .*" <<<"$out" | sed 's/^Informational //'
}
is "each event is parsed just before it is extracted from" \
	"$(alerts kit | md5sum)" \
	"$(for ((i = 1; i <= 700; i++)); do echo "kit $i $i $i kit $i $i 0"; done | md5sum)"
is "on every source, with a state of its own; not where it is for another source" \
	"$(alerts canary | md5sum)" \
	"$(for ((i = 1; i <= 20; i++)); do echo "canary $i $i $i canary 0"; done | md5sum)"
is "a source's own parser, and another plugin's" \
	"$(alerts feed | md5sum)" \
	"$(for ((i = 1; i <= 500; i++)); do echo "feed $i $i $i feed $i"; done | md5sum)"
check "nothing left" nothing_left

# A parser that nobody asks for fields parses all the same.
rules none.yaml <<'Y'
- rule: Some
  desc: d
  condition: kit.num = 650 or kit.num = 20
  output: "kit %evt.num %parser.parsed"
  priority: INFO
  source: kit
Y
config none.yaml.conf <<Y
rules_files: [$tmp/none.yaml]
plugins:
  - {name: kit, library_path: $plugins/plain.so, open_params: "n=700"}
  - {name: parser, library_path: $plugins/parser.so}
Y
run_mews run -c "$tmp/none.yaml.conf" --disable-source syscall
is "what outputs alone ask for is what it was at that event" "$(alerts kit | paste -sd,)" \
	"kit 21 21,kit 651 651"
finish
