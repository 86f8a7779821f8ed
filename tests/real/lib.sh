# shellcheck shell=bash
# Sourced by the scripts beside it: published plugins, built by build.sh, under mews.
. "$(dirname "${BASH_SOURCE[0]}")/../e2e/lib.sh"
real=$root/tests/real/out
# As mews finds them when it is installed: two folders up from the program's own.
mkdir -p "$bin/policy"
cp -r "$root/policy/profiles" "$bin/policy/"
samples=$tmp/samples
cp -r "$root/tests/data" "$samples"
chmod -R a+rX "$samples"

built_plugin() { # built_plugin NAME: skips the script when it is not there
	[ -e "$real/lib$1.so" ] || skip_all "lib$1.so is not built (tests/real/build.sh says why)"
}
