#!/usr/bin/env bash
# State tables in Go, by the C interface: one of a plugin in Rust, and threads.
. "$(dirname "$0")/lib.sh"
built_plugin mews_rs
built_plugin mews_rs_owner
built_plugin mews_go

cat >"$tmp/rules.yaml" <<'Y'
- rule: All
  desc: d
  condition: mews_go.seen > 0
  output: "all %evt.num %mews_rs_owner.hits %mews_go.hits %mews_go.seen %mews_go.threads"
  priority: INFO
  source: mews_rs
Y
config falco.yaml <<Y
rules_files: [$tmp/rules.yaml]
plugins:
  - {name: mews_rs, library_path: $real/libmews_rs.so, init_config: {}, open_params: "43"}
  - {name: mews_rs_owner, library_path: $real/libmews_rs_owner.so}
  - {name: mews_go, library_path: $real/libmews_go.so}
Y
run_mews run -c "$tmp/falco.yaml" --disable-source syscall
is "exit status" "$rc" 0
expected() {
	local n hits
	for ((n = 1; n <= 43; n++)); do
		hits=$(((n - 1) / 5 + 1))
		echo "all $n $hits $hits $((hits * 100)) $n"
	done
}
is "at each event tables hold what was parsed" "$(grep -o 'all [0-9].*' <<<"$out")" "$(expected)"
config alone.yaml <<Y
rules_files: [$tmp/rules.yaml]
plugins:
  - {name: mews_rs, library_path: $real/libmews_rs.so, init_config: {}, open_params: "3"}
  - {name: mews_go, library_path: $real/libmews_go.so}
Y
run_mews run -c "$tmp/alone.yaml" --disable-source syscall
is "without the owner it does not start" "$rc" 1
check "in its own words" err_says "could not initialize plugin: mews_go: a table or a field is not there"
check "nothing left" nothing_left
finish
