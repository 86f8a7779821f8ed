#!/usr/bin/env bash
# Whatever lib*.so is in MEWS_PLUGINS_DIR: loads and describes itself, confined; a source
# that needs no parameters may also run for a moment. Whatever it does, mews ends well.
. "$(dirname "$0")/lib.sh"
folder=${MEWS_PLUGINS_DIR:-}
[ -n "$folder" ] || skip_all "MEWS_PLUGINS_DIR names no folder"

for library in "$folder"/lib*.so; do
	[ -e "$library" ] || continue
	name=$(basename "$library" .so)
	run_mews plugin-info "$library"
	check "$name: describes itself, or one error says why not" test "$rc" -lt 124
	if [ "$rc" != 0 ]; then
		echo "# $name: $(grep Error <<<"$err" | head -1)"
		continue
	fi
	check "$name: has a name" out_has '^Name: .'
	if out_has 'Event Sourcing'; then
		MEWS_TIMEOUT=5 run_mews run "$library" -n 3
		echo "# $name: exit status $rc, $(grep -c '^{' <<<"$out") events"
		check "$name: runs for a moment without harm" nothing_left
	fi
done
[ $tap_n -gt 0 ] || skip_all "no lib*.so in $folder"
finish
