#!/usr/bin/env bash
# The client profile: allowed names are reached, through mews-egress; nothing else is, and
# each refusal is told. Unix sockets through a proxy; directories to write to.
. "$(dirname "$0")/../hostile/lib.sh"

command -v python3 >/dev/null || skip_all "python3 is not installed"
port=$((20000 + $$ % 12000))
printf '127.0.0.1 allowed.example inside.example other.example deep.sub.example\n' >"$tmp/hosts"
chmod 644 "$tmp/hosts"
mkdir -p "$tmp/run" "$tmp/data"
chmod 777 "$tmp/run" "$tmp/data"

# What is reached: says hello to whoever connects; on the unix socket, to GET and POST.
cat >"$tmp/server.py" <<'P'
import os, socket, sys, threading
def serve(s, answer):
    while True:
        c, _ = s.accept()
        threading.Thread(target=answer, args=(c,), daemon=True).start()
def hello(c):
    c.sendall(b"hello\n")
    c.close()
def http(c):
    c.recv(1000)
    c.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
    c.close()
t = socket.create_server(("127.0.0.1", int(sys.argv[1])))
u = socket.socket(socket.AF_UNIX)
u.bind(sys.argv[2])
os.chmod(sys.argv[2], 0o666)
u.listen()
threading.Thread(target=serve, args=(t, hello), daemon=True).start()
serve(u, http)
P
python3 "$tmp/server.py" "$port" "$tmp/run/docker.sock" &
background+=($!)
until_true 5 test -S "$tmp/run/docker.sock" || skip_all "no server to reach"

rules net.yaml <<'Y'
- rule: Deed
  desc: what it did
  condition: net.text exists
  output: deed %net.text
  priority: INFO
  source: net
Y

settings() { # settings SANDBOX DEEDS
	config falco.yaml <<Y
rules_files: [$tmp/net.yaml]
sandbox: {egress_hosts: $tmp/hosts, ctl_socket: $tmp/run/ctl.sock}
webserver: {enabled: true, listen_address: 127.0.0.1, listen_port: $((port + 1)), prometheus_metrics_enabled: true}
metrics: {enabled: true, interval: 1h, output_rule: false}
plugins:
  - name: net
    library_path: $plugins/net_client.so
    open_params: "$2"
    sandbox: {$1}
Y
}
does() { # does SANDBOX DEEDS: sets out, err, rc
	settings "$@"
	run_mews run -c "$tmp/falco.yaml" --enable-source net
}
came_to() { # came_to DEED
	sed -n "s/^.* deed $1: //p" <<<"$out" | head -1
}

allowed="connect: ['allowed.example:$port', '127.0.0.1:$port', '*.sub.example:$port']"
does "profile: client, $allowed" "get allowed.example $port;get deep.sub.example $port;name other.example;name nowhere.example;get 127.0.0.1 1;get 8.8.8.8 $port;get allowed.example 22"
is "exit status" "$rc" 0
is "a name that is listed" "$(came_to 'get allowed.example [0-9]*')" hello
is "a name below one that is listed" "$(came_to 'get deep.sub.example [0-9]*')" hello
is "a name that is not listed" "$(came_to 'name other.example')" "Name or service not known"
check "it is told, with what would allow it" err_has "other.example"
check "a name of nobody is not asked of anybody" \
	test "$(came_to 'name nowhere.example')" = "Name or service not known"
is "the host's loopback, another port" "$(came_to 'get 127.0.0.1 1' | sed 's/Permission denied/refused/; s/Connection refused/refused/')" refused
[ "$(came_to "get 8.8.8.8 $port")" != hello ]
holds "an address that is not listed"
[ "$(came_to 'get allowed.example 22')" != hello ]
holds "another port of a name that is listed"
told() { # told WHAT ALLOW-WITH: one line, and no more
	[ "$(grep -cF "tried to connect to tcp $1 (connect): refused; to allow it, add to its sandbox: connect: [$2]" <<<"$err")" = 1 ]
}
check "an address that is not listed is told" told "8.8.8.8:$port" "8.8.8.8:$port"
check "and another port of the host" told 127.0.0.1:1 127.0.0.1:1
check "and of a name" told allowed.example:22 allowed.example:22
check "nothing left" nothing_left

does "profile: client, connect: ['inside.example:$port']" "get inside.example $port"
[ "$(came_to 'get inside.example [0-9]*')" != hello ]
holds "a listed name that stands for loopback"
check "it is told" err_has "inside.example|127.0.0.1"
does "profile: client" "name allowed.example"
is "no places at all" "$(came_to 'name allowed.example')" "Name or service not known"
does "profile: pure" "name allowed.example;get 127.0.0.1 $port"
[ "$(came_to 'get 127.0.0.1 [0-9]*')" != hello ]
holds "pure reaches nothing"

does "profile: client, connect: ['*.sub.example:$port']" "get deep.sub.example 22;get 203.0.113.5 443;get 203.0.113.5 443;get 2001:db8::1 443"
check "another port of a name below one" told NAME:22 NAME:22
check "an address, tried twice, is one line" told 203.0.113.5:443 203.0.113.5:443
check "an address of IPv6" told '[2001:db8::1]:443' '"[2001:db8::1]:443"'
does "profile: listener, listen: [tcp:9]" "get 203.0.113.5 443"
is "who only listens connects nowhere" "$(came_to 'get 203.0.113.5 443')" "Operation not permitted"
check "and that is told" told 203.0.113.5:443 203.0.113.5:443
does "profile: listener, listen: [tcp:9], $allowed" "get allowed.example $port"
is "a listener that connects too" "$(came_to 'get allowed.example [0-9]*')" hello
does "listen: ['udp:$((port + 2))'], $allowed" "get allowed.example $port"
is "one for datagrams too" "$(came_to 'get allowed.example [0-9]*')" hello
does "listen: [unix:$tmp/run/own.sock], $allowed" "get allowed.example $port"
is "and one at a unix socket" "$(came_to 'get allowed.example [0-9]*')" hello

sock=$tmp/run/docker.sock
does "unix: [{path: $sock, http-get: [/containers/*]}]" \
	"unix $sock GET /containers/json;unix $sock GET /images/json"
is "a unix socket, what it lets through" "$(grep -c 'HTTP/1.1 200' <<<"$out")" 1
is "and what not" "$(grep -c 'HTTP/1.1 403' <<<"$out")" 1
does "unix: [{path: $sock, http-get: [/containers/*]}]" "unix $sock POST /containers/create"
check "nor another verb" out_has "HTTP/1.1 403"
does "unix: [$sock]" "unix $sock POST /containers/create"
check "without a filter everything passes" out_has "HTTP/1.1 200"
does "unix: [$tmp/run/none.sock]" "unix $tmp/run/none.sock GET /"
check "one that is not there: said so" err_says "plugin 'net' tried to connect to the socket \"$tmp/run/none.sock\" (its policy allows it, but on this host: No such file or directory): refused; no policy changes that"
does "profile: client" "unix $sock GET /"
! out_has "HTTP/1.1 200"
holds "a unix socket that is not listed"

does "write: [$tmp/data], limits: {file_size: 1MiB}" \
	"write $tmp/data/a;mkdir $tmp/data/d;link $tmp/data/l;write $tmp/run/b;write $tmp/data/s 4755"
is "a directory to write to" "$(cat "$tmp/data/a" 2>/dev/null)" text
check "and to make directories in" test -d "$tmp/data/d"
check "no links" test ! -L "$tmp/data/l"
check "nowhere else" test ! -e "$tmp/run/b"
check "no program that runs as its owner" test ! -e "$tmp/data/s"
is "exit status" "$rc" 0

does "profile: client" "pair"
is "a pair of sockets, which runtimes wake themselves with" "$(came_to pair)" woken
does "profile: pure" "pair"
[ "$(came_to pair)" != woken ]
holds "not where there are no sockets at all"

# What is counted, over the plugin's deaths too.
metric() { # metric NAME LABELS
	curl -sS -m 5 "http://127.0.0.1:$((port + 1))/metrics" 2>/dev/null |
		sed -n "s/^$1{plugin=\"net\",source=\"net\"${2:-}} //p"
}
stop_mews_now() {
	kill -TERM "$mews_pid"
	wait_mews 10
}
settings "$allowed, restart: {backoff_min: 10ms}" \
	"get allowed.example $port;get allowed.example $port;name other.example;get 203.0.113.5 443;wait 20"
start_mews run -c "$tmp/falco.yaml" --enable-source net
counted() {
	[ "$(metric mews_egress_connections_total)" = "$1" ]
}
check "connections are counted" until_true 8 counted 2
is "and what came" "$(metric mews_egress_bytes_total ',direction="down"')" 12
[ "$(metric mews_egress_refused_total ',reason="name"')" -ge 1 ]
holds "and names that were refused"
[ "$(metric mews_egress_queries_total)" -ge 3 ]
holds "and names that were asked for"
"$mews" ctl --socket "$tmp/run/ctl.sock" denials >"$tmp/ctl-out" 2>&1
is "ctl denials has them too" \
	"$(jq -r '.egress[] | select(.reason == "name") | .plugin + " " + .what' "$tmp/ctl-out")" \
	"net asked for a name that the policy does not allow"
is "and what it tried to connect to" \
	"$(jq -r '.denials[] | select(.what | contains("203.0.113.5")) | .allow_with' "$tmp/ctl-out")" \
	"connect: [203.0.113.5:443]"
is "of its kind in the metrics, beside both questions for the name" \
	"$(metric mews_worker_denials_total ',kind="connect"')" 3
kill -SEGV "$(workers)"
check "those of its next life are added" until_true 8 counted 4
stop_mews_now
settings "unix: [$tmp/run/none.sock]" "unix $tmp/run/none.sock GET /;wait 20"
start_mews run -c "$tmp/falco.yaml" --enable-source net
absent() {
	"$mews" ctl --socket "$tmp/run/ctl.sock" denials 2>/dev/null |
		jq -e '.denials[] | select(.what | contains("none.sock"))' >/dev/null
}
check "ctl denials has a socket that is not there" until_true 8 absent
stop_mews_now

# Learning: names as the configuration has them, and the port that was connected to.
settings "" "get other.example $port;name inside.example;get 127.0.0.1 $port"
run_mews learn net -c "$tmp/falco.yaml"
learned=$(sed -n 's/^connect: //p' <<<"$out")
check "learn: the port that was connected to" grep -qF "'other.example:$port'" <<<"$learned"
! grep -qF "other.example:443" <<<"$learned"
holds "learn: and no other"
check "learn: an address" grep -qF "'127.0.0.1:$port'" <<<"$learned"
check "learn: a name that was not connected to" grep -qF "'inside.example:443'" <<<"$learned"
check "learn: its port is said to be a guess" out_has "^# connect inside.example:443: .*is a guess"
finish
