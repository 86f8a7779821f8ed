#!/usr/bin/env bash
# okta, an unmodified Go plugin, against a stand-in of its service: it finds it by name and
# speaks TLS end to end, through mews-egress, as the policy allows; github listens on its
# port and reaches its one host.
. "$(dirname "$0")/lib.sh"
built_plugin okta
for tool in python3 openssl curl; do
	command -v $tool >/dev/null || skip_all "$tool is not installed"
done
[ "$(id -u)" = 0 ] || skip_all "the stand-in needs port 443"

certificate() { # certificate NAME
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 \
		-subj "/CN=$1" -addext "subjectAltName=DNS:$1" \
		-keyout "$tmp/$1.key" -out "$tmp/$1.pem" 2>/dev/null
	chmod 644 "$tmp/$1.pem"
}
certificate mews-test.okta.com
certificate api.github.com
printf '127.0.0.1 mews-test.okta.com api.github.com\n' >"$tmp/hosts"
chmod 644 "$tmp/hosts"

cat >"$tmp/service.py" <<'P'
import http.server, json, ssl, sys
EVENT = {"actor": {"id": "1", "type": "User", "alternateId": "a@example.com", "displayName": "A"},
         "eventType": "user.session.start", "displayMessage": "User login", "uuid": "u-1",
         "published": "2026-01-01T00:00:00.000Z", "severity": "INFO", "version": "0",
         "outcome": {"result": "SUCCESS"}, "client": {"ipAddress": "192.0.2.1"}, "target": []}
class Service(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = json.dumps([EVENT] if "logs" in self.path else []).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        print("GET", self.headers.get("Host"), self.path, flush=True)
    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = b'{"id": 1}'
        self.send_response(201)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        print("POST", self.headers.get("Host"), self.path, flush=True)
    def do_DELETE(self):
        self.send_response(204)
        self.end_headers()
    def log_message(self, *args):
        pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 443), Service)
contexts = {}
for name in sys.argv[2:]:
    contexts[name] = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    contexts[name].load_cert_chain(f"{sys.argv[1]}/{name}.pem", f"{sys.argv[1]}/{name}.key")
first = contexts[sys.argv[2]]
def choose(socket, name, context):
    if name in contexts:
        socket.context = contexts[name]
first.sni_callback = choose
server.socket = first.wrap_socket(server.socket, server_side=True)
server.serve_forever()
P
python3 "$tmp/service.py" "$tmp" mews-test.okta.com api.github.com >"$tmp/asked" 2>"$tmp/service" &
background+=($!)
listens() {
	curl -sk -m 2 -o /dev/null https://127.0.0.1/
}
until_true 5 listens || skip_all "port 443 is taken"

rules okta.yaml <<'Y'
- rule: Event
  desc: an event of the service
  condition: okta.evt.type exists
  output: event %okta.evt.type
  priority: INFO
  source: okta
Y
okta() { # okta CONNECT
	config falco.yaml <<Y
rules_files: [$tmp/okta.yaml]
sandbox: {egress_hosts: $tmp/hosts}
plugins:
  - name: okta
    library_path: $real/libokta.so
    init_config: {organization: mews-test, api_token: none, refresh_interval: 1}
    sandbox:
      profile: client
      connect: [$1]
      read: [$tmp/mews-test.okta.com.pem]
      env: [SSL_CERT_FILE=$tmp/mews-test.okta.com.pem]
Y
	: >"$tmp/out" # of the run before
	start_mews run -c "$tmp/falco.yaml" --enable-source okta
	until_true "${2:-10}" grep -q 'event user.session.start' "$tmp/out"
	# Where it gets nothing it may have ended by itself.
	kill -TERM "$mews_pid" 2>/dev/null
	wait_mews 15
}

okta_everywhere() { # okta_everywhere WHO
	okta "'*.okta.com:443', '127.0.0.1:443'"
	check "$1: its host by a pattern: events come" out_has "event user.session.start"
	is "$1: nothing was refused" "$(grep -c refused <<<"$err")" 0
	okta "'mews-test.okta.com:443', '127.0.0.1:443'"
	check "$1: its host by its name: events come" out_has "event user.session.start"
	okta "'other.example:443', '127.0.0.1:443'" 3
	! out_has "event user.session.start"
	holds "$1: another name: none"
	check "$1: which is told, with the line that would allow it" \
		err_says "mews-test.okta.com"
	check "$1: nothing left" nothing_left
}
okta_everywhere "as root"
as_user=(setpriv --reuid 61234 --regid 61234 --clear-groups env "HOME=$tmp" "TMPDIR=$tmp")
okta_everywhere "as an ordinary user"
as_user=()

if [ -e "$real/libgithub.so" ]; then
	rules github.yaml <<'Y'
- rule: Event
  desc: an event of the service
  condition: github.type exists
  output: event %github.type
  priority: INFO
  source: github
Y
	config falco.yaml <<Y
rules_files: [$tmp/github.yaml]
sandbox: {egress_hosts: $tmp/hosts}
plugins:
  - name: github
    library_path: $real/libgithub.so
    init_config: {websocketServerURL: "http://hooks.example", useHTTPs: false}
    open_params: owner/repo
    sandbox:
      profile: listener
      listen: [tcp:80]
      connect: ['api.github.com:443', '127.0.0.1:443']
      read: [$tmp/api.github.com.pem]
      env: [SSL_CERT_FILE=$tmp/api.github.com.pem, GITHUB_PLUGIN_TOKEN=none]
      late_dlopen: true
Y
	start_mews run -c "$tmp/falco.yaml" --enable-source github
	asked() {
		grep -q 'POST api.github.com /repos/owner/repo/hooks' "$tmp/asked"
	}
	check "github: it reaches its host" until_true 10 asked
	hook() {
		curl -s -m 2 -o /dev/null -H 'X-GitHub-Event: push' -d '{}' http://127.0.0.1:80/
	}
	check "github: it listens on its port" until_true 10 hook
	kill -TERM "$mews_pid"
	check "github: it stops" wait_mews 15
	is "github: nothing was refused" "$(grep -c 'refused' <<<"$err")" 0
	check "github: nothing left" nothing_left
fi
finish
