#!/usr/bin/env bash
# One field with several arguments in one rule: the Go SDK keeps one result for all of them,
# so they must not be asked for in one call.
. "$(dirname "$0")/lib.sh"
built_plugin k8saudit
built_plugin json

rules args.yaml <<'Y'
- rule: Arguments
  desc: four arguments of one field, compared with the other plugin's fields
  condition: >
    json.value[/verb] = create and json.value[/objectRef/resource] = pods and
    json.value[/user/username] startswith system and json.value[/stage] exists
  output: "%json.value[/verb] %json.value[/objectRef/resource] %json.value[/user/username] %json.value[/auditID]"
  priority: INFO
  source: k8s_audit
- rule: Other plugin
  desc: the same question to k8saudit
  condition: ka.verb = create and ka.target.resource = pods and ka.user.name startswith system
  output: "%ka.verb %ka.target.resource %ka.user.name %ka.auditid"
  priority: INFO
  source: k8s_audit
Y
config falco.yaml <<Y
rules_files: [$tmp/args.yaml]
rule_matching: all
json_output: true
plugins:
  - name: k8saudit
    library_path: $real/libk8saudit.so
    init_config: {}
    open_params: $samples/k8saudit
    sandbox: {profile: file-reader, read: [$samples/k8saudit]}
  - {name: json, library_path: $real/libjson.so}
Y
run_mews run -c "$tmp/falco.yaml" --enable-source k8s_audit
is "exit status" "$rc" 0
by_json=$(grep '"rule":"Arguments"' <<<"$out" | jq -r .output | cut -d' ' -f3-)
by_k8saudit=$(grep '"rule":"Other plugin"' <<<"$out" | jq -r .output | cut -d' ' -f3-)
check "there are such events" test "$(grep -c . <<<"$by_k8saudit")" -ge 3
is "each argument has its own value" "$by_json" "$by_k8saudit"
check "nothing left" nothing_left
finish
