#!/usr/bin/env bash
# Plugins of the registry that cannot be had here, as doubles that make the same demands
# (tests/doubles): under the profile of that name what each needs works, and one thing more
# does not.
. "$(dirname "$0")/lib.sh"
command -v python3 >/dev/null || skip_all "python3 is not installed"
[ -d "$built/tests/doubles" ] || skip_all "tests/doubles is not built"
doubles=$tmp/doubles
mkdir -p "$doubles"
install -m 755 "$built"/tests/doubles/*.so "$doubles/"
port=$((20000 + $$ % 12000))

# Whoever connects to one of these ports and says something is answered, as if it were the
# service of that name.
hosts="logs.eu-west-1.amazonaws.com logs.s3.eu-west-1.amazonaws.com api.box.com
	api.pubsub.salesforce.com login.example pubsub.googleapis.com broker.example
	hub.servicebus.windows.net logs.blob.core.windows.net ldp.example nomad.example
	collector.example other.example"
for host in $hosts; do
	echo "127.0.0.1 $host"
done >"$tmp/hosts"
chmod 644 "$tmp/hosts"
cat >"$tmp/services.py" <<'P'
import os, select, socket, sys
servers = []
for place in sys.argv[1:]:
    if place[0] == "/":
        s = socket.socket(socket.AF_UNIX)
        s.bind(place)
        os.chmod(place, 0o666)
    else:
        s = socket.socket()
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.bind(("127.0.0.1", int(place)))
    s.listen()
    servers.append(s)
print("ready", flush=True)
while True:
    for s in select.select(servers, [], [])[0]:
        c = s.accept()[0]
        c.settimeout(2)
        try:
            if c.recv(1000):
                c.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        except OSError:
            pass
        c.close()
P

# Sockets whose paths are fixed in the plugins; only where nobody has them.
sockets=()
made=()
remove_sockets() {
	rm -f "${sockets[@]+"${sockets[@]}"}"
	[ ${#made[@]} = 0 ] || rmdir "${made[@]}" 2>/dev/null
	cleanup
}
trap remove_sockets EXIT
ports=(4646 5671 7443 9092 45000)
if [ "$(id -u)" = 0 ]; then
	ports+=(443)
	for path in /run/docker.sock /var/lib/edera/protect/daemon.socket; do
		[ ! -e "$path" ] || continue
		dir=$(dirname "$path")
		while [ ! -e "$dir" ]; do
			made+=("$dir")
			dir=$(dirname "$dir")
		done
		mkdir -p "$(dirname "$path")" && sockets+=("$path")
	done
fi
python3 "$tmp/services.py" "${ports[@]}" "${sockets[@]+"${sockets[@]}"}" >"$tmp/ready" 2>"$tmp/why" &
background+=($!)
ready() {
	grep -q ready "$tmp/ready"
}
until_true 5 ready || skip_all "$(tail -1 "$tmp/why")"

rules deeds.yaml <<'Y'
- rule: Deed
  desc: what the double did, and how it went
  condition: double.text exists
  output: "deed %double.text"
  priority: INFO
  source: double
Y

visitor=''
# double NAME INIT_CONFIG OPEN_PARAMS SANDBOX: sets out, err, rc. With visitor set, its
# words are sent there ("tcp:PORT TEXT", "unix:PATH TEXT"; a line each) as soon as somebody
# listens.
double() {
	config falco.yaml <<Y
rules_files: [$tmp/deeds.yaml]
sandbox: {egress_hosts: $tmp/hosts}
plugins:
  - name: $1
    library_path: $doubles/lib$1.so
    init_config: '$2'
    open_params: '$3'
    ${4:+sandbox: $4}
Y
	start_mews run -c "$tmp/falco.yaml" --enable-source double
	[ -z "$visitor" ] || python3 - "$visitor" <<'P'
import socket, sys, time
def visit(kind, port, text):
    if kind == "udp":
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        s.connect(("127.0.0.1", int(port)))
        s.send(text)
        time.sleep(0.2)
        s.send(text)
        return False
    if kind == "tcp":
        s = socket.create_connection(("127.0.0.1", int(port)), 1)
    else:
        s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM if kind == "unixgram" else socket.SOCK_STREAM)
        s.settimeout(1)
        s.connect(port)
    s.sendall(text)
    return kind == "unixgram" or bool(s.recv(10))
for line in sys.argv[1].splitlines():
    place, text = line.split(" ", 1)
    kind, port = place.split(":")
    end = time.time() + 7
    while time.time() < end:
        try:
            if visit(kind, port, text.encode() + b"\n"):
                break
        except OSError:
            pass
        time.sleep(0.1)
P
	check "$1: it ends" wait_mews 20
	check "$1: runs under its profile" err_says "plugin '$1': profile $1, by its name"
	visitor=''
}

did() { # did NAME DEED RESULT
	check "$1: $2: $3" grep -qF -- "deed $2: $3" <<<"$out"
}

refused() { # refused NAME DEED: not done, whatever the words are
	check "$1: one more ($2): asked for" grep -qF -- "deed $2: " <<<"$out"
	! grep -qE -- "deed $2: (done|nobody came|no answer|HTTP/1.1 200)" <<<"$out"
	holds "$1: one more ($2): refused"
}

# Clients: name|configuration|parameters|port of the stand-in|what they reach
has_443=0
[ "$(id -u)" = 0 ] && has_443=1
while IFS='|' read -r name config params service reached; do
	if [ "$service" = 443 ] && [ $has_443 = 0 ]; then
		skip "$name" "its stand-in needs port 443"
		continue
	fi
	more=$config
	also='"also": "connect other.example:4646;read /etc/shadow;connect 127.0.0.1:22"'
	if [ "$config" = '{}' ]; then more="{$also}"; else more="${config%\}}, $also}"; fi
	double "$name" "$more" "$params" "{connect: ['127.0.0.1:$service', '127.0.0.1:443']}"
	did "$name" "connect $reached" 'done'
	refused "$name" "connect other.example:4646"
	refused "$name" "read /etc/shadow"
	refused "$name" "connect 127.0.0.1:22"
done <<'T'
k8saudit-eks|{"region": "eu-west-1", "profile": "default"}|cluster|443|logs.eu-west-1.amazonaws.com:443
nomad|{"address": "http://nomad.example:4646", "token": "t"}||4646|$address
salesforce|{"sfdcloginurl": "https://login.example"}||7443|api.pubsub.salesforce.com:7443
box|{"boxclientid": "1"}||443|api.box.com:443
k8smeta|{"collectorPort": 45000, "collectorHostname": "collector.example", "nodeName": "n"}||45000|collector.example:45000
k8saudit-gke|{"project_id": "p"}|subscription|443|pubsub.googleapis.com:443
kafka|{"brokers": ["broker.example:9092"], "topics": ["t"]}||9092|$brokers
k8saudit-aks|{"event_hub_namespace_connection_string": "Endpoint=sb://hub.servicebus.windows.net/;SharedAccessKeyName=r;SharedAccessKey=k=", "blob_storage_connection_string": "DefaultEndpointsProtocol=https;AccountName=logs;AccountKey=k==;EndpointSuffix=core.windows.net"}||5671|hub.servicebus.windows.net:5671
k8saudit-ovh|{}|ldp.example:443/tail?x=1|443|$PARAMS
awselb|{"region": "eu-west-1", "s3Bucket": "logs", "s3Prefix": "p"}||443|logs.s3.eu-west-1.amazonaws.com:443
T

# Who a pod of EKS is, as its environment says: by a token, or by an agent.
mkdir -p "$tmp/token" && echo secret >"$tmp/token/token"
chmod -R a+rX "$tmp/token"
export AWS_WEB_IDENTITY_TOKEN_FILE=$tmp/token/token AWS_CONTAINER_CREDENTIALS_FULL_URI=http://127.0.0.1/v1
double k8saudit-eks "{\"region\": \"eu-west-1\", \"also\": \"read $tmp/token/token;read $tmp/hosts\"}" cluster
did k8saudit-eks "read $tmp/token/token" 'done'
refused k8saudit-eks "read $tmp/hosts"
run_mews policy explain k8saudit-eks -c "$tmp/falco.yaml"
check "k8saudit-eks: its agent, and the names of variables" out_has "127.0.0.1:80( |$)"
check "k8saudit-eks: it is told where" out_has "AWS_CONTAINER_CREDENTIALS_FULL_URI"
unset AWS_WEB_IDENTITY_TOKEN_FILE AWS_CONTAINER_CREDENTIALS_FULL_URI

# May whoever runs mews listen at this port, make a socket in /run?
as_root=yes
[ "$(id -u)" = 0 ] && [ ${#as_user[@]} = 0 ] || as_root=no
may_listen() {
	[ $as_root = yes ] || [ "$1" -ge "$(cat /proc/sys/net/ipv4/ip_unprivileged_port_start)" ]
}

# Listeners: name|configuration|parameters|port|kind
while IFS='|' read -r name config params at kind; do
	if ! may_listen "$at"; then
		double "$name" "$config" "$params"
		check "$name: it listens on port $at, which is root's: said so" \
			err_has "tried to bind to tcp .*:$at, a port that is root's on this host"
		continue
	fi
	config=${config//PORT/$port} params=${params//PORT/$port} at=${at//PORT/$port}
	also="\"also\": \"serve tcp :$((port + 1));connect 127.0.0.1:4646;read /etc/shadow\""
	if [ "$config" = '{}' ]; then config="{$also}"; else config="${config%\}}, $also}"; fi
	visitor="$kind:$at line of $name"
	double "$name" "$config" "$params" "${kind/*/}"
	check "$name: what comes to its port is an event" out_has "deed serve .*: line of $name"
	refused "$name" "serve tcp :$((port + 1))"
	refused "$name" "connect 127.0.0.1:4646"
	refused "$name" "read /etc/shadow"
done <<T
dnscollector|{}|http://:$port/dns|$port|tcp
keycloak|{}|http://127.0.0.1:$port/events|$port|tcp
syslogsrv|{"format": "RFC3164"}|udp://:$port|$port|udp
collector|{}|{"addr": "127.0.0.1:$port"}|$port|tcp
gitlab|{"UseHTTPS": false, "VerificationToken": "t"}||80|tcp
T

# Listeners at unix sockets: name|configuration|parameters|kind|path
mkdir -p "$tmp/at"
[ ${#as_user[@]} = 0 ] || chown 61234:61234 "$tmp/at"
cd "$tmp/at" || exit 1
HOME=$tmp/at
export HOME
as_user=("${as_user[@]/#HOME=*/HOME=$HOME}")
while IFS='|' read -r name config params kind path; do
	case $path in
	/run/*) [ $as_root = yes ] && [ ! -e "$path" ] || {
		skip "$name" "$path is root's, or somebody's"
		continue
	} ;;
	esac
	also="\"also\": \"serve unix $tmp/at/other.sock;connect 127.0.0.1:4646;read /etc/shadow\""
	if [ "$config" = '{}' ]; then config="{$also}"; else config="${config%\}}, $also}"; fi
	visitor="$kind:$path line of $name"
	[ "$name" != coding_agent ] || visitor+=$'\n'"tcp:2802 alert of $name"
	double "$name" "$config" "$params"
	check "$name: what comes to its socket is an event" out_has "deed serve .*: line of $name"
	[ "$name" != coding_agent ] ||
		check "$name: and what comes to its port" out_has "deed serve tcp .*: alert of $name"
	refused "$name" "serve unix $tmp/at/other.sock"
	refused "$name" "connect 127.0.0.1:4646"
	refused "$name" "read /etc/shadow"
	check "$name: no socket is left" test ! -e "$path"
done <<T
seccompagent|{"socketFile": "$tmp/at/a/b/agent.sock"}||unix|$tmp/at/a/b/agent.sock
seccompagent|{}||unix|/run/seccomp-agent-falco-plugin.sock
coding_agent|{"mode": "enforce"}||unix|$tmp/at/.prempti/run/broker.sock
coding_agent|{"socket_path": "$tmp/at/c.sock"}||unix|$tmp/at/c.sock
syslogsrv|{"format": "RFC3164"}|unixgram://syslog.sock|unixgram|$tmp/at/syslog.sock
T
cd "$tmp" || exit 1

# Files.
mkdir -p "$tmp/logs" "$tmp/else"
echo line >"$tmp/logs/access.log"
echo secret >"$tmp/else/secret"
chmod -R a+rX "$tmp/logs" "$tmp/else"
double nginx "{\"also\": \"read $tmp/else/secret;create $tmp/logs/new;follow $tmp/logs/new;mkdir $tmp/logs/d\"}" \
	"$tmp/logs/access.log"
did nginx 'follow $PARAMS' 'done'
did nginx 'watch $PARAMS' 'done'
for deed in "read $tmp/else/secret" "create $tmp/logs/new" "follow $tmp/logs/new" "mkdir $tmp/logs/d"; do
	refused nginx "$deed"
done
check "nginx: nothing was made" test ! -e "$tmp/logs/new" -a ! -e "$tmp/logs/d"
if [ -d /var/log/journal ] || [ -d /run/log/journal ]; then
	journal=/var/log/journal
	[ -d $journal ] || journal=/run/log/journal
	double journald "{\"filter\": [], \"JOURNAL\": \"$journal\", \"also\": \"read /etc/shadow\"}" ""
	did journald 'read $JOURNAL' 'done'
	did journald 'watch $JOURNAL' 'done'
	refused journald "read /etc/shadow"
else
	skip journald "this host keeps no journal"
fi

# Unix sockets.
if [ -e /run/docker.sock ] && [[ " ${sockets[*]-} " = *" /run/docker.sock "* ]]; then
	double docker '{"also": "unix /var/run/docker.sock POST_/containers/create;unix /var/run/docker.sock GET_/secrets;read /etc/shadow"}' ""
	did docker "unix /var/run/docker.sock GET_/events" "HTTP/1.1 200 OK"
	did docker "unix /var/run/docker.sock GET_/v1.41/containers/abc/json" "HTTP/1.1 200 OK"
	refused docker "unix /var/run/docker.sock POST_/containers/create"
	refused docker "unix /var/run/docker.sock GET_/secrets"
	check "docker: what it prints is a line of the log" err_has "docker"
	double container '{"engines": {"docker": {"enabled": true}}, "also": "unix /run/docker.sock POST_/exec;connect 127.0.0.1:4646"}' ""
	did container "read /proc/self/cmdline" 'done'
	did container "unix /run/docker.sock HEAD_/version" "HTTP/1.1 200 OK"
	did container "unix /run/docker.sock GET_/events" "HTTP/1.1 200 OK"
	refused container "unix /run/docker.sock POST_/exec"
	refused container "connect 127.0.0.1:4646"
	double container '{"engines": {"docker": {"enabled": false}}}' ""
	refused container "unix /run/docker.sock GET_/events"
else
	skip docker "/run/docker.sock is somebody's, or cannot be made"
	skip container "/run/docker.sock is somebody's, or cannot be made"
fi
if [[ " ${sockets[*]-} " = *" /var/lib/edera/protect/daemon.socket "* ]]; then
	double edera '{"also": "unix /run/docker.sock GET_/events;read /etc/shadow"}' ""
	did edera "unix /var/lib/edera/protect/daemon.socket GET_/" "HTTP/1.1 200 OK"
	refused edera "unix /run/docker.sock GET_/events"
	refused edera "read /etc/shadow"
else
	skip edera "its socket is somebody's, or cannot be made"
fi

# What cannot be: bpf(2) kills the worker, and mews ends in order and says why.
double krsi '{}' ""
check "krsi: bpf is no plugin's" err_says "a call that no plugin may make: bpf("
if [ "$(id -u)" = 0 ]; then
	# By root's hand: the kernel itself answers that this asks for nothing.
	config falco.yaml <<Y
rules_files: [$tmp/deeds.yaml]
plugins:
  - {name: krsi, library_path: $doubles/libkrsi.so, init_config: '{}', sandbox: {profile: unconfined}}
Y
	run_mews run -c "$tmp/falco.yaml" --enable-source double
	did krsi bpf "Invalid argument"
else
	skip "krsi, unconfined" "bpf is root's"
fi
check "nothing left" nothing_left
finish
