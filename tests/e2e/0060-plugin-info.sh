#!/usr/bin/env bash
# What mews tells of a plugin, by file and by configuration.
. "$(dirname "$0")/lib.sh"

run_mews plugin-info "$plugins/plain.so"
is "plugin-info of a file" "$rc" 0
check "has Falco's block" out_has '^Name: kit$'
check "with capabilities" out_has "^  - Event Sourcing \\(ID=4242, source='kit'\\)$"
check "and extraction" out_has '^  - Field Extraction$'
check "nothing left" nothing_left

run_mews plugin-info "$plugins/schema.so"
check "a schema is shown though no configuration fits yet" out_has '^Init config schema type: JSON$'
check "whole" out_has '"maximum":65535'

rules none.yaml <<<'[]'
config falco.yaml <<Y
rules_files: [$tmp/none.yaml]
plugins:
  - {name: schema, library_path: $plugins/schema.so, init_config: {port: 80}}
  - {name: kit, library_path: $plugins/plain.so}
Y
run_mews -c "$tmp/falco.yaml" --plugin-info schema
check "open params, with what they mean" out_has '^n=3: three events$'
check "open params without" out_has '^n=5$'
run_mews -c "$tmp/falco.yaml" --plugin-info "$plugins/plain.so"
check "by library path" out_has '^Name: kit$'
run_mews -c "$tmp/falco.yaml" --plugin-info nobody
is "an unknown name" "$rc" 1
check "is told" err_says "can't find plugin and print its info: nobody"

run_mews -c "$tmp/falco.yaml" --list-plugins
is "--list-plugins" "$rc $(head -1 <<<"$out")" "0 2 Plugins Loaded:"
run_mews -c "$tmp/falco.yaml" --list=kit -N
is "--list -N" "$(grep '^kit' <<<"$out" | paste -sd' ')" "kit.num kit.text"

run_mews plugin-info "$plugins/fault_crash_init.so"
check "a plugin whose init crashes can be shown: it is not initialised without need" \
	out_has '^Name: fault$'
run_mews plugin-info "$plugins/table_user.so"
is "a plugin that needs the table of threads to be initialised" "$rc" 0
check "nothing left" nothing_left
finish
