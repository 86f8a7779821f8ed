#!/usr/bin/env bash
# mews fuzz: each planted bug is found within a counted number of executions from one seed,
# confined, and can be done again.
. "$(dirname "$0")/lib.sh"

for file in mews-fuzz-worker mews-instrumented-worker mews-asan-fuzz-worker mews-asan-worker; do
	[ -e "$built/worker/fuzz/$file" ] || skip_all "$file is not built"
	install -D -m 755 "$built/worker/fuzz/$file" "$bin/worker/fuzz/$file"
done
install -m 755 "$built"/tests/fuzzing/*.so "$plugins/" || exit 1

# Whoever runs mews writes there.
campaigns=$tmp/campaigns
mkdir "$campaigns"
[ ${#as_user[@]} = 0 ] || chown 61234:61234 "$campaigns"

# found PLUGIN KIND RUNS WHAT [OPTION...]: a finding of KIND whose headline has WHAT, within
# RUNS executions; its reproducer does the same again.
found() {
	local plugin=$1 kind=$2 runs=$3 what=$4 name dir
	shift 4
	name="$plugin${1:+ $*}"
	rm -rf "$campaigns/fuzz"
	run_mews fuzz "$plugins/$plugin.so" --runs "$runs" --seed 1 --hang-ms 300 \
		--stop-at-first --fail-on "$kind" --out "$campaigns/fuzz" "$@"
	is "$name: found within $runs executions" "$rc" 3
	check "$name: as what it is" out_has "^$kind	.*$what"
	dir=$(awk -F'\t' -v kind="$kind" '$1 == kind { print $3; exit }' <<<"$out")
	run_mews fuzz --replay "$dir/reproducer.json" --hang-ms 300
	is "$name: again" "$rc" 3
	check "$name: the same again" out_has "^$kind: .*$what"
}

found bug_magic crash 200000 'extract_fields: SIGSEGV'
is "a stack tells where" "$(jq -r '.stack[0]' "$campaigns"/fuzz/findings/crash-*/report.json | sed 's/0x[0-9a-f]*/N/')" \
	"bug_magic.so+N plugin_extract_fields"
check "made small: the eight bytes and what asks for them" \
	test "$(jq '.bytes' "$campaigns"/fuzz/findings/crash-*/report.json)" -le 24
gdb -batch -ex run -ex bt --args "$bin/worker/fuzz/mews-fuzz-worker" --alone \
	"$plugins/bug_magic.so" extract "$campaigns"/fuzz/findings/crash-*/case </dev/null >"$tmp/gdb" 2>&1
check "a debugger stops where it happens" grep -q 'SIGSEGV' "$tmp/gdb"
check "in the plugin" grep -qE '^#0 .*(bug_crash|bug_extract|plugin_extract_fields)' "$tmp/gdb"

found bug_number crash 100000 'extract_fields: SIGSEGV'
found bug_checksum crash 200000 'extract_fields: SIGSEGV'
found bug_hang hang 100000 'extract_fields did not return'
found bug_memory memory 200000 'one case took [0-9]+ bytes'
found bug_denial denial 100000 'tried to read'
found bug_overread crash 300000 'extract_fields: SIGSEGV'
found bug_length breach 100000 'several values, and it is no list'
found bug_freed breach 100000 'points to memory that was freed'
found bug_wild breach 100000 'a text cannot be read'
found bug_exit crash 300000 'exit\(0\) was called'
found bug_overflow sanitizer 200000 'signed integer overflow'

found bug_heap sanitizer 200000 'AddressSanitizer: heap-buffer-overflow$'
is "the address sanitizer's stack tells where" "$(jq -r '.stack[0]' "$campaigns"/fuzz/findings/sanitizer-*/report.json | sed 's/0x[0-9a-f]*/N/')" \
	"bug_heap.so+N"

found bug_calls crash 200000 'init: SIGSEGV' --target init
found bug_calls crash 100000 'open: SIGSEGV' --target open
found bug_calls crash 100000 'parse_event: SIGSEGV' --target parse
is "two events in a row are both in the reproducer" \
	"$(jq '[.case[] | select(.part == "event")] | length' "$campaigns"/fuzz/findings/crash-*/reproducer.json)" 2
found bug_system crash 200000 'parse_event: SIGSEGV' --target parse
is "an open and a close are in the reproducer" \
	"$(jq -r '[.case[] | select(.part == "event") | .id] | map(tostring) | join(" ")' "$campaigns"/fuzz/findings/crash-*/reproducer.json)" "3 4"
found bug_calls breach 20000 "another plugin's id" --target source
found bug_calls breach 20000 "another plugin's id" --target source --open-params '{pipe}'
found bug_calls breach 100 'did not list' --target async

# As somebody builds for libFuzzer.
if command -v clang >/dev/null; then
	for bug in MAGIC CHECKSUM; do
		clang -O1 -shared -fPIC -fsanitize=fuzzer-no-link -D_GNU_SOURCE -DBUG=$bug \
			-I"$root" "$root/tests/fuzzing/extract_bugs.c" -o "$plugins/libfuzzer_$bug.so"
		found "libfuzzer_$bug" crash 300000 'extract_fields: SIGSEGV'
	done
else
	skip "a plugin built for libFuzzer" "no clang"
fi

# A webhook, on a port of its own.
port=$((20000 + $$ % 12000))
hook() {
	run_mews fuzz "$@" --sandbox "{listen: [tcp:$port]}"
}
rm -rf "$campaigns/fuzz"
hook "$plugins/bug_post.so" --target source --open-params "http://127.0.0.1:$port/hook" \
	--runs 2000 --seed 1 --stop-at-first --fail-on crash --out "$campaigns/fuzz"
is "bug_post: found within 2000 requests" "$rc" 3
check "in the batch that a request makes" out_has '^crash	.*next_batch: SIGSEGV'
hook --replay "$campaigns"/fuzz/findings/crash-*/reproducer.json
is "posted again" "$rc" 3
hook "$plugins/bug_post.so" --target source --open-params "https://127.0.0.1:$port/hook" --out "$campaigns/fuzz"
is "TLS is not spoken" "$rc" 1
check "and it is told" err_says 'by http:// alone'

# As it comes, without instrumentation: breakpoints show the way, step by step.
found bug_ladder crash 2000000 'extract_fields: SIGSEGV'
found bug_plain crash 100000 'extract_fields: SIGSEGV'
rm -rf "$campaigns/fuzz"
run_mews fuzz "$plugins/bug_ladder.so" --runs 2000000 --seed 1 --coverage none --out "$campaigns/fuzz"
is "not found without them" "$rc" 0
run_mews fuzz "$plugins/bug_ladder.so" --runs 2000 --seed 1 --out "$campaigns/fuzz"
check "blocks are counted" out_has '^coverage: [1-9][0-9]* of [1-9][0-9]* blocks$'
check "nothing is left of the copy" test -z "$(find "$campaigns/fuzz" -name 'plugin-*')"

printf 'exis' >"$tmp/exit"
echo '- "exit"' >"$tmp/exit.yaml"

# An event that a broker set aside.
base64 -w0 >"$tmp/event" < <(
	printf '\377\377\377\377\377\377\377\377\377\377\377\377\377\377\377\377'
	printf '\056\000\000\000\102\001\002\000\000\000\004\000\000\000\010\000\000\000\060\021\000\000'
	printf 'mews\001\376!?'
)
echo "{\"kind\":\"extract\",\"plugin\":\"bug\",\"library_path\":\"$plugins/bug_magic.so\",\"fields\":[\"bug.num\"],\"event\":\"$(cat "$tmp/event")\"}" >"$tmp/aside.json"
run_mews fuzz --replay "$tmp/aside.json"
is "an event set aside is done again" "$rc" 3
check "to the same end" out_has '^crash: extract_fields: SIGSEGV'
run_mews fuzz --replay "$tmp/aside.json" "$plugins/bug_none.so"
is "a plugin without the bug survives it" "$rc $out" "0 nothing happened"
run_mews fuzz --replay "$tmp/aside.json" --fail-on hang,breach
is "a finding that --fail-on does not name" "$rc" 0
rm -rf "$campaigns/fuzz"
run_mews fuzz "$plugins/bug_magic.so" --seeds "$tmp/aside.json" --runs 1000 --stop-at-first --out "$campaigns/fuzz"
is "and it is a seed" "$rc" 3

# Jobs: one folder, one finding, and executions of all.
rm -rf "$campaigns/fuzz"
run_mews fuzz "$plugins/bug_magic.so" --jobs 2 --runs 400000 --seed 1 --out "$campaigns/fuzz"
is "two jobs" "$rc" 3
is "find it once" "$(grep -c '^crash	' <<<"$out") $(find "$campaigns/fuzz/findings" -name report.json | wc -l)" "1 1"
check "executions of both are counted" \
	test "$(sed -n 's/^\([0-9]*\) executions.*/\1/p' <<<"$out")" -ge 400000
run_mews fuzz "$plugins/bug_magic.so" --jobs 2 --stop-at-first --out "$campaigns/fuzz"
is "the first to find ends both" "$rc" 3
run_mews fuzz "$plugins/bug_magic.so" --jobs 2 --engine afl --out "$campaigns/fuzz"
is "AFL++ has jobs of its own" "$rc" 1

# No bug, no finding; the same seed does the same.
run_mews fuzz "$plugins/bug_none.so" --runs 100000 --seed 7 --out "$campaigns/a"
is "a sound plugin" "$rc" 0
check "no findings" out_has ', 0 findings,'
once=$(find "$campaigns/a/corpus-extract" -type f -printf '%f\n' | sort)
run_mews fuzz "$plugins/bug_none.so" --runs 100000 --seed 7 --out "$campaigns/b"
is "one seed, one corpus" "$(find "$campaigns/b/corpus-extract" -type f -printf '%f\n' | sort)" "$once"

# Stopping and going on.
has_corpus() { [ "$(find "$campaigns/c/corpus-extract" -type f 2>/dev/null | wc -l)" -gt 5 ]; }
start_mews fuzz "$plugins/bug_none.so" --out "$campaigns/c"
check "a campaign without an end" until_true 10 has_corpus
kill -INT "$mews_pid"
check "ends when told" wait_mews 10
is "as it should" "$rc" 0
check "and says how far it came" out_has '^[0-9]+ executions, 0 findings, [0-9]+ cases'
cases=$(find "$campaigns/c/corpus-extract" -type f | wc -l)
run_mews fuzz "$plugins/bug_none.so" --runs 2000 --out "$campaigns/c"
check "it goes on from its corpus" test "$(sed -n 's/.* findings, \([0-9]*\) cases.*/\1/p' <<<"$out")" -ge "$cases"

if command -v afl-fuzz >/dev/null; then
	run_mews fuzz "$plugins/bug_exit.so" --seeds "$tmp/exit" --rules "$tmp/exit.yaml" \
		--engine afl --runs 60000 --out "$campaigns/afl"
	is "AFL++ as the engine" "$rc" 3
	check "its finds are told as ours are" out_has '^crash	.*exit\(0\) was called'
else
	skip "AFL++ as the engine" "no afl-fuzz"
fi

run_mews fuzz "$plugins/bug_none.so" --list-targets
is "targets of the plugin" "$(grep '^[a-z]' <<<"$out" | grep -v ' no: ' | cut -d' ' -f1 | paste -sd' ')" "extract init open source"
run_mews fuzz "$plugins/bug_none.so" --target parse --runs 1
is "a target that it has not" "$rc" 1
check "is told" err_says "it parses no events"
run_mews fuzz "$plugins/bug_none.so" --fail-on crash,boom
is "a kind that is none" "$rc" 1
check "nothing left" nothing_left
finish
