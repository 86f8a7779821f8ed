#!/usr/bin/env bash
# k8saudit as the API server's webhook: the unmodified Go plugin listens on its one port.
. "$(dirname "$0")/lib.sh"
built_plugin k8saudit
built_plugin json
command -v curl >/dev/null || skip_all "curl is not installed"
port=$((20000 + $$ % 20000))

config falco.yaml <<Y
rules_files: [$real/rules/k8s_audit_rules.yaml]
json_output: true
plugins:
  - name: k8saudit
    library_path: $real/libk8saudit.so
    init_config: {}
    open_params: http://127.0.0.1:$port/k8s-audit
    sandbox: {profile: listener, listen: [tcp:$port]}
  - {name: json, library_path: $real/libjson.so}
Y

post() { # post FILE
	[ "$(curl -s -m 5 -o "$tmp/answer" -w '%{http_code}' -H 'Content-Type: application/json' \
		--data-binary "@$1" "http://127.0.0.1:$port/k8s-audit")" = 200 ]
}

answers() {
	curl -s -m 2 -o /dev/null "http://127.0.0.1:$port/"
}

as_webhook() { # as_webhook WHO
	local file posted=0
	start_mews run -c "$tmp/falco.yaml" --enable-source k8s_audit
	check "$1: it listens" until_true 10 answers || return
	for file in "$samples"/k8saudit/*; do
		# One event in a request, as the API server batches them.
		while read -r event; do
			printf '%s' "$event" >"$tmp/event"
			post "$tmp/event" && posted=$((posted + 1))
		done <"$file"
	done
	check "$1: requests are taken ($posted)" test $posted -gt 0
	sleep 0.5
	kill -TERM "$mews_pid"
	check "$1: it stops" wait_mews 10
	is "$1: exit status" "$rc" 0
	is "$1: alerts by rule" \
		"$(grep '^{' <<<"$out" | jq -r .rule | sort | uniq -c | sed 's/^ *//')" \
		"$(cat "$samples/k8saudit_rules.txt")"
	is "$1: nothing was denied" "$(grep -c refused <<<"$err")" 0
	check "$1: nothing left" nothing_left
}

as_webhook "as $(id -un)"
if [ "$(id -u)" = 0 ]; then
	as_user=(setpriv --reuid 61234 --regid 61234 --clear-groups env
		"HOME=$tmp" "TMPDIR=$tmp")
	as_webhook "as an ordinary user"
fi
finish
