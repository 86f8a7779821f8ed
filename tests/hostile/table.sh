#!/usr/bin/env bash
# Prints what each attempt comes to, and what would have come of it without the system call
# filter: where that is still "denied", a second wall stands behind it (an empty root or
# network, Landlock, resource limits, no capabilities).
#
. "$(dirname "$0")/lib.sh"
cases=$root/tests/hostile/cases.txt
launcher=$bin/worker/launch/mews-launcher
[ -e "$built/worker/launch/mews-launcher-mutant" ] ||
	skip_all "bazel build //worker/launch:mews-launcher-mutant first"
install -m 755 "$built/worker/launch/mews-launcher-mutant" "$launcher"

printf '%-12s %-18s %-8s %-14s %-18s %s\n' plugin attempt outcome answer "without seccomp" "stopped by"
for plugin in $(awk '!/^#/ {print $1}' "$cases" | uniq); do
	attack "$plugin" "moment=next_batch"
	with=$reports
	MEWS_TEST_WITHOUT=seccomp attack "$plugin" "moment=next_batch"
	while read -r try outcome error; do
		read -r bare answer <<<"$(report "$try")"
		case ${bare:-ended} in
		"$outcome") by="seccomp, and another behind it" ;;
		ended) by="seccomp (without it, the attempts end the worker)" ;;
		*) by="seccomp alone" ;;
		esac
		case $error in ENOENT | EROFS) by="root" ;; esac
		printf '%-12s %-18s %-8s %-14s %-18s %s\n' "$plugin" "$try" "$outcome" "$error" \
			"${bare:-ended} ${answer:-}" "$by"
	done <<<"$with"
done
