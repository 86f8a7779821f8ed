#!/usr/bin/env bash
# At dlopen time, seen from outside: a plugin's constructor runs for ever, and /proc tells
# what its worker can still do. By the broker's own attestation it would not be there
# otherwise; this does not take its word for it.
. "$(dirname "$0")/lib.sh"

config falco.yaml <<Y
plugins:
  - name: kit
    library_path: $plugins/fault_hang_constructor.so
Y
start_mews run -c "$tmp/falco.yaml" --disable-source syscall

# The shim runs another program, so a process that runs mews-worker is a worker.
worker_there() {
	worker=$(workers | head -1)
	[ -n "$worker" ]
}

worker=
check "a worker is there" until_true 20 worker_there
[ -n "$worker" ] || finish
# It sets up its own confinement first: wait until one of its threads has come to the
# constructor, where it sleeps for ever (in clock_nanosleep or nanosleep).
asleep() {
	cat "/proc/$worker"/task/*/syscall 2>/dev/null | grep -qE '^(230|35) '
}
check "it is in the constructor" until_true 10 asleep
broker=$mews_pid

status() {
	sed -n "s/^$1:[[:space:]]*//p" "/proc/$worker/status"
}

is "Seccomp: a filter is in force" "$(status Seccomp)" 2
is "NoNewPrivs" "$(status NoNewPrivs)" 1
for set in CapInh CapPrm CapEff CapBnd CapAmb; do
	is "$set is empty" "$(status $set)" 0000000000000000
done
is "no supplementary groups" "$(status Groups | tr -d ' ')" ""
[ "$(status NSpid | wc -w)" -ge 2 ]
holds "a pid namespace of its own"
for ns in user pid mnt net ipc uts cgroup; do
	mine=$(readlink "/proc/$broker/ns/$ns") its=$(readlink "/proc/$worker/ns/$ns")
	[ -n "$its" ] && [ "$mine" != "$its" ]
	holds "$ns namespace differs"
done
names=$(ls -A "/proc/$worker/root" 2>/dev/null | sort | paste -sd' ')
! grep -qwE "proc|sys|dev|home|root|var|run|boot|mnt|opt|srv|media" <<<"$names"
holds "the root holds libraries and the plugin alone ($names)"
[ ! -e "/proc/$worker/root/etc/shadow" ] && [ ! -e "/proc/$worker/root/etc/passwd" ]
holds "no /etc/shadow, no /etc/passwd in it"
files=$(find "/proc/$worker/root/" -xdev -type f 2>/dev/null | wc -l)
mounts=$(wc -l <"/proc/$worker/mounts")
[ "$files" -le 40 ] && [ "$mounts" -le 40 ]
holds "few files ($files) and mounts ($mounts)"
! awk '{print $4}' "/proc/$worker/mounts" | grep -vqE '(^|,)ro(,|$)'
holds "every mount is read-only"
! awk '{print $4}' "/proc/$worker/mounts" | grep -vqE '(^|,)nosuid(,|$)'
holds "nosuid on every mount"
others=$(awk 'NR > 2 {print $1}' "/proc/$worker/net/dev" | grep -v '^lo:' | wc -l)
is "no network interface but loopback" "$others" 0
is "core dumps are off" "$(awk '/^Max core file size/ {print $5}' "/proc/$worker/limits")" 0
is "it may write no file" "$(awk '/^Max file size/ {print $4}' "/proc/$worker/limits")" 0
[ "$(ls "/proc/$worker/fd" | sort -n | tail -1)" -le 8 ]
holds "descriptors: only those of the protocol"
! find "/proc/$worker/fd" -type l -lname '/*' -not -lname '/memfd:*' | grep -q .
holds "none of them a file, folder or device"
is "environment: nothing of ours" \
	"$(tr '\0' '\n' <"/proc/$worker/environ" 2>/dev/null | grep -cE '^(HOME|PATH|USER|SSH|AWS)')" 0

kill -TERM "$mews_pid"
check "SIGTERM while a constructor hangs: ends" wait_mews 15
check "nothing left" nothing_left
finish
