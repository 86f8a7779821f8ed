#!/usr/bin/env bash
# Limits of a plugin that may start processes, and groups where this host gives one to
# divide: made for each worker, gone after it.
. "$(dirname "$0")/../hostile/lib.sh"

limits="limits: {processes: 3, threads: 4, memory: 256M}"
attack forks only=many "profile: pure"
is "without a word of it: no processes" "$(report many)" "denied EPERM"
attack forks only=many "$limits"
n=$(sed -n 's/^many stopped_at_\([0-9]*\) .*/\1/p' <<<"$reports")
[ "${n:-0}" -ge 3 ] && [ "$n" -le 7 ]
holds "processes, bounded together with threads ($n of at most 3 + 4)"
is "and again, once they have ended" "$(report again)" "got 0"
check "processes: broker and neighbour are unharmed" unharmed
attack forks only=stays "$limits"
is "a process that stays" "$(report stays)" "got 0"
check "goes with the worker: broker and neighbour are unharmed" unharmed
attack forks only=memory "$limits"
n=$(sed -n 's/^memory stopped_at_\([0-9]*\) .*/\1/p' <<<"$reports")
check "memory of one of four processes (${n:-none} MiB)" test "${n:-999}" -le 256
if "$mews" sandbox | grep -q 'cgroup  *no'; then
	check "is its part, where no cgroup counts them together" test "${n:-999}" -le 64
	config falco.yaml <<Y
rules_files: [$tmp/hostile.yaml]
plugins: [{name: hostile, library_path: $plugins/forks.so, sandbox: {limits: {processes: 1, cpu: 50%}}}]
Y
	run_mews run -c "$tmp/falco.yaml" --enable-source hostile
	check "a share of the CPU for several processes is not promised there" err_has 'delegated cgroup'
fi

# A group to divide, if one can be made.
mount=$(awk '$3 == "cgroup2" {print $2; exit}' /proc/mounts)
group=$mount/mews-test-$$
if [ -z "$mount" ] || ! mkdir "$group" 2>/dev/null; then
	skip "cgroups" "none can be made here"
	finish
fi
switched=
give_back() {
	local controller
	cleanup
	echo $$ >"$mount/cgroup.procs"
	until_true 3 rmdir "$group" 2>/dev/null
	for controller in $switched; do
		echo "-$controller" >"$mount/cgroup.subtree_control"
	done
}
trap give_back EXIT
[ ${#as_user[@]} = 0 ] || chown -R 61234 "$group"
for controller in memory pids cpu; do
	grep -qw $controller "$mount/cgroup.subtree_control" && continue
	echo "+$controller" 2>/dev/null >"$mount/cgroup.subtree_control" && switched+=" $controller"
done
in_group() { # in_group COMMAND...: as what runs there
	echo $BASHPID >"$group/cgroup.procs"
	"$@"
	echo $BASHPID >"$mount/cgroup.procs"
}
in_group run_mews sandbox
check "a cgroup that nobody delegated is left alone" out_has 'cgroup +no +.*not delegated'
setfattr -n user.delegate -v 1 "$group" 2>/dev/null ||
	python3 -c "import os, sys; os.setxattr(sys.argv[1], 'user.delegate', b'1')" "$group"
in_group run_mews sandbox
if ! out_has 'cgroup +yes'; then
	skip "cgroups" "$(sed -n 's/^ *cgroup  *no *//p' <<<"$out")"
	check "without controllers nothing is made" test -z "$(find "$group" -mindepth 1 -type d)"
	in_group attack forks only=many "$limits"
	check "and plugins run" unharmed
	finish
fi
has() { # has CONTROLLER
	out_has "cgroup +yes.*\b$1"
}
has pids && pids=yes
has cpu && cpu=yes
has memory && memory=yes
config falco.yaml <<Y
rules_files: [$tmp/hostile.yaml]
plugins:
  - name: canary
    library_path: $plugins/canary.so
    open_params: "n=100000,pause_us=2000"
    sandbox: {limits: {processes: 3, threads: 4, memory: 256M, cpu: 50%}}
Y
echo $BASHPID >"$group/cgroup.procs"
start_mews run -c "$tmp/falco.yaml" --enable-source canary
echo $BASHPID >"$mount/cgroup.procs"
until_true 10 grep -q 'canary 20$' "$tmp/out"
of_worker=$(find "$group" -mindepth 1 -type d -name 'mews-*.*' | head -1)
check "a worker has a group of its own" grep -qx "$(workers)" "$of_worker/cgroup.procs"
is "the broker is beside it" "$(cat "$group/cgroup.procs")" ""
[ -z "${pids:-}" ] || is "its processes are bounded" "$(cat "$of_worker/pids.max")" 8
[ -z "${cpu:-}" ] || is "so is its CPU time" "$(cat "$of_worker/cpu.max")" "50000 100000"
[ -z "${memory:-}" ] || is "so is its memory" "$(cat "$of_worker/memory.max")" $(((256 + 96) << 20))
kill -TERM "$mews_pid"
check "it ends" wait_mews 10
is "and no group is left behind" "$(find "$group" -mindepth 1 -type d)" ""
for try in many memory stays; do
	in_group attack forks "only=$try" "$limits"
	check "in a group, $try: broker and neighbour are unharmed" unharmed
	is "in a group, $try: no group is left behind" "$(find "$group" -mindepth 1 -type d)" ""
done
# A broker that is killed leaves empty ones; the next start removes them.
echo $BASHPID >"$group/cgroup.procs"
start_mews run -c "$tmp/falco.yaml" --enable-source canary
echo $BASHPID >"$mount/cgroup.procs"
until_true 10 grep -q 'canary 20$' "$tmp/out"
kill -KILL "$mews_pid"
wait_mews 5
nothing_left
in_group run_mews run "$plugins/canary.so" --open-params n=1
is "after a kill the next start clears up" "$(find "$group" -mindepth 1 -type d)" ""
finish
