#!/usr/bin/env bash
# The rules engine against recordings of Falco: every condition, rules file and output of
# the folder in $MEWS_GOLDEN, or ../shared/golden beside this repository.
set -u
cd "$(dirname "$0")/../.." || exit 1
golden=${MEWS_GOLDEN:-../shared/golden}
if [ ! -e "$golden/conditions.jsonl" ]; then
	echo "ok 1 - engine agrees with recordings # SKIP no recordings in $golden"
	echo "1..1"
	exit 0
fi
bazel build //rules:golden_check >/dev/null 2>&1 || {
	echo "not ok 1 - golden_check builds"
	exit 1
}
n=0
while IFS= read -r line; do
	case $line in
	*": "*" of "*" agree")
		n=$((n + 1))
		read -r agree _ total _ <<<"${line#*: }"
		if [ "$agree" = "$total" ]; then
			echo "ok $n - $line"
		else
			echo "not ok $n - $line"
		fi
		;;
	*) echo "# $line" ;;
	esac
done < <(bazel-bin/rules/golden_check -v "$golden")
[ "$n" = 3 ] || echo "not ok $((n + 1)) - golden_check ran to its end"
echo "1..$n"
