#!/usr/bin/env bash
# Who may use whom (ARCHITECTURE.md): what a worker is made of, and what it needs.
. "$(dirname "$0")/lib.sh"
cd "$root" || exit 1

deps=$(bazel query 'deps(//worker:mews-worker)' 2>/dev/null)
check "Bazel knows the worker" test -n "$deps"
is "nothing of the broker, the rules or the policy is in the worker" \
	"$(grep -E '^//(broker|rules|policy)[:/]' <<<"$deps")" ""
is "no YAML, no libseccomp, no libevent, no HTTP in it" \
	"$(grep -E '^//third:(yaml|seccomp|event|curl|re2)$' <<<"$deps")" ""
is "it needs libc and its loader alone" \
	"$(readelf -d "$built/worker/mews-worker" | sed -n 's/.*NEEDED.*\[\(.*\)\]/\1/p' |
		grep -vE '^(libc|libgcc_s|ld-linux-[a-z0-9-]*|libpthread|libdl|libm)\.so' | paste -sd' ')" ""
is "the broker loads no plugin: no dlopen" \
	"$(nm -D --undefined-only "$built/broker/mews" | grep -cw dlopen)" 0
is "nor does the launcher" \
	"$(nm -D --undefined-only "$built/worker/launch/mews-launcher" | grep -cw dlopen)" 0
deps=$(bazel query 'deps(//rules:all)' 2>/dev/null)
is "the rules know no processes, rings or plugins" \
	"$(grep -E '^//(broker|worker|policy|proto)[:/]' <<<"$deps" | head)" ""
finish
