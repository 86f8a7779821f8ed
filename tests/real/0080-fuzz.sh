#!/usr/bin/env bash
# Real plugins under mews fuzz: what is known to be wrong with them is found without being
# told where.
. "$(dirname "$0")/lib.sh"
built_plugin dummy
built_plugin okta
built_plugin json

for file in mews-fuzz-worker mews-instrumented-worker; do
	[ -e "$built/worker/fuzz/$file" ] || skip_all "$file is not built"
	install -D -m 755 "$built/worker/fuzz/$file" "$bin/worker/fuzz/$file"
done

run_mews fuzz "$real/libdummy.so" --runs 400000 --seed 1 --stop-at-first --out "$tmp/dummy"
is "dummy: found within 400000 executions" "$rc" 3
check "the division by zero" out_has '^crash	.*integer divide by zero'
is "of dummy.divisible[0]" \
	"$(jq -r '.case[] | select(.part == "field") | .field + "[" + .text + "]"' "$tmp"/dummy/findings/*/reproducer.json)" \
	"dummy.divisible[0]"
check "with Go's own stack" \
	grep -q 'dummy.(\*Plugin).Extract' "$tmp"/dummy/findings/*/report.txt

run_mews fuzz "$real/libokta.so" --runs 20000 --seed 1 --stop-at-first --out "$tmp/okta"
is "okta: found within 20000 executions" "$rc" 3
check "a value of the wrong type" out_has '^crash	.*interface conversion'

# What its parser does with a text that ends too early takes some steps to find: breakpoints show
# them, though the plugin was built for nothing of the kind.
run_mews fuzz "$real/libjson.so" --runs 400000 --seed 1 --max-bytes 128 --stop-at-first --out "$tmp/json"
is "json: found within 400000 executions" "$rc" 3
check "in its parser" out_has '^crash	.*slice bounds out of range'
check "many blocks were seen" test "$(sed -n 's/^coverage: \([0-9]*\) of .*/\1/p' <<<"$out")" -ge 1000
run_mews fuzz --replay "$tmp"/json/findings/crash-*/reproducer.json
is "again, in the plugin itself" "$rc" 3
run_mews fuzz "$real/libjson.so" --runs 400000 --seed 1 --max-bytes 128 --coverage none --out "$tmp/blind"
is "not found without them" "$rc" 0
check "nothing left" nothing_left
finish
