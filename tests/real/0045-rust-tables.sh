#!/usr/bin/env bash
# State tables between plugins made with the Rust SDK, each in a worker of its own.
. "$(dirname "$0")/lib.sh"
built_plugin mews_rs
built_plugin mews_rs_owner
built_plugin mews_rs_user

cat >"$tmp/rules.yaml" <<'Y'
- rule: All
  desc: d
  condition: mews_rs_owner.hits > 0
  output: "all %evt.num owner %mews_rs_owner.hits %mews_rs_owner.label user %mews_rs_user.hits %mews_rs_user.seen %mews_rs_user.last %mews_rs_user.sum %mews_rs_user.comm"
  priority: INFO
  source: mews_rs
- rule: Sum
  desc: in a condition, a table of another process
  condition: mews_rs_user.sum = val(mews_rs.num) and mews_rs_user.last = val(evt.num) and evt.num > 40
  output: "sum %evt.num"
  priority: WARNING
  source: mews_rs
Y
config falco.yaml <<Y
rules_files: [$tmp/rules.yaml]
rule_matching: all
plugins:
  - {name: mews_rs, library_path: $real/libmews_rs.so, init_config: {}, open_params: "43"}
  - {name: mews_rs_owner, library_path: $real/libmews_rs_owner.so}
  - {name: mews_rs_user, library_path: $real/libmews_rs_user.so}
Y
run_mews run -c "$tmp/falco.yaml" --disable-source syscall
is "exit status" "$rc" 0
expected() {
	local n hits
	for ((n = 1; n <= 43; n++)); do
		hits=$(((n - 1) / 5 + 1))
		echo "all $n owner $hits event $n user $hits $((hits * 10)) $n $n comm-$n"
	done
}
is "at each event tables hold what was parsed, for their owner and for others" \
	"$(grep -o 'all [0-9].*' <<<"$out")" "$(expected)"
is "in conditions, too" "$(grep -o 'sum [0-9]*' <<<"$out" | paste -sd,)" "sum 41,sum 42,sum 43"

# Without the owner, and behind its user: the SDK refuses a table that is not there.
config late.yaml <<Y
rules_files: [$tmp/rules.yaml]
plugins:
  - {name: mews_rs, library_path: $real/libmews_rs.so, init_config: {}, open_params: "3"}
  - {name: mews_rs_user, library_path: $real/libmews_rs_user.so}
  - {name: mews_rs_owner, library_path: $real/libmews_rs_owner.so}
Y
run_mews run -c "$tmp/late.yaml" --disable-source syscall
is "a table of a plugin loaded later is not seen" "$rc" 1
check "and the plugin says so" err_has "could not initialize plugin: .*rs_counts"
check "nothing left" nothing_left
finish
