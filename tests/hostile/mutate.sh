#!/usr/bin/env bash
# Takes one layer away at a time, by a launcher that is built for this alone, and says which
# tests then fail: a layer whose loss nobody notices is either not needed or not tested.
# Layers that others come before are taken away together with those by 8220-alone.sh.
# Minutes; not a part of test.sh.
#
#   tests/hostile/mutate.sh [LAYER...]
#
# MUTATE_WITH: other end-to-end scripts to run than these, by name.
#
# MEWS_BUILT: a folder laid out like bazel-bin, to build nothing.
set -u
root=$(cd "$(dirname "$0")/../.." && pwd)
all=(user pid net ipc uts cgroup root landlock no-new-privs no-caps rlimits seccomp mdwe)
layers=("$@")
[ $# -gt 0 ] || layers=("${all[@]}")
read -ra scripts <<<"${MUTATE_WITH:-1000-confinement 1400-layers 8000-attempts 8020-signatures 8060-resources 8100-network 8210-pairs}"
built=${MEWS_BUILT:-$root/bazel-bin}

[ -n "${MEWS_BUILT:-}" ] || (
	cd "$root" && bazel build //broker:mews //worker:mews-worker //worker/egress:mews-egress \
		//tests/plugins/... //tests/hostile/...
) || exit 1

mutant=$(mktemp -d "${TMPDIR:-/tmp}/mews-mutate.XXXXXX")
chmod 755 "$mutant"
trap 'rm -rf "$mutant"' EXIT
for dir in broker worker worker/egress tests/plugins tests/hostile; do
	mkdir -p "$mutant/$dir"
	find -L "$built/$dir" -maxdepth 1 -type f \( -name '*.so' -o -perm -100 \) \
		-exec ln -s {} "$mutant/$dir/" \;
done
mkdir -p "$mutant/worker/launch"
ln -s "$built/worker/launch/mews-launcher-mutant" "$mutant/worker/launch/mews-launcher"
ln -s "$built/worker/launch/mews-launcher-mutant" "$mutant/worker/launch/"

failing() { # failing SCRIPT: what fails, by the script's name
	MEWS_PATIENCE=1 MEWS_BUILT=$mutant timeout 300 bash "$root/tests/e2e/$1.sh" 2>/dev/null |
		sed -n "s/^not ok [0-9]* - /$1: /p"
}
# What fails with all layers there says nothing about one.
always=$(for script in "${scripts[@]}"; do failing "$script"; done)
alone=$(MEWS_BUILT=$mutant bash "$root/tests/e2e/8220-alone.sh" 2>/dev/null)

unnoticed=0
for layer in "${layers[@]}"; do
	failed=$(for script in "${scripts[@]}"; do MEWS_TEST_WITHOUT=$layer failing "$script"; done |
		grep -vxF -- "${always:-nothing}")
	attempts=$(grep -v '^1000-\|^1400-' <<<"$failed" | grep -c .)
	by_itself=$(sed -n "s/^ok [0-9]* - without $layer, too: //p" <<<"$alone" | paste -sd' ')
	[ "$attempts" -gt 0 ] || [ -n "$by_itself" ] || unnoticed=$((unnoticed + 1))
	printf '%-13s %4d tests fail, %d of them attempts%s\n' "without $layer" \
		"$(grep -c . <<<"$failed")" "$attempts" "${by_itself:+; alone: $by_itself}"
	sed 's/^/    /' <<<"$failed" | awk -F: 'NF > 1 {k = $1; if (c[k]++ < 6) print} END {for (k in c) if (c[k] > 6) print k ": and " c[k] - 6 " more"}'
done
echo "layers whose loss no attempt shows: $unnoticed"
[ $unnoticed = 0 ]
