#!/usr/bin/env bash
# Calls into the kernel and the C library fail, one at a time, wherever the broker and the
# launcher make them: a run ends with a clear error, or carries on and its results are
# right. Never a crash, a hang, a process or a file that is left.
#   MEWS_SWEEP=all    every place of every call; otherwise each call's first places, then
#                     fewer and fewer
. "$(dirname "$0")/lib.sh"
[ -e "$built/tests/faults/inject.so" ] || skip_all "tests/faults is not built"
install -m 755 "$built/tests/faults/inject.so" "$tmp/inject.so"
events=64

rules rules.yaml <<'Y'
- rule: Every
  desc: all of them
  condition: kit.num >= 0 and poison.len > 0
  output: kit %kit.num
  priority: INFO
  source: kit
Y
install -d -m 777 "$tmp/state"
config falco.yaml <<Y
rules_files: [$tmp/rules.yaml]
watch_config_files: true
sandbox: {state_dir: $tmp/state, ctl_socket: $tmp/ctl.sock}
plugins:
  - {name: kit, library_path: $plugins/plain.so, open_params: "n=$events"}
  - {name: poison, library_path: $plugins/extractor_poison.so, sandbox: {restart: {max: 9, backoff_min: 1ms, backoff_max: 2ms}}}
Y

# The launcher has an environment of its own: what fails there is written into a script
# in its place.
launcher=$bin/worker/launch/mews-launcher
mv "$launcher" "$launcher.real"
launcher_with() { # launcher_with VARIABLE=VALUE...
	{
		echo '#!/bin/sh'
		echo "exec env $* $launcher.real \"\$@\""
	} >"$launcher.new"
	chmod 755 "$launcher.new"
	mv "$launcher.new" "$launcher"
}

# injected PROGRAM VARIABLE=VALUE...: one run; sets verdict to what is wrong with it, or "".
injected() {
	local program=$1
	shift
	rm -f "$tmp/ctl.sock"
	printf 0 >"$tmp/seen"
	set -- "LD_PRELOAD=$tmp/inject.so" "MEWS_FAULT_IN=$program" "MEWS_FAULT_SEEN=$tmp/seen" "$@"
	if [ "$program" = mews ]; then
		launcher_with
		as_user=(env "$@")
	else
		launcher_with "$@"
		as_user=()
	fi
	MEWS_TIMEOUT=20 run_mews run -c "$tmp/falco.yaml" --enable-source kit
	verdict=$(judge)
}

# All events but the one that the helper dies of, each once.
complete() {
	[ "$(grep -o 'Informational kit [0-9]*$' <<<"$out" | sed 's/.* //' | sort -n | paste -sd' ')" = "$wanted" ]
}
wanted=$(seq 0 $((events - 1)) | grep -vx 13 | paste -sd' ')

judge() {
	if [ "$rc" -ge 124 ]; then
		echo "it hangs, or dies: exit status $rc"
	elif [ "$rc" -ne 0 ]; then
		grep -qiE 'error|cannot|no memory|out of memory|failed|lost|gone|too many' <<<"$err" || echo "it fails (exit $rc) and does not say why"
	elif ! complete; then
		# What was not written was counted, and said.
		err_has '(alert|output|line).*(lost|dropped|fail|not written)|No space|Input/output|failed for good' ||
			echo "it succeeds, and alerts are missing"
	fi
	nothing_left || echo "processes are left: $(ours | paste -sd' ')"
	[ ! -e "$tmp/ctl.sock" ] || echo "its socket is left"
	[ -z "$(find "$tmp/state" -name '*.part')" ] || echo "half a record is left"
}

# sweep PROGRAM CALL ERRNO [+]
sweep() {
	local n=1 runs=0 bad=0
	while :; do
		injected "$1" "MEWS_FAULT=$2:$n${4:-}:$3"
		[ "$(head -c1 "$tmp/seen")" = 1 ] || break
		runs=$((runs + 1))
		if [ -n "$verdict" ]; then
			bad=$((bad + 1))
			echo "# $1, call $n of $2: $verdict"
			tail -5 <<<"$err" | sed 's/^/#   /'
		fi
		if [ "${MEWS_SWEEP:-}" = all ]; then
			n=$((n + 1))
		else
			n=$((n + 1 + n * 2 / 3))
		fi
	done
	[ $runs -gt 0 ] || bad="it is never called"
	is "$1: $2 fails with $3${4:+ from then on}, in $runs places" "$bad" 0
}

injected mews
is "nothing fails" "$verdict $rc" " 0"
while read -r program call error on; do
	sweep "$program" "$call" "$error" "$on"
done <<'T'
mews malloc ENOMEM
mews calloc ENOMEM
mews realloc ENOMEM
mews memfd_create EMFILE
mews socketpair EMFILE
mews epoll_create1 EMFILE
mews epoll_ctl ENOMEM
mews eventfd EMFILE
mews pipe2 EMFILE
mews ftruncate ENOSPC
mews fstat EIO
mews mmap ENOMEM
mews write EIO
mews write ENOSPC +
mews read EIO
mews sendmsg EAGAIN
mews recvmsg ENOMEM
mews pthread_create EAGAIN
mews posix_spawn EAGAIN
mews open EMFILE
mews openat ENOSPC
mews mkdir ENOSPC
mews renameat ENOSPC
mews getrandom EINTR
mews inotify_init1 EMFILE
mews sigaction EPERM
mews-launcher.real malloc ENOMEM
mews-launcher.real calloc ENOMEM
mews-launcher.real memfd_create EMFILE
mews-launcher.real socketpair EMFILE
mews-launcher.real pipe2 EMFILE
mews-launcher.real clone3 EAGAIN
mews-launcher.real fork EAGAIN
mews-launcher.real write EIO
mews-launcher.real read EIO
mews-launcher.real sendmsg EAGAIN
mews-launcher.real recvmsg ENOMEM
mews-launcher.real open EMFILE
mews-launcher.real openat EMFILE
mews-launcher.real fcntl EMFILE
mews-launcher.real setsockopt EPERM
mews-launcher.real waitid EINTR
T

# right NAME: the run just before was complete.
right() {
	is "$1" "$verdict$rc" 0
}
for program in mews mews-launcher.real; do
	injected "$program" MEWS_FAULT_STORM_US=300
	right "$program: interrupted three thousand times a second"
done
injected mews MEWS_FAULT_CLOCK=2
right "a wall clock that leaps by hours, to and fro"
injected mews MEWS_FAULT_CLOCK=50
right "and less often"

launcher_with
bad=0 failed=0
for n in 5 6 7 8 9 10 11 12 13 14 15 16 18 20 22 24 26 28 30 34 38 42 46 50 60 70 80 90 120 240; do
	as_user=(prlimit "--nofile=$n:$n")
	MEWS_TIMEOUT=20 run_mews run -c "$tmp/falco.yaml" --enable-source kit
	verdict=$(judge)
	[ "$rc" = 0 ] || failed=$((failed + 1))
	[ -z "$verdict" ] || {
		bad=$((bad + 1))
		echo "# $n descriptors: $verdict"
		tail -5 <<<"$err" | sed 's/^/#   /'
	}
done
as_user=()
is "too few descriptors ($failed of 30 numbers are too few)" "$bad" 0
check "some are too few, and some are not" test "$failed" -gt 3 -a "$failed" -lt 28
finish
