#!/usr/bin/env bash
# Real plugins under mews fuzz: what is known to be wrong with them is found without being
# told where.
. "$(dirname "$0")/lib.sh"
built_plugin dummy
built_plugin okta

for file in mews-fuzz-worker mews-instrumented-worker; do
	[ -e "$built/worker/fuzz/$file" ] || skip_all "$file is not built"
	install -D -m 755 "$built/worker/fuzz/$file" "$bin/worker/fuzz/$file"
done

run_mews fuzz "$real/libdummy.so" --runs 20000 --seed 1 --stop-at-first --out "$tmp/dummy"
is "dummy: found within 20000 executions" "$rc" 3
check "the division by zero" out_has '^crash	.*integer divide by zero'
is "of dummy.divisible[0]" \
	"$(jq -r '.case[] | select(.part == "field") | .field + "[" + .text + "]"' "$tmp"/dummy/findings/*/reproducer.json)" \
	"dummy.divisible[0]"
check "with Go's own stack" \
	grep -q 'dummy.(\*Plugin).Extract' "$tmp"/dummy/findings/*/report.txt

run_mews fuzz "$real/libokta.so" --runs 20000 --seed 1 --stop-at-first --out "$tmp/okta"
is "okta: found within 20000 executions" "$rc" 3
check "a value of the wrong type" out_has '^crash	.*interface conversion'
check "nothing left" nothing_left
finish
