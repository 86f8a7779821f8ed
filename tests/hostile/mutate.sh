#!/usr/bin/env bash
# Takes one layer away at a time, by launchers that are built for this alone, and says which
# tests then fail: a layer whose loss nobody notices is either not needed or not tested.
# Minutes; not a part of test.sh.
#
#   tests/hostile/mutate.sh [LAYER...]
#
# MUTATE_WITH: other end-to-end scripts to run than these, by name.
#
# MEWS_BUILT: a folder laid out like bazel-bin, to build nothing; its launchers are
# worker/launch/mews-launcher-without-LAYER.
set -u
root=$(cd "$(dirname "$0")/../.." && pwd)
all=(user pid net ipc uts cgroup root landlock no-new-privs no-caps rlimits seccomp mdwe)
layers=("$@")
[ $# -gt 0 ] || layers=("${all[@]}")
read -ra scripts <<<"${MUTATE_WITH:-1000-confinement 1400-layers 8000-attempts 8020-signatures 8060-resources 8100-network}"
built=${MEWS_BUILT:-$root/bazel-bin}

[ -n "${MEWS_BUILT:-}" ] || (
	cd "$root" && bazel build //broker:mews //worker:mews-worker //worker/egress:mews-egress \
		//tests/plugins/... //tests/hostile/... \
		"${layers[@]/#//worker/launch:mews-launcher-without-}"
) || exit 1

work=$(mktemp -d "${TMPDIR:-/tmp}/mews-mutate.XXXXXX")
chmod 755 "$work"
trap 'rm -rf "$work"' EXIT
unnoticed=0
for layer in "${layers[@]}"; do
	mutant=$work/$layer
	for dir in broker worker/egress tests/plugins tests/hostile; do
		mkdir -p "$mutant/$dir"
		find -L "$built/$dir" -maxdepth 1 -type f \( -name '*.so' -o -perm -100 \) \
			-exec ln -s {} "$mutant/$dir/" \;
	done
	mkdir -p "$mutant/worker/launch"
	ln -s "$built/worker/mews-worker" "$mutant/worker/mews-worker"
	ln -s "$built/worker/launch/mews-launcher-without-$layer" "$mutant/worker/launch/mews-launcher"
	failed=$(for script in "${scripts[@]}"; do
		MEWS_BUILT=$mutant timeout 300 bash "$root/tests/e2e/$script.sh" 2>/dev/null |
			sed -n "s/^not ok [0-9]* - /$script: /p"
	done)
	n=$(grep -c . <<<"$failed")
	[ "$n" -gt 0 ] || unnoticed=$((unnoticed + 1))
	printf '%-13s %4d tests fail\n' "without $layer" "$n"
	sed 's/^/    /' <<<"$failed" | awk -F: '{k = $1} c[k]++ < 6 {print} END {for (k in c) if (c[k] > 6) print k ": and " c[k] - 6 " more"}'
done
echo "layers whose loss nobody notices: $unnoticed"
[ $unnoticed = 0 ]
