#!/usr/bin/env bash
# The listener profile: a plugin binds what its policy names and nothing else, in the
# host's network, and can reach nothing from there.
. "$(dirname "$0")/../hostile/lib.sh"

command -v python3 >/dev/null || skip_all "python3 is not installed"
port=$((20000 + $$ % 12000))

# listen SANDBOX CONFIG: starts the plugin, which listens and echoes lines as events
listen() {
	config falco.yaml <<Y
rules_files: [$tmp/net.yaml]
plugins:
  - name: net
    library_path: $plugins/net_source.so
    open_params: "$2"
    sandbox: {required: false, restart: {max: 0}, $1}
Y
	start_mews run -c "$tmp/falco.yaml" --enable-source net
}

rules net.yaml <<'Y'
- rule: Line
  desc: what came over the network
  condition: net.text exists
  output: line %net.text
  priority: INFO
  source: net
Y

send() { # send HOST PORT TEXT
	python3 - "$@" <<'P'
import socket, sys
host, port, text = sys.argv[1], int(sys.argv[2]), sys.argv[3]
kind = socket.SOCK_DGRAM if text.startswith("udp") else socket.SOCK_STREAM
s = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, kind)
s.settimeout(2)
s.connect((host, port))
s.sendall((text + "\n").encode())
if kind == socket.SOCK_STREAM:
    assert s.recv(100) == b"ok\n"
P
}

# serves NAME SANDBOX CONFIG HOST TEXT
serves() {
	listen "$2" "$3"
	check "$1: reached from outside" until_true 5 send "$4" "$port" "$5"
	kill -TERM "$mews_pid"
	wait_mews 10
	check "$1: an event came" out_has "line $5"
	check "$1: nothing left" nothing_left
}

serves "IPv4" "profile: listener, listen: [tcp:$port]" "tcp4 $port" 127.0.0.1 hello
serves "IPv4, one address" "profile: listener, listen: ['tcp:127.0.0.1:$port']" \
	"tcp4local $port" 127.0.0.1 hello
if [ -e /proc/net/if_inet6 ]; then
	serves "both families at once" "profile: listener, listen: [tcp:$port]" \
		"tcp6 $port" 127.0.0.1 hello
	serves "IPv6 alone" "profile: listener, listen: [tcp:$port]" \
		"tcp6only $port" ::1 hello
fi
serves "datagrams" "profile: listener, listen: [udp:$port]" "udp4 $port" 127.0.0.1 udp

# refuses NAME SANDBOX CONFIG
refuses() {
	listen "$2" "$3"
	wait_mews 10 || fail "$1: it ends by itself"
	! send 127.0.0.1 "$port" hello 2>/dev/null
	holds "$1: nobody listens"
	check "$1: the plugin's words" err_has "cannot bind"
}

refuses "another port" "profile: listener, listen: [tcp:$((port + 1))]" "tcp4 $port"
check "another port: the policy line that would allow it" err_says "listen: [tcp:$port]"
refuses "another address" "profile: listener, listen: ['tcp:127.0.0.2:$port']" "tcp4 $port"
refuses "another transport" "profile: listener, listen: [udp:$port]" "tcp4 $port"
refuses "no policy" "profile: pure" "tcp4 $port"
if [ ${#as_user[@]} -gt 0 ] &&
	[ "$(cat /proc/sys/net/ipv4/ip_unprivileged_port_start)" -gt 81 ]; then
	port=81
	refuses "a port of root's" "profile: listener, listen: [tcp:81]" "tcp4 81"
	check "a port of root's: said so" err_says "root's on this host"
fi
finish
