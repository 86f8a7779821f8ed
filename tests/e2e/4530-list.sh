#!/usr/bin/env bash
# mews list: fields as Falco's --list gives them; mews help.
. "$(dirname "$0")/lib.sh"

config falco.yaml <<Y
plugins: [{name: kit, library_path: $plugins/plain.so}]
Y
run_mews list kit --plugin "$plugins/plain.so" -N
is "names" "$rc $(grep '^kit' <<<"$out" | paste -sd' ')" "0 kit.num kit.text"
for how in "" "--format markdown" "--format json" -v; do
	# shellcheck disable=SC2086
	run_mews -c "$tmp/falco.yaml" --list=kit $how
	wanted=$out
	# shellcheck disable=SC2086
	run_mews list kit -c "$tmp/falco.yaml" $how
	is "the same as --list ${how:-in text}" "$out" "$wanted"
done
run_mews list nobody --plugin "$plugins/plain.so"
is "a source that is not there" "$rc" 1
run_mews list --plugin "$plugins/plain.so" -c "$tmp/falco.yaml"
check "plugins are given one way" err_says "exclude each other"

run_mews help
is "help" "$rc" 0
commands=$(sed -n 's/^  mews \([a-z-]*\) .*/\1/p' <<<"$out" | sort -u)
for name in $commands; do
	run_mews "$name" --help
	[ "$name" = help ] ||
		check "$name --help has an example" grep -qE "^  mews $name( |\$)" <<<"$out"
	is "and succeeds" "$rc" 0
done
run_mews help check
check "help of a command" out_has '^mews check '
run_mews help nonsense
is "help of no command" "$rc" 1
finish
