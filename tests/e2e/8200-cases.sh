#!/usr/bin/env bash
# Every case of tests/hostile/cases.tsv has a test, and every test that it names is there
# and is run: attempts by a look at what their plugins report, others by their source.
. "$(dirname "$0")/../hostile/lib.sh"
hostile=$root/tests/hostile
table=$hostile/cases.tsv

is "the cases are numbered 1 to 92" "$(grep -v '^#' "$table" | cut -f1 | paste -sd' ')" "$(seq -s' ' 92)"

# What the plugins of cases.txt report now.
declare -A reported
for plugin in $(awk '!/^#/ {print $1}' "$hostile/cases.txt" | uniq); do
	attack "$plugin" "moment=next_batch"
	for try in $(awk '{print $1}' <<<"$reports"); do
		reported[$plugin/$try]=yes
	done
done

out="" err="" # what follows are no runs

calls_it() { # calls_it NAME FILES...: one of them has it as a word between quotes
	local name=$1
	shift
	grep -qF "\"$name\"" "$@"
}
script_of() { # script_of NUMBER
	ls "$root/tests/e2e/$1"-*.sh 2>/dev/null | head -1
}

exists() { # exists KIND:WHAT
	local kind=${1%%:*} what=${1#*:} script text
	case $kind in
	attempt)
		[ -n "${reported[$what]:-}" ] &&
			grep -qE "^${what%/*} +${what#*/} " "$hostile/cases.txt"
		;;
	network)
		grep -qE "^[a-z]+ +$what " "$hostile/network.txt" &&
			calls_it "$what" "$hostile/network.c"
		;;
	signature) grep -qE "^[[:space:]]*\{\"$what\"," "$hostile/signatures.c" ;;
	only)
		grep -qE "only\(\"${what#*/}\"\)" "$hostile/${what%/*}.c" &&
			grep -qlE "(attack ${what%/*} .*only=|for (what|door) in .*)\b" "$root"/tests/e2e/8*.sh &&
			grep -qlw -- "${what#*/}" "$root"/tests/e2e/80[0-9]*.sh
		;;
	evil) grep -qE "^[[:space:]]*(ATTACK\($what\)|\{\"$what\")," "$hostile/evil_worker.c" ;;
	side) grep -qE "SIDE\($what\)," "$hostile/evil_side.c" ;;
	check)
		script=$(script_of "${what%%/*}") text=${what#*/}
		[ -n "$script" ] && grep -E '^[[:space:]]*[a-z_]+ ' "$script" |
			grep -qF -- "${text//_/ }"
		;;
	unit)
		text=${what##*/}
		# Defined, and in the list of what is run.
		[ "$(grep -c -- "${text#test_*_}\b" "$root/${what%/*}" 2>/dev/null)" -ge 2 ]
		;;
	*) false ;;
	esac
}

declare -A outcomes
while IFS=$'\t' read -r number name layers outcome tests; do
	[ -n "$tests" ]
	holds "$number, $name: it has a test"
	for layer in $layers; do
		case $layer in
		user | pid | net | ipc | uts | cgroup | root | landlock | no-new-privs | no-caps | rlimits | \
			seccomp | mdwe | preflight | attestation | watch | egress | broker | worker | launcher | \
			supervisor | deadlines | limits | seals | pdeathsig | kernel) ;;
		*) fail "$number, $name: $layer is no layer" ;;
		esac
	done
	case $outcome in
	denied | killed | contained | refused | ignored) outcomes[$outcome]=$((${outcomes[$outcome]:-0} + 1)) ;;
	*) fail "$number, $name: $outcome is no outcome" ;;
	esac
	for test in $tests; do
		check "$number, $name: $test" exists "$test"
	done
done < <(grep -v '^#' "$table")
for outcome in "${!outcomes[@]}"; do
	echo "# ${outcomes[$outcome]} $outcome"
done
# That the checker can say no.
! exists attempt:files_read/nothing && ! exists evil:nothing && ! exists network:nothing &&
	! exists check:8030/nothing_at_all && ! exists unit:policy/preflight_test.c/test_nothing &&
	! exists only:resources/nothing && ! exists signature:nothing && ! exists side:nothing
holds "what does not exist is missed"
finish
