#!/usr/bin/env bash
# Plugins that try to get out, in the constructor, in init and while events run: each
# attempt must come to what tests/hostile/cases.txt says, and must not be noticed by others.
. "$(dirname "$0")/../hostile/lib.sh"
cases=$root/tests/hostile/cases.txt

acceptable() { # OUTCOME ERRNO WANTED ANSWERS
	[ "$1" = "$3" ] || return 1
	case ,$4, in
	,-, | *",$2,"*) return 0 ;;
	esac
	return 1
}

for plugin in $(awk '!/^#/ {print $1}' "$cases" | uniq); do
	for moment in constructor init next_batch; do
		library=$plugin
		[ $moment = constructor ] && library=${plugin}_ctor
		attack "$library" "moment=$moment"
		while read -r _ try wanted answers; do
			read -r outcome error <<<"$(report "$try")"
			if acceptable "${outcome:-}" "${error:-}" "$wanted" "$answers"; then
				pass "$plugin in $moment: $try is $outcome ($error)"
			else
				fail "$plugin in $moment: $try is ${outcome:-not reported} (${error:-}), not $wanted ($answers)"
			fi
		done < <(awk -v p="$plugin" '$1 == p' "$cases")
		# What it tries and the table does not know would go unseen.
		is "$plugin in $moment: every attempt is in the table" \
			"$(awk '{print $1}' <<<"$reports" | sort)" \
			"$(awk -v p="$plugin" '$1 == p {print $2}' "$cases" | sort)"
		check "$plugin in $moment: broker and neighbour are unharmed" unharmed
	done
done
finish
