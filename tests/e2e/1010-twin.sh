#!/usr/bin/env bash
# The twin run: what a plugin gives confined and unconfined is equal, byte by byte.
. "$(dirname "$0")/lib.sh"

{
	n=0
	for field in g.str g.word g.opt g.long g.num g.big g.bool g.ip g.rel g.abs g.strs g.nums g.ips \
		'g.key[a]' 'g.idx[3]' g.any g.path g.b64 g.argv evt.plugininfo; do
		n=$((n + 1))
		cat <<Y
- rule: R$n
  desc: d
  condition: $field exists
  output: "%evt.num $field=%$field"
  priority: INFO
  source: golden
Y
	done
} >"$tmp/rules.yaml"
chmod 644 "$tmp/rules.yaml"

twin() { # PROFILE FORMAT
	config falco.yaml <<Y
rules_files: [$tmp/rules.yaml]
rule_matching: all
json_output: $2
plugins:
  - {name: golden, library_path: $plugins/golden.so, sandbox: {profile: $1}}
Y
	run_mews run -c "$tmp/falco.yaml" --enable-source golden
}

for json in false true; do
	twin unconfined $json
	is "unconfined runs (json_output: $json)" "$rc" 0
	[ "$(wc -l <<<"$out")" -gt 3000 ]
	holds "and gives alerts"
	reference=$out
	check "unconfined is said aloud" err_has "[Uu]nconfined|UNCONFINED"
	for profile in pure file-reader; do
		twin $profile $json
		is "$profile: exit status" "$rc" 0
		check "$profile: equal output (json_output: $json)" test "$out" = "$reference"
	done
done

for plugin in plain cpp; do
	run_mews run "$plugins/$plugin.so" --open-params n=100
	pure=$out
	is "$plugin: confined by default" "$rc" 0
	name=kit
	[ $plugin = cpp ] && name=cpp
	config falco.yaml <<Y
plugins:
  - {name: $name, library_path: $plugins/$plugin.so, open_params: "n=100", sandbox: {profile: unconfined}}
Y
	rules any.yaml <<Y
- rule: Any
  desc: d
  condition: $name.num exists
  output: "%$name.num %$name.text"
  priority: INFO
  source: $name
Y
	run_mews run -c "$tmp/falco.yaml" -r "$tmp/any.yaml" --enable-source $name
	unconfined=$out
	sed -i 's/unconfined/pure/' "$tmp/falco.yaml"
	run_mews run -c "$tmp/falco.yaml" -r "$tmp/any.yaml" --enable-source $name
	check "$plugin: twins are equal" test "$out" = "$unconfined"
	is "$plugin: as many events as mews run shows" "$(grep -c '^{' <<<"$pure")" 100
done
finish
