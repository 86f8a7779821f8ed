#!/usr/bin/env bash
# Several extraction plugins on one source, each in a worker of its own.
. "$(dirname "$0")/lib.sh"

rules rules.yaml <<'Y'
- rule: Three plugins
  desc: d
  condition: kit.num >= 9 and extractor.len = 2 and only_kit.last = "1"
  output: "%kit.num %extractor.len %only_kit.last %extractor.arg[abc] %extractor.arg[7] %only_kit.arg[x]"
  priority: INFO
  source: kit
- rule: Other source
  desc: d
  condition: extractor.last = "3"
  output: "%canary.num %extractor.last"
  priority: INFO
  source: canary
Y
config falco.yaml <<Y
rules_files: [$tmp/rules.yaml]
plugins:
  - {name: kit, library_path: $plugins/plain.so, open_params: "n=40"}
  - {name: canary, library_path: $plugins/canary.so, open_params: "n=20"}
  - {name: extractor, library_path: $plugins/extractor.so}
  - {name: only_kit, library_path: $plugins/extractor_kit.so}
Y
run_mews run -c "$tmp/falco.yaml" --disable-source syscall
is "exit status" "$rc" 0
is "fields of three plugins in one rule" \
	"$(grep -c . <<<"$(grep 'Informational [0-9]* 2 1 ' <<<"$out")")" 3
# A key comes with an index of all ones, an index with its own text as the key.
check "with arguments by key and by index" out_has \
	'Informational 11 2 1 abc/18446744073709551615 7/7 x/18446744073709551615'
is "an extractor for all sources works on each" \
	"$(grep -o 'Informational [0-9]* 3$' <<<"$out" | sort | paste -sd,)" \
	"Informational 13 3,Informational 3 3"
check "nothing left" nothing_left

finish
