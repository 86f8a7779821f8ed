#!/usr/bin/env bash
# Builds and tests everything, on a fresh Debian 12 too. Closes with one line:
#   N passed, N failed, N skipped
#
# ./test.sh          all of it
# ./test.sh quick    format, unit tests and fuzz targets alone
# ./test.sh e2e      the end-to-end scripts alone (after a build)
# ./test.sh real     real plugins alone; MEWS_PLUGINS_DIR=DIR adds any folder of plugins
set -u
cd "$(dirname "$0")" || exit 1
# shellcheck source=.ci/setup.sh
. .ci/setup.sh
mode=${1:-all}

passed=0 failed=0 skipped=0
failures=()

count() { # count KIND NAME
	case $1 in
	ok) passed=$((passed + 1)) ;;
	skip) skipped=$((skipped + 1)) ;;
	*)
		failed=$((failed + 1))
		failures+=("$2")
		;;
	esac
}

finish() {
	local name
	echo
	for name in "${failures[@]+"${failures[@]}"}"; do
		echo "FAILED: $name"
	done
	echo "$passed passed, $failed failed, $skipped skipped"
	[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
	exit
}

# One check that is a command: its name, then the command.
check() {
	local name=$1 out
	shift
	if out=$("$@" 2>&1); then
		count ok "$name"
	else
		echo "not ok - $name"
		printf '%s\n' "$out" | tail -40
		count fail "$name"
	fi
}

# Scripts that print TAP: "ok N - what", "not ok N - what", "ok N - what # SKIP why".
tap() {
	local script=$1 line seen=0 rc
	echo "== $script"
	while IFS= read -r line; do
		printf '%s\n' "$line"
		case $line in
		"ok "*"# SKIP"*) count skip "$script: $line" ;;
		"ok "*) count ok "$script: $line" ;;
		"not ok "*) count fail "$script: $line" ;;
		"exit status "*) rc=${line#exit status } && [ "$rc" = 0 ] || count fail "$script: $line" ;;
		*) continue ;;
		esac
		seen=1
	done < <(
		bash "$script" 2>&1
		echo "exit status $?"
	)
	[ "$seen" = 1 ] || count fail "$script: said nothing"
}

# bazel test, its targets counted one by one.
bazel_tests() {
	local name=$1 log line target verdict
	shift
	log=$(mktemp)
	echo "== bazel test $*"
	bazel test --keep_going "$@" >"$log" 2>&1
	local rc=$? n=0
	while IFS= read -r line; do
		target=${line%% *}
		verdict=$(printf '%s\n' "$line" | grep -oE '(PASSED|FAILED TO BUILD|FAILED|TIMEOUT|NO STATUS|SKIPPED)' | head -1)
		case $verdict in
		PASSED) count ok "$name $target" ;;
		SKIPPED) count skip "$name $target" ;;
		"") continue ;;
		*) count fail "$name $target" ;;
		esac
		n=$((n + 1))
	done < <(grep -E '^//[^ ]+ .*(PASSED|FAILED|TIMEOUT|NO STATUS|SKIPPED)' "$log")
	if [ $rc -ne 0 ] || [ $n -eq 0 ]; then
		grep -vE '^//.* PASSED' "$log" | tail -150
		[ $n -gt 0 ] || count fail "bazel test $* (exit $rc)"
	fi
	echo "   $n targets, exit $rc"
	# A build failure with no failed row must not look green.
	if [ $rc -ne 0 ] && ! grep -qE '^//[^ ]+ .*(FAILED|TIMEOUT|NO STATUS)' "$log"; then
		count fail "bazel test $* (exit $rc)"
	fi
	rm -f "$log"
}

lint_format() {
	local bad
	bad=$(git ls-files '*.c' '*.h' | grep -v '^tests/real/' | xargs clang-format --dry-run --Werror 2>&1 | head -20)
	[ -z "$bad" ] || {
		echo "$bad"
		return 1
	}
}

# Calls that this codebase does not make (HACKING.md says why).
lint_banned() {
	local bad
	bad=$(git ls-files 'base/*.c' 'proto/*.c' 'policy/*.c' 'rules/*.c' 'worker/*.c' 'broker/*.c' |
		grep -v '_test\.c$' |
		xargs grep -nE '(^|[^_[:alnum:]])(strcpy|strcat|sprintf|vsprintf|strtok|atoi|gets|alloca|system|popen|signal)\(' |
		grep -vE '^[^:]+:[0-9]+:[[:space:]]*(/\*|\*|//)')
	[ -z "$bad" ] || {
		echo "$bad"
		return 1
	}
}

lint_size() {
	local bad
	bad=$(git ls-files '*.c' '*.h' '*.cc' | xargs wc -l | awk '$2 != "total" && $1 > 1000')
	[ -z "$bad" ] || {
		echo "files past 1,000 lines:"
		echo "$bad"
		return 1
	}
}

lint_shell() {
	git ls-files '*.sh' .ci/run | xargs shellcheck -x -S warning
}

install_packages $build_packages $test_packages || exit 1

if [ "$mode" = all ] || [ "$mode" = quick ]; then
	check "format (.clang-format)" lint_format
	check "banned calls" lint_banned
	check "file sizes" lint_size
	check "shell scripts" lint_shell
	bazel_tests opt //...
fi
if [ "$mode" = all ]; then
	# The sanitizers run what parses other people's bytes and what shares memory.
	for san in asan ubsan; do
		bazel_tests $san --config=$san --build_tests_only \
			//base/... //proto/... //policy/... //rules/... //broker/...
	done
	bazel_tests tsan --config=tsan --build_tests_only //proto/...
fi
if [ "$mode" = all ] || [ "$mode" = e2e ] || [ "$mode" = real ]; then
	check "build of what runs" bazel build //broker:mews //worker:mews-worker \
		//worker/launch:mews-launcher //worker/egress:mews-egress //tests/plugins/... //tests/doubles/... //tests/faults/... //tests/hostile/... \
		//worker/fuzz/... //tests/fuzzing/... //demo/...
fi
if [ "$mode" = all ] || [ "$mode" = e2e ]; then
	for script in tests/e2e/[0-9]*.sh; do
		[ -e "$script" ] && tap "$script"
	done
	tap tests/soak/soak.sh
	check "./run.sh" ./run.sh
fi
if [ "$mode" = all ] || [ "$mode" = real ]; then
	for script in tests/real/[0-9]*.sh; do
		[ -e "$script" ] && tap "$script"
	done
fi
# Last: one of them needs the real plugins.
if [ "$mode" = all ] || [ "$mode" = e2e ]; then
	for script in tests/golden/[0-9]*.sh; do
		[ -e "$script" ] && tap "$script"
	done
fi
finish
