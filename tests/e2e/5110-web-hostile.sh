#!/usr/bin/env bash
# Clients of the webserver that mean no good: what they hold is bounded, and everybody
# else is served; events are evaluated meanwhile.
. "$(dirname "$0")/lib.sh"
command -v python3 >/dev/null || skip_all "no python3"

rules rules.yaml <<'Y'
- rule: None
  desc: d
  condition: kit.num < 0
  output: none
  priority: WARNING
  source: kit
Y
port=$((20000 + RANDOM % 12000))
config falco.yaml <<Y
rules_files: [$tmp/rules.yaml]
sandbox: {ctl_socket: none}
webserver: {enabled: true, listen_address: 127.0.0.1, listen_port: $port, prometheus_metrics_enabled: true}
metrics: {enabled: true}
plugins:
  - {name: kit, library_path: $plugins/plain.so, open_params: "n=1000000000,pause_us=1000"}
Y

cat >"$tmp/client.py" <<'P'
# One kind of bad client against a port; prints what it got. "tls": behind a handshake.
import os, random, socket, ssl, sys, time
port, what = int(sys.argv[1]), sys.argv[2]
def connect(receive=None):
    s = socket.socket()
    if receive:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive)
    s.settimeout(20)
    s.connect(("127.0.0.1", port))
    return s
def rest(s):
    got = b""
    try:
        while True:
            piece = s.recv(65536)
            if not piece:
                break
            got += piece
    except ConnectionError:
        pass
    return got
def statuses(got):
    return [l.split(b" ")[1].decode() for l in got.split(b"\r\n") if l.startswith(b"HTTP/1.1 ")]
def send(s, text):
    try:
        s.sendall(text)
    except OSError:
        pass
def say(text):
    s = connect()
    send(s, text)
    return statuses(rest(s))
if what == "malformed":
    # Each with its status, or none where nothing was a request.
    for text in [b"\0" * 100 + b"\r\n\r\n", b"\xff\xfe\r\n\r\n", b"GET\r\n\r\n", b"GET / HTTP/0.9\r\n\r\n",
                 b"GET / HTTP/2.0\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\n", b"GET /../../etc/passwd HTTP/1.1\r\n\r\n",
                 b"GET /%2e%2e/ HTTP/1.1\r\n\r\n", b"GET /" + b"a" * 4000 + b" HTTP/1.1\r\n\r\n",
                 b"POST /healthz HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
                 b"POST /healthz HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n",
                 b"CONNECT a:1 HTTP/1.1\r\n\r\n", b"GET /healthz\tHTTP/1.1\r\n\r\n",
                 b"GET /healthz HTTP/1.1\r\nA: \x1b[2J\r\n\r\n", b"GET /healthz HTTP/1.1 \r\n\r\n"]:
        print(*say(text))
elif what == "huge":
    print(*say(b"GET / HTTP/1.1\r\nA: " + b"a" * 5000000))
elif what == "pipelined":
    print(*say(b"GET /healthz HTTP/1.1\r\n\r\n" * 300))
elif what == "half-closed":
    s = connect()
    s.sendall(b"GET /healthz HTTP/1.1\r\n\r\n")
    s.shutdown(socket.SHUT_WR)
    print(*statuses(rest(s)))
elif what == "resets":
    for i in range(500):
        s = connect()
        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        send(s, b"GET /metrics HTTP/1.1\r\n\r\n"[:random.randrange(30)])
        s.close()
elif what == "noise":
    random.seed(1)
    for i in range(200):
        s = connect()
        send(s, os.urandom(random.randrange(3000)) + b"\r\n\r\n")
        rest(s)
elif what == "drip":
    # A byte at a time, for as long as it is let.
    s = connect()
    start = time.time()
    try:
        while time.time() - start < 60:
            s.send(b"a")
            time.sleep(0.1)
    except OSError:
        print("hung up")
elif what == "hold":
    # Many that ask for much, read nothing, and hold on; some that say nothing at all.
    held = [connect(receive=2048) for i in range(150)]
    for i, s in enumerate(held):
        if i % 2:
            send(s, b"GET /metrics HTTP/1.1\r\n\r\n")
    print("holding", flush=True)
    sys.stdin.read()
P
client() {
	timeout 60 python3 "$tmp/client.py" "$port" "$@"
}
answers() {
	[ "$(curl -sS -m 20 "$@" "http://127.0.0.1:$port/healthz" 2>/dev/null)" = '{"status": "ok"}' ]
}
events() {
	curl -sS -m 10 "http://127.0.0.1:$port/metrics" 2>/dev/null | awk '/^mews_source_events_total/ {print $2}'
}
# The broker is who listens: its process, for its memory and descriptors.
broker() {
	local pid
	for pid in $(ours); do
		[ "$(awk '/^Threads/ {print $2}' "/proc/$pid/status" 2>/dev/null)" -gt 1 ] 2>/dev/null && echo "$pid" && return
	done
}
fds() {
	find "/proc/$1/fd" -mindepth 1 2>/dev/null | wc -l
}
rss_kb() {
	awk '/^VmRSS/ {print $2}' "/proc/$1/status"
}

start_mews run -c "$tmp/falco.yaml" --enable-source kit
check "it serves" until_true 10 answers
pid=$(broker)
check "events flow" until_true 10 test -n "$(events)"
before_fds=$(fds "$pid") before_kb=$(rss_kb "$pid") before=$(events)

is "malformed requests" "$(client malformed | paste -sd' ')" \
	"400 400 400 505 505 400 404 404 404 405 405 400 400 400 505"
is "a head without end" "$(client huge)" 431
is "pipelined: one answer" "$(client pipelined)" 200
is "half closed: its answer" "$(client half-closed)" 200
client resets
check "after resets: it serves" answers
client noise
check "after noise: it serves" answers
client drip >"$tmp/drip" &
drip=$!
background+=("$drip")
check "while one drips: it serves" answers
exec 7> >(client hold >"$tmp/hold")
check "a hundred and fifty hold on" until_true 20 grep -q holding "$tmp/hold"
most=$(fds "$pid")
check "their number is bounded ($most descriptors)" test "$most" -le $((before_fds + 64 + 4))
check "their memory is bounded" test "$(rss_kb "$pid")" -le $((before_kb + 65536))
# Each is hung up on after its five seconds; there are twice as many as may be.
check "while they hold on: it serves again" until_true 60 answers
exec 7>&-
wait "$drip"
is "who drips is hung up on" "$(cat "$tmp/drip")" "hung up"
back() { [ "$(fds "$pid")" -le $((before_fds + 2)) ]; }
check "descriptors are given back" until_true 40 back
check "it serves" until_true 10 answers
check "events were evaluated all the while" test "$(events)" -gt $((before + 1000))
kill -TERM "$mews_pid"
check "it ends" wait_mews 10

# The same with TLS before it.
openssl req -x509 -newkey rsa:2048 -nodes -keyout "$tmp/key.pem" -out "$tmp/cert.pem" -days 2 \
	-subj /CN=localhost -addext subjectAltName=IP:127.0.0.1 2>/dev/null
cat "$tmp/cert.pem" "$tmp/key.pem" >"$tmp/both.pem"
chmod 644 "$tmp/both.pem"
secure() {
	[ "$(curl -sS -m 20 --cacert "$tmp/cert.pem" "https://127.0.0.1:$port/healthz" 2>/dev/null)" = '{"status": "ok"}' ]
}
start_mews run -c "$tmp/falco.yaml" --enable-source kit -o webserver.ssl_enabled=true \
	-o "webserver.ssl_certificate=$tmp/both.pem"
check "TLS: it serves" until_true 10 secure
pid=$(broker)
before_fds=$(fds "$pid")
is "TLS: plain text gets no answer" "$(client pipelined)" ""
client noise
client resets
check "TLS: it serves after noise" secure
exec 7> >(client hold >"$tmp/hold")
check "TLS: a hundred and fifty hold on" until_true 20 grep -q holding "$tmp/hold"
check "TLS: it serves again" until_true 60 secure
exec 7>&-
check "TLS: descriptors are given back" until_true 40 back
kill -TERM "$mews_pid"
check "TLS: it ends" wait_mews 10
check "nothing left" nothing_left
finish
