#!/usr/bin/env bash
# Plugins that say something monstrous of themselves are refused when loaded, with one
# error, soon, and without the broker growing.
. "$(dirname "$0")/../hostile/lib.sh"

rules none.yaml <<<'[]'
for which in huge deep many nameless control unterminated null_fields wild; do
	config falco.yaml <<Y
rules_files: [$tmp/none.yaml]
plugins:
  - {name: monster, library_path: $plugins/monster_$which.so}
Y
	# A broker that swallowed 100 MB could not do so within this.
	(
		ulimit -v $((1 << 21))
		run_mews run -c "$tmp/falco.yaml" --enable-source monster
		printf '%s\n' "$rc" >"$tmp/rc"
	)
	rc=$(cat "$tmp/rc")
	out=$(tr -d '\000' <"$tmp/out") err=$(tr -d '\000' <"$tmp/err")
	[ "$rc" -ne 0 ] && [ "$rc" -lt 124 ]
	holds "$which: refused"
	check "$which: with an error that names the plugin" err_has 'Error: .*monster'
	check "$which: in few words" test "${#err}" -lt 5000
	check "$which: without control characters" test -z "$(tr -d '[:print:]\n\t' <<<"$err")"
	check "$which: nothing left" nothing_left
done

run_mews plugin-info "$plugins/monster_huge_text.so"
check "a description of 100 MB: refused, or cut" test $((${#out} + ${#err})) -lt 200000
check "a description of 100 MB: ends well" test "$rc" -lt 124
check "a description of 100 MB: nothing left" nothing_left
finish
