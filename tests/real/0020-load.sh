#!/usr/bin/env bash
# Every built plugin loads, describes itself, is initialised and lists its fields, confined.
. "$(dirname "$0")/lib.sh"

# name, its source, a field, profile, init configuration
while IFS='|' read -r name source field config; do
	[ -e "$real/lib$name.so" ] || {
		skip "$name" "not built"
		continue
	}
	config falco.yaml <<Y
plugins:
  - {name: $name, library_path: $real/lib$name.so, init_config: '$config'}
Y
	run_mews plugin-info "$real/lib$name.so"
	# github asks its service for open parameters, and cannot without a token.
	[ "$name" = github ] || is "$name: plugin-info" "$rc" 0
	check "$name: describes itself" out_has "^Name: $name\$"
	run_mews -c "$tmp/falco.yaml" --list-plugins
	check "$name: listed" out_has "^Name: $name\$"
	# --list comes after initialisation.
	run_mews -c "$tmp/falco.yaml" "--list=$source" -N
	is "$name: initialised" "$rc" 0
	check "$name: has $field" grep -qx -- "$field" <<<"$out"
	check "$name: nothing left" nothing_left
done <<'T'
k8saudit|k8s_audit|ka.verb|{}
dummy|dummy|dummy.value|
cloudtrail|aws_cloudtrail|ct.name|
okta|okta|okta.evt.type|{"organization":"example","api_token":"none"}
github|github|github.type|
gcpaudit|gcp_auditlog|gcp.methodName|{"project_id":"example"}
mews_rs|mews_rs|mews_rs.num|{}
T
finish
