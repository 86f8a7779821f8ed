# shellcheck shell=bash
# Sourced by the scripts beside it: runs the built programs and prints TAP.
#
# The programs run from copies in a folder of this script's own, so that what one run left
# behind can be told from everybody else's processes: by the inode of its program.
#
#   MEWS_USER=yes     runs mews as an ordinary user (when started by root)

set -u
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
# What to test: the build, or a folder laid out like it.
built=${MEWS_BUILT:-$root/bazel-bin}
tap_n=0 tap_failed=0
out='' err='' rc=0 # of the last run_mews
as_user=()
# Seconds that are waited at most are those of a machine that has nothing else to do; one
# that has gets this many times as long. Only what fails takes longer for it.
patience=${MEWS_PATIENCE:-6}
mews_pid='' # of the last start_mews

tmp=$(mktemp -d "${TMPDIR:-/tmp}/mews-test.XXXXXX")
chmod 755 "$tmp"
bin=$tmp/bin mews=$tmp/bin/broker/mews plugins=$tmp/plugins
background=()

cleanup() {
	local pid
	# Those that run still: the number of another may be somebody else's by now.
	for pid in $(jobs -pr); do
		[[ " ${background[*]-} " == *" $pid "* ]] && kill -9 "$pid" 2>/dev/null
	done
	for pid in $(ours); do
		kill -9 "$pid" 2>/dev/null
	done
	rm -rf "$tmp"
}
trap cleanup EXIT

skip_all() { # skip_all WHY
	echo "ok 1 - $(basename "$0") # SKIP $*"
	exit 0
}

# Processes of ours that are alive: mews, its launcher, shims and workers.
ours() {
	local ids
	ids=$(find "$bin" -type f -exec stat -c '%d:%i' {} + 2>/dev/null | paste -sd'|')
	[ -n "$ids" ] || return 0
	stat -Lc '%d:%i %n' /proc/[0-9]*/exe 2>/dev/null | grep -E "^($ids) " |
		sed 's,.*/proc/\([0-9]*\)/exe,\1,'
}

stage() {
	local file
	for file in broker/mews worker/mews-worker worker/launch/mews-launcher \
		worker/egress/mews-egress; do
		[ -e "$built/$file" ] || skip_all "$file is not built"
		install -D -m 755 "$built/$file" "$bin/$file"
	done
	mkdir -p "$plugins"
	install -m 755 "$built"/tests/plugins/*.so "$plugins/"
	if [ "${MEWS_USER:-no}" = yes ]; then
		if [ "$(id -u)" = 0 ]; then
			as_user=(setpriv --reuid 61234 --regid 61234 --clear-groups env
				"HOME=$tmp" "TMPDIR=$tmp")
			install -d -m 777 "$tmp/user"
		fi
	fi
}
stage

pass() {
	tap_n=$((tap_n + 1))
	echo "ok $tap_n - $*"
}

fail() {
	tap_n=$((tap_n + 1))
	tap_failed=$((tap_failed + 1))
	echo "not ok $tap_n - $*"
	# What runs still has its say in its files.
	if [ -n "$mews_pid" ] && kill -0 "$mews_pid" 2>/dev/null; then
		out=$(tr -d '\000' <"$tmp/out")
		err=$(tr -d '\000' <"$tmp/err")
	fi
	{
		echo "exit status $rc; stdout:"
		printf '%s\n' "$out" | head -c 3000
		echo "stderr:"
		printf '%s\n' "$err" | tail -c 3000
	} | tr -d '\000' | sed 's/^/# /'
}

skip() { # skip WHAT WHY
	tap_n=$((tap_n + 1))
	echo "ok $tap_n - $1 # SKIP $2"
}

# check NAME COMMAND...: a test that is a command.
check() {
	local name=$1
	shift
	if "$@"; then pass "$name"; else fail "$name"; fi
}

# holds NAME: the command just before it succeeded.
holds() {
	if [ $? = 0 ]; then pass "$1"; else fail "$1"; fi
}

# is NAME GOT WANTED
is() {
	if [ "$2" = "$3" ]; then
		pass "$1"
	else
		fail "$1"
		diff <(printf '%s\n' "$3") <(printf '%s\n' "$2") | head -20 | sed 's/^/# /'
	fi
}

out_has() {
	grep -qE -- "$1" <<<"$out"
}

err_has() {
	grep -qE -- "$1" <<<"$err"
}

err_says() { # the words themselves, no pattern
	grep -qF -- "$1" <<<"$err"
}

# run_mews ARGS...: to its end, at most a minute. Sets out, err, rc.
run_mews() {
	"${as_user[@]+"${as_user[@]}"}" timeout -k 5 "${MEWS_TIMEOUT:-60}" "$mews" "$@" \
		>"$tmp/out" 2>"$tmp/err" </dev/null
	rc=$?
	out=$(tr -d '\000' <"$tmp/out")
	err=$(tr -d '\000' <"$tmp/err")
}

# start_mews ARGS...: in the background; mews_pid is its number. stop_mews waits for it.
start_mews() {
	# Now, not when the program gets to it: nobody must see what the last run said.
	: >"$tmp/out"
	: >"$tmp/err"
	"${as_user[@]+"${as_user[@]}"}" "$mews" "$@" >"$tmp/out" 2>"$tmp/err" </dev/null &
	mews_pid=$!
	background+=("$mews_pid")
}

# wait_mews SECONDS: until it has ended; false (and it is killed) when it has not.
wait_mews() {
	local ended=0 i
	for ((i = 0; i < $1 * patience * 20; i++)); do
		kill -0 "$mews_pid" 2>/dev/null || {
			ended=1
			break
		}
		sleep 0.05
	done
	[ $ended = 1 ] || kill -9 "$mews_pid" 2>/dev/null
	wait "$mews_pid" 2>/dev/null
	rc=$?
	out=$(tr -d '\000' <"$tmp/out")
	err=$(tr -d '\000' <"$tmp/err")
	[ $ended = 1 ]
}

# until_true SECONDS COMMAND...
until_true() {
	local i
	for ((i = 0; i < $1 * patience * 20; i++)); do
		"${@:2}" && return 0
		sleep 0.05
	done
	return 1
}

# The broker: a child of what was started, which is its keeper.
broker_pid() {
	pgrep -P "$mews_pid" -x mews
}

nothing_left() {
	until_true 3 no_process_of_ours
}

no_process_of_ours() {
	[ -z "$(ours)" ]
}

# workers: numbers of the worker processes that are alive.
workers() {
	local id
	id=$(stat -c '%d:%i' "$bin/worker/mews-worker")
	stat -Lc '%d:%i %n' /proc/[0-9]*/exe 2>/dev/null | grep "^$id " |
		sed 's,.*/proc/\([0-9]*\)/exe,\1,'
}

# config FILE: falco.yaml with entries of "plugins" (and any other key) from stdin.
config() {
	{
		echo 'log_stderr: true'
		echo 'log_syslog: false'
		echo 'stdout_output: {enabled: true}'
		cat
	} >"$tmp/$1"
	chmod 644 "$tmp/$1"
}

rules() { # rules FILE: from stdin
	cat >"$tmp/$1"
	chmod 644 "$tmp/$1"
}

finish() {
	echo "1..$tap_n"
	[ $tap_failed = 0 ]
	exit
}
