#!/usr/bin/env bash
# k8saudit as the API server's webhook: the unmodified Go plugin listens on its one port,
# which its profile takes from its open parameters, with or without TLS.
. "$(dirname "$0")/lib.sh"
built_plugin k8saudit
built_plugin json
for tool in curl openssl; do
	command -v $tool >/dev/null || skip_all "$tool is not installed"
done
port=$((20000 + $$ % 12000))

key_and_certificate() {
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 \
		-subj /CN=localhost -addext subjectAltName=DNS:localhost \
		-keyout "$tmp/key" -out "$tmp/ca.pem" 2>/dev/null
	cat "$tmp/key" "$tmp/ca.pem" >"$tmp/falco.pem"
	# As a server's key is kept: for its owner alone.
	chmod 600 "$tmp/falco.pem"
	[ ${#as_user[@]} = 0 ] || chown 61234:61234 "$tmp/falco.pem"
}

stock() { # stock URL
	config falco.yaml <<Y
rules_files: [$real/rules/k8s_audit_rules.yaml]
json_output: true
plugins:
  - name: k8saudit
    library_path: $real/libk8saudit.so
    init_config: {sslCertificate: $tmp/falco.pem}
    open_params: $1
  - {name: json, library_path: $real/libjson.so}
Y
}

post() { # post FILE
	[ "$(curl -s --cacert "$tmp/ca.pem" -m 60 -o "$tmp/answer" -w '%{http_code}' -H 'Content-Type: application/json' \
		--data-binary "@$1" "$scheme://localhost:$port/k8s-audit")" = 200 ]
}

answers() {
	curl -s --cacert "$tmp/ca.pem" -m 20 -o /dev/null "$scheme://localhost:$port/"
}

alerts_wanted=$(awk '{n += $1} END {print n}' "$samples/k8saudit_rules.txt")
alerted() {
	[ "$(grep -c '^{' "$tmp/out")" -ge "$alerts_wanted" ]
}

as_webhook() { # as_webhook WHO SCHEME
	local file sent=0 posted=0
	scheme=$2
	key_and_certificate
	stock "$scheme://127.0.0.1:$port/k8s-audit"
	start_mews run -c "$tmp/falco.yaml" --enable-source k8s_audit
	check "$1: it listens" until_true 10 answers || return
	for file in "$samples"/k8saudit/*; do
		# One event in a request, as the API server batches them.
		while read -r event; do
			printf '%s' "$event" >"$tmp/event"
			sent=$((sent + 1))
			post "$tmp/event" && posted=$((posted + 1))
		done <"$file"
	done
	is "$1: every request is taken" "$posted of $sent" "$sent of $sent"
	check "$1: the alerts come" until_true 10 alerted
	kill -TERM "$mews_pid"
	check "$1: it stops" wait_mews 10
	is "$1: exit status" "$rc" 0
	is "$1: alerts by rule" \
		"$(grep '^{' <<<"$out" | jq -r .rule | sort | uniq -c | sed 's/^ *//')" \
		"$(cat "$samples/k8saudit_rules.txt")"
	is "$1: nothing was denied" "$(grep -c refused <<<"$err")" 0
	check "$1: nothing left" nothing_left
}

for scheme in http https; do
	as_webhook "$scheme as $(id -un)" $scheme
done
if [ "$(id -u)" = 0 ]; then
	as_user=(setpriv --reuid 61234 --regid 61234 --clear-groups env
		"HOME=$tmp" "TMPDIR=$tmp")
	for scheme in http https; do
		as_webhook "$scheme as an ordinary user" $scheme
	done
fi
finish
