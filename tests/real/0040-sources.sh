#!/usr/bin/env bash
# Published sources that can work without a network, confined: dummy, cloudtrail on local
# files, and one in Rust.
. "$(dirname "$0")/lib.sh"

if [ -e "$real/libdummy.so" ]; then
	config falco.yaml <<Y
rules_files: [$tmp/dummy.yaml]
plugins:
  - {name: dummy, library_path: $real/libdummy.so, open_params: '{"start": 1, "maxEvents": 20}'}
Y
	rules dummy.yaml <<'Y'
- rule: Dummy
  desc: every event
  condition: dummy.value >= 0
  output: "%dummy.value %dummy.strvalue %evt.plugininfo"
  priority: INFO
  source: dummy
Y
	run_mews run -c "$tmp/falco.yaml" --enable-source dummy
	is "dummy: exit status" "$rc" 0
	is "dummy: an alert for every event" "$(grep -c ': Informational ' <<<"$out")" 20
	run_mews run "$real/libdummy.so" --open-params '{"start": 1, "maxEvents": 20}' -n 5
	is "dummy: with no configuration" "$rc $(grep -c '^{' <<<"$out")" "0 5"
	rules zero.yaml <<'Y'
- rule: Zero
  desc: a division by zero in the published plugin
  condition: dummy.divisible[0] exists
  output: "%evt.num"
  priority: INFO
  source: dummy
Y
	sed -i 's/libdummy.so,/libdummy.so, sandbox: {restart: {max: 1}, required: false},/' "$tmp/falco.yaml"
	run_mews run -c "$tmp/falco.yaml" -r "$tmp/zero.yaml" --enable-source dummy
	check "dummy: its panic is the worker's, not ours" test "$rc" -lt 124
	check "dummy: and is reported" err_has 'dummy'
	check "dummy: nothing left" nothing_left
else
	skip dummy "not built"
fi

if [ -e "$real/libcloudtrail.so" ]; then
	config falco.yaml <<Y
rules_files: [$tmp/ct.yaml]
plugins:
  - name: cloudtrail
    library_path: $real/libcloudtrail.so
    open_params: $samples/cloudtrail
Y
	rules ct.yaml <<'Y'
- rule: Trail
  desc: every event
  condition: ct.name exists
  output: "%ct.name by %ct.user from %ct.srcip"
  priority: INFO
  source: aws_cloudtrail
Y
	run_mews run -c "$tmp/falco.yaml" --enable-source aws_cloudtrail
	is "cloudtrail: exit status" "$rc" 0
	check "cloudtrail: a plain file" out_has 'CreateUser by Alice from 127.0.0.1'
	n=$(grep -c ': Informational ' <<<"$out")
	check "cloudtrail: and a compressed one ($n)" test "$n" -ge 2
	sed -i '/open_params: /a\    sandbox: {profile: pure}' "$tmp/falco.yaml"
	run_mews run -c "$tmp/falco.yaml" --enable-source aws_cloudtrail
	is "cloudtrail: with the profile pure it reads nothing" "$(grep -c ': Informational ' <<<"$out")" 0
	check "cloudtrail: nothing left" nothing_left
else
	skip cloudtrail "not built"
fi

if [ -e "$real/libmews_rs.so" ]; then
	config falco.yaml <<Y
rules_files: [$real/rules/mews_rs_rules.yaml]
rule_matching: all
plugins:
  - {name: mews_rs, library_path: $real/libmews_rs.so, init_config: {}, open_params: "60"}
Y
	run_mews run -c "$tmp/falco.yaml" --enable-source mews_rs
	is "Rust: exit status" "$rc" 0
	is "Rust: alerts by rule" "$(sed -n '/^Triggered/,$p' <<<"$out" | sed 1d | sort | paste -sd,)" \
		"   Divided by all: 2,   Last word: 12,   Without divisors: 15"
	run_mews run -c "$tmp/falco.yaml" --enable-source mews_rs -o rule_matching=first
	is "Rust: first match wins" "$(sed -n 's/^ *Last word: //p' <<<"$out")" 10
	run_mews run -c "$tmp/falco.yaml" --enable-source mews_rs -o 'plugins[0].init_config={batch: 0}'
	check "Rust: a configuration that it refuses is an error" test "$rc" -ne 0
	check "Rust: nothing left" nothing_left
else
	skip mews_rs "not built"
fi
finish
