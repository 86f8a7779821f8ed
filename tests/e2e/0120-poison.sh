#!/usr/bin/env bash
# An event that kills an extractor is tried once more, alone, then set aside: the others keep
# their fields, and the event is in a file with what was asked of it.
. "$(dirname "$0")/lib.sh"

rules rules.yaml <<'Y'
- rule: Length
  desc: every event that the extractor survives
  condition: poison.len > 0
  output: "kit %kit.num len %poison.len"
  priority: INFO
  source: kit
Y
install -d -m 777 "$tmp/state"
config falco.yaml <<Y
rules_files: [$tmp/rules.yaml]
sandbox: {state_dir: $tmp/state}
plugins:
  - {name: kit, library_path: $plugins/plain.so, open_params: "n=40"}
  - name: poison
    library_path: $plugins/extractor_poison.so
    sandbox: {restart: {max: 5, backoff_min: 10ms, backoff_max: 50ms}}
Y
run_mews run -c "$tmp/falco.yaml" --enable-source kit
is "exit status" "$rc" 0
n=$(grep -c ': Informational kit ' <<<"$out")
is "all events but the poison one have the field" "$n" 39
check "the poison event is not among them" test -z "$(grep 'kit 13 ' <<<"$out")"
check "the log says what was set aside" err_has "killed plugin 'poison' twice and is set aside"
file=$(find "$tmp/state/quarantine" -name '*.json' | head -1)
is "one event in quarantine" "$(find "$tmp/state/quarantine" -name '*.json' | wc -l)" 1
is "it is the event, with the fields asked for" \
	"$(jq -r '[.kind, .plugin, .source, (.fields | join(",")), (.event | @base64d | .[38:])] | join(" ")' "$file")" \
	"extract poison kit poison.len 13"
is "and a record of each crash" "$(find "$tmp/state/crashes" -name '*.json' | wc -l)" 2
is "which names the signal" \
	"$(jq -r .signal_name "$(find "$tmp/state/crashes" -name '*.json' | head -1)")" ILL
check "nothing left" nothing_left
finish
