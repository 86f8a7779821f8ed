#!/usr/bin/env bash
# Layers that others come before, one by one: with those taken away it still stops its
# attempt, and without it the attempt succeeds. A layer that no attempt needs would not be
# known to do anything.
. "$(dirname "$0")/../hostile/lib.sh"
mutant=$built/worker/launch/mews-launcher-mutant
[ -e "$mutant" ] || skip_all "mews-launcher-mutant is not built"
[ "$(id -u)" = 0 ] || skip_all "needs root: to put things on the host that must not be found"
install -m 755 "$mutant" "$bin/worker/launch/mews-launcher"

# What is there to be found: a segment that anybody may read, and a place in the host's tree
# of cgroups.
key=0x$(printf '%x' $((0x6d000000 + $$)))
segment=$(python3 - "$key" <<'P'
import ctypes, sys
print(ctypes.CDLL(None).shmget(int(sys.argv[1], 0), 4096, 0o1666))
P
)
cgroup=$(awk '$3 == "cgroup2" {print $2; exit}' /proc/mounts)/mews-test.$$
mkdir "$cgroup" 2>/dev/null || cgroup=
leave() {
	[ "${segment:--1}" = -1 ] || ipcrm -m "$segment"
	[ -z "$cgroup" ] || rmdir "$cgroup"
	cleanup
}
trap leave EXIT

mutated() { # mutated LAYERS PLUGIN: sets reports
	local before=$BASHPID
	export MEWS_TEST_WITHOUT=$1
	[ -z "$cgroup" ] || echo "$before" >"$cgroup/cgroup.procs"
	attack "$2" "moment=next_batch,only=$key"
	[ -z "$cgroup" ] || echo "$before" >"${cgroup%/*}/cgroup.procs"
	unset MEWS_TEST_WITHOUT
}

seen=
while read -r layer before plugin try outcome; do
	seen+=" $layer"
	if [ "$layer" = cgroup ] && [ -z "$cgroup" ]; then
		skip "$layer" "no cgroup can be made here"
		continue
	fi
	mutated "${before#-}" "$plugin"
	is "$layer alone, without $before: $try" "$(report "$try" | cut -d' ' -f1)" "$outcome"
	[ "$before" = - ] && before=
	mutated "${before:+$before,}$layer" "$plugin"
	is "without $layer, too: $try" "$(report "$try" | cut -d' ' -f1)" got
done < <(grep -v '^#' "$root/tests/hostile/alone.txt")
check "there are layers" test "$(wc -w <<<"$seen")" -ge 6
finish
