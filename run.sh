#!/usr/bin/env bash
# The demo: installs what is missing (Debian 12), builds, and runs three example plugins
# under mews: one that gives alerts, one that crashes, one that tries to get out.
# Ends by itself; exit status 0 when all three went as this page says.
set -eu
cd "$(dirname "$0")"
# shellcheck source=.ci/setup.sh
. .ci/setup.sh

# shellcheck disable=SC2086 # the names are several words
install_packages $build_packages
echo "building ..."
log=$(mktemp)
DEMO_STATE=$(mktemp -d) # crash records of the demo
trap 'rm -rf "$log" "$DEMO_STATE"' EXIT
if ! bazel build //broker:mews //worker:mews-worker //worker/launch:mews-launcher \
	//demo:all >"$log" 2>&1; then
	grep -v linux-sandbox "$log" | tail -40
	exit 1
fi

DEMO=$PWD/bazel-bin/demo DEMO_FILES=$PWD/demo
export DEMO DEMO_FILES DEMO_STATE
failures=0

say() {
	if [ -t 1 ]; then
		printf '\n\033[1m%s\033[0m\n' "$*"
	else
		printf '\n%s\n' "$*"
	fi
}

# act RULES... -- PLUGIN...: one run of mews, shown and kept in $log.
act() {
	local args=() n=0
	while [ "$1" != -- ]; do
		args+=(-r "demo/$1")
		shift
	done
	shift
	for plugin in "$@"; do
		args+=(-o "load_plugins[$n]=$plugin" --enable-source "$plugin")
		n=$((n + 1))
	done
	DEMO_START=$(date +%s%3N)
	export DEMO_START
	bazel-bin/broker/mews run -c demo/falco.yaml "${args[@]}" 2>&1 | tee "$log"
}

# expect WORDS WHY: the act's output has a line with these words.
expect() {
	if ! grep -qE -- "$1" "$log"; then
		echo "run.sh: expected $2, but no line has: $1" >&2
		failures=$((failures + 1))
	fi
}

say "1. A plugin reads a cluster's audit log; rules find what matters in it."
act audit_rules.yaml -- audit
expect 'Critical Secrets of kube-system read \(user=tomasz' "an alert"

say "2. The same, beside a plugin that crashes on its eighth record, and comes back."
act audit_rules.yaml doors_rules.yaml -- audit doors
expect 'doors.*(crash|SIGSEGV|signal)' "the crash to be reported"
expect 'Critical Secrets of kube-system read' "the neighbour to go on"
[ "$(grep -c 'Server room opened' "$log")" -ge 4 ] || {
	echo "run.sh: expected the crashed plugin to come back" >&2
	failures=$((failures + 1))
}

say "3. A plugin that reads the host's passwords, calls home and starts a shell: or tries to."
act weather_rules.yaml -- weather
for what in 'reading /etc/shadow' 'opening a socket' 'starting /bin/sh'; do
	expect "the plugin reports .*$what: [A-Z]" "the plugin to be told no"
done
if grep -q 'GOT IT' "$log"; then
	echo "run.sh: the plugin got out" >&2
	failures=$((failures + 1))
fi

say "Done. README.md says how to run your own plugins."
exit "$failures"
