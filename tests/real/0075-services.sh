#!/usr/bin/env bash
# Published plugins with stand-ins of their services, each under the profile of its name and
# with the rules that it comes with. What the configurations add is what makes the
# stand-ins reachable: their certificate, and loopback.
. "$(dirname "$0")/lib.sh"
for tool in python3 openssl curl; do
	command -v $tool >/dev/null || skip_all "$tool is not installed"
done
[ "$(id -u)" = 0 ] || skip_all "the stand-ins need port 443"
s3_port=$((20000 + $$ % 12000))

authority() {
	local name
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 \
		-subj "/CN=authority of a test" -keyout "$tmp/ca.key" -out "$tmp/ca.pem" 2>/dev/null
	for name in mews-test.okta.com api.github.com; do
		openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$name" \
			-keyout "$tmp/$name.key" -out "$tmp/$name.csr" 2>/dev/null
		openssl x509 -req -in "$tmp/$name.csr" -CA "$tmp/ca.pem" -CAkey "$tmp/ca.key" \
			-CAcreateserial -days 2 -extfile <(echo "subjectAltName=DNS:$name") \
			-out "$tmp/$name.pem" 2>/dev/null
	done
	chmod 644 "$tmp"/*.pem
}
authority
printf '127.0.0.1 mews-test.okta.com api.github.com\n' >"$tmp/hosts"
cp -r "$samples/cloudtrail" "$tmp/bucket"
python3 "$root/tests/real/services.py" "$tmp" "$s3_port" >"$tmp/asked" 2>"$tmp/why" &
background+=($!)
ready() {
	grep -q ready "$tmp/asked"
}
until_true 5 ready || skip_all "$(tail -1 "$tmp/why")"

counted() {
	grep '^{' <<<"$out" | jq -r .rule | sort | uniq -c | sed 's/^ *//'
}

alerted() { # alerted N: that many lines of alerts
	[ "$(grep -c '^{' "$tmp/out")" -ge "$1" ]
}

# service NAME SOURCE N: runs falco.yaml until there are N alerts.
service() {
	start_mews run -c "$tmp/falco.yaml" --enable-source "$2"
	until_true 15 alerted "$3"
	sleep 0.3
	kill -TERM "$mews_pid" 2>/dev/null
	check "$1: it stops" wait_mews 15
	check "$1: its profile" err_says "plugin '$1': profile $1, by its name"
	is "$1: nothing was refused" "$(grep 'refused' <<<"$err")" ""
	check "$1: nothing left" nothing_left
}

if [ -e "$real/libokta.so" ]; then
	config falco.yaml <<Y
rules_files: [$real/rules/okta_rules.yaml]
rules: [{enable: {rule: "*"}}]
json_output: true
sandbox: {egress_hosts: $tmp/hosts}
plugins:
  - name: okta
    library_path: $real/libokta.so
    init_config: {organization: mews-test, api_token: none, refresh_interval: 1}
    sandbox: {connect: ['127.0.0.1:443'], read: [$tmp/ca.pem], env: [SSL_CERT_FILE=$tmp/ca.pem]}
Y
	service okta okta 3
	is "okta: alerts of its own rules" "$(counted)" "1 Creating a new OKTA user account
1 Detecting unknown logins using geolocation
1 User Changing password in to OKTA"
else
	skip okta "not built"
fi

if [ -e "$real/libgithub.so" ]; then
	export GITHUB_PLUGIN_TOKEN=none
	config falco.yaml <<Y
rules_files: [$real/rules/github.yaml]
json_output: true
sandbox: {egress_hosts: $tmp/hosts}
plugins:
  - name: github
    library_path: $real/libgithub.so
    init_config: {websocketServerURL: "http://hooks.example", useHTTPs: false}
    open_params: owner/repo
    sandbox: {connect: ['127.0.0.1:443'], read: [$tmp/ca.pem], env: [SSL_CERT_FILE=$tmp/ca.pem]}
Y
	service github github 3
	is "github: alerts of its own rules" "$(counted)" "1 Delete Public Repository
1 Private Repository Becoming Public
1 Webhook Connected"
	check "github: its webhooks are made" grep -q '^POST api.github.com /repos/owner/repo/hooks 201' "$tmp/asked"
	check "github: and deleted when it is closed" grep -q '^DELETE api.github.com' "$tmp/asked"
else
	skip github "not built"
fi

if [ -e "$real/libcloudtrail.so" ] && [ -e "$real/libjson.so" ]; then
	trail() { # trail OPEN_PARAMS
		config falco.yaml <<Y
rules_files: [$real/rules/aws_cloudtrail_rules.yaml]
json_output: true
plugins:
  - name: cloudtrail
    library_path: $real/libcloudtrail.so
    init_config: {aws: {region: us-east-1}}
    open_params: $1
  - {name: json, library_path: $real/libjson.so}
Y
		service cloudtrail aws_cloudtrail 4
		is "cloudtrail: alerts of its own rules" "$(counted)" "2 Create AWS user
2 Put Bucket ACL"
	}
	trail "$samples/cloudtrail"
	export AWS_ENDPOINT_URL=http://127.0.0.1:$s3_port AWS_ACCESS_KEY_ID=a AWS_SECRET_ACCESS_KEY=b
	trail s3://logs/trail
	check "cloudtrail: from S3" grep -q "^GET 127.0.0.1:$s3_port /logs/trail/two.json.gz.* 200" "$tmp/asked"
	unset AWS_ENDPOINT_URL AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY
else
	skip cloudtrail "not built"
fi

if [ -e "$real/libgcpaudit.so" ] && [ -x "$real/pubsub" ]; then
	"$real/pubsub" mews-test audit <"$samples/gcp.jsonl" >"$tmp/pubsub" 2>"$tmp/why" &
	background+=($!)
	until_true 10 test -s "$tmp/pubsub"
	PUBSUB_EMULATOR_HOST=$(cat "$tmp/pubsub")
	export PUBSUB_EMULATOR_HOST
	config falco.yaml <<Y
rules_files: [$real/rules/gcp_auditlog_rules.yaml]
json_output: true
plugins:
  - name: gcpaudit
    library_path: $real/libgcpaudit.so
    init_config: {project_id: mews-test}
    open_params: audit
  - {name: json, library_path: $real/libjson.so}
Y
	service gcpaudit gcp_auditlog 2
	is "gcpaudit: alerts of its own rules" "$(counted)" "1 GCP Bucket deleted
1 GCP Bucket permissions modified"
else
	skip gcpaudit "it or its service is not built"
fi
finish
