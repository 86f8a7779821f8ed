#!/usr/bin/env bash
# The driver itself: it finds the bug in driver_victim.c whatever way that dies, leaves the
# input on disk, replays it, and says the same thing twice.
set -u
victim=$1
export TEST_TMPDIR=${TEST_TMPDIR:-$(mktemp -d)}
fail() {
	echo "driver_test: $*" >&2
	exit 1
}

"$victim" >"$TEST_TMPDIR/clean" 2>&1 || fail "a target without a bug failed"
grep -q '3 inputs as they are, 20000 mutations' "$TEST_TMPDIR/clean" || fail "$(cat "$TEST_TMPDIR/clean")"

for way in abort exit segv term; do
	VICTIM_DIES_BY=$way "$victim" >"$TEST_TMPDIR/out" 2>&1 && fail "$way went unnoticed"
	input=$(sed -n 's/^fuzz: input is in //p' "$TEST_TMPDIR/out")
	[ -n "$input" ] && grep -q needle "$input" || fail "$way: no input left: $(cat "$TEST_TMPDIR/out")"
	VICTIM_DIES_BY=$way MEWS_FUZZ_REPLAY=1 "$victim" "$input" >/dev/null 2>&1 &&
		fail "$way: does not replay"
	MEWS_FUZZ_REPLAY=1 "$victim" "$input" >/dev/null 2>&1 || fail "$way: replay fails by itself"
	mv "$input" "$TEST_TMPDIR/first"
	VICTIM_DIES_BY=$way "$victim" >"$TEST_TMPDIR/out" 2>&1
	input=$(sed -n 's/^fuzz: input is in //p' "$TEST_TMPDIR/out")
	cmp "$TEST_TMPDIR/first" "$input" || fail "$way: two runs differ"
done
exit 0
