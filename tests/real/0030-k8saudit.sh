#!/usr/bin/env bash
# k8saudit with its own rules over sample audit events, json on the same source in a second
# worker. tests/data/k8saudit_rules.txt has the alerts per rule that Falco gives.
. "$(dirname "$0")/lib.sh"
built_plugin k8saudit
built_plugin json

alerts() { # alerts PROFILE RULES: runs it; sets out, err, rc
	config falco.yaml <<Y
rules_files: [$2]
json_output: true
plugins:
  - name: k8saudit
    library_path: $real/libk8saudit.so
    init_config: {}
    open_params: $samples/k8saudit
    sandbox: {profile: $1, read: [$samples/k8saudit]}
  - {name: json, library_path: $real/libjson.so}
Y
	run_mews run -c "$tmp/falco.yaml" --enable-source k8s_audit
}

stock=$real/rules/k8s_audit_rules.yaml
alerts file-reader "$stock"
is "exit status" "$rc" 0
is "alerts by rule" \
	"$(grep '^{' <<<"$out" | jq -r .rule | sort | uniq -c | sed 's/^ *//')" \
	"$(cat "$samples/k8saudit_rules.txt")"
check "nothing left" nothing_left
confined=$(grep '^{' <<<"$out")
alerts unconfined "$stock"
check "unconfined gives the same" test "$(grep '^{' <<<"$out")" = "$confined"

rules json.yaml <<'Y'
- rule: By json
  desc: the json plugin on the same events
  condition: json.value[/verb] = create and ka.target.resource = namespaces
  output: json says %json.value[/objectRef/name], k8saudit %ka.target.name
  priority: DEBUG
  source: k8s_audit
Y
alerts file-reader "$tmp/json.yaml"
n=$(grep -c '"rule":"By json"' <<<"$out")
check "fields of both plugins in one rule ($n alerts)" test "$n" -ge 2
is "and they agree on every event" "$(grep '"rule":"By json"' <<<"$out" | jq -r \
	'.output_fields | select(."json.value[/objectRef/name]" != ."ka.target.name")')" ""
finish
