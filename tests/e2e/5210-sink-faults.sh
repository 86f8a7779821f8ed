#!/usr/bin/env bash
# Sinks that refuse, hang, break off, fill up or die: each loses its own alerts at most,
# counted by reason; the other sinks get every one, and events are evaluated meanwhile.
. "$(dirname "$0")/lib.sh"
command -v python3 >/dev/null || skip_all "no python3"

cat >"$tmp/server.py" <<'P'
# Does with each connection what its one argument says; prints its port.
import socket, ssl, struct, sys, threading, time
how, cert = sys.argv[1], sys.argv[2:]
listener = socket.socket()
listener.bind(("127.0.0.1", 0))
listener.listen(64)
print(listener.getsockname()[1], flush=True)
def head(c):
    text = b""
    while b"\r\n\r\n" not in text:
        piece = c.recv(65536)
        if not piece:
            return False
        text += piece
    start, body = text.split(b"\r\n\r\n", 1)
    length = int([l for l in start.split(b"\r\n") if l.lower().startswith(b"content-length")][0].split(b":")[1])
    while len(body) < length:
        body += c.recv(65536)
    if how == "te":
        c.send(b"HTTP/1.1 %d X\r\nContent-Length: 0\r\n\r\n" % (200 if b"\r\nTE: gzip" in start else 400))
        return head(c)
    return True
def serve(c):
    if how in ("tls", "mtls"):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*cert[:2])
        if how == "mtls":
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(cert[2])
        c = context.wrap_socket(c, server_side=True)
    while how != "deaf" and head(c):
        if how == "reset":
            c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            break
        if how == "hang":
            time.sleep(1000)
        if how == "drip":
            for byte in b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + 1000 * b".":
                c.send(bytes([byte]))
                time.sleep(0.01)
        if how == "flood":
            c.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100000000000\r\n\r\n")
            while True:
                c.send(65536 * b".")
        if how == "garbage":
            c.send(b"\0\r\n\xff garbage \r\n\r\n" * 10)
            break
        if how == "talk":
            c.send(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\necho!\n")
            continue
        status = how if how.isdigit() else "200"
        c.send(b"HTTP/1.1 %s X\r\nContent-Length: 0\r\n\r\n" % status.encode())
    if how == "deaf":
        time.sleep(1000)
    c.close()
def quietly(c):
    try:
        serve(c)
    except OSError:
        pass
while True:
    threading.Thread(target=quietly, args=(listener.accept()[0],), daemon=True).start()
P
server_pid=
start_server() { # start_server HOW [CERTIFICATE KEY]: port is its
	: >"$tmp/port"
	python3 "$tmp/server.py" "$@" >"$tmp/port" &
	server_pid=$!
	background+=("$server_pid")
	until_true 10 test -s "$tmp/port"
	port=$(cat "$tmp/port")
}
stop_server() {
	kill "$server_pid" 2>/dev/null
	wait "$server_pid" 2>/dev/null
}

# Forty alerts, and then events without end that match nothing.
rules rules.yaml <<'Y'
- rule: Some
  desc: d
  condition: kit.num < 400 and kit.text endswith "0"
  output: alert %kit.num
  priority: WARNING
  source: kit
Y
config falco.yaml <<Y
rules_files: [$tmp/rules.yaml]
watch_config_files: false
output_timeout: 60
sandbox: {ctl_socket: $tmp/ctl/sock}
file_output: {enabled: true, filename: $tmp/logs/file}
program_output: {enabled: true, keep_alive: true, program: "exec cat >> $tmp/logs/program"}
http_output: {max_consecutive_timeouts: 0}
plugins:
  - {name: kit, library_path: $plugins/plain.so, open_params: "n=100000000,pause_us=200"}
Y
install -d -m 777 "$tmp/logs" "$tmp/ctl"

ctl() {
	"$mews" ctl --socket "$tmp/ctl/sock" "$@" >"$tmp/ctl-out" 2>"$tmp/ctl-err"
}
events() {
	ctl status && jq '[.pipelines[].events] | add' "$tmp/ctl-out"
}
more_events_than() {
	[ "$(events || echo 0)" -gt "$1" ]
}
# account SINK: what became of the forty, as "delivered=N reason=N".
account() {
	ctl status && jq -r --arg s "$1" '.outputs.sinks[] | select(.name == $s) |
		"delivered=\(.delivered)" + ([.lost | to_entries[] | " \(.key)=\(.value)"] | join(""))' "$tmp/ctl-out"
}
all_accounted() { # all_accounted SINK
	ctl status && jq -e --arg s "$1" '.outputs.queued == 40 and
		(.outputs.sinks[] | select(.name == $s) | .delivered + (.lost | add) == 40)' \
		"$tmp/ctl-out" >/dev/null
}
wanted=$(seq 0 10 390 | sed 's/^/alert /')
alerts_in() { # without what was torn
	grep -aoE 'alert [0-9]+$' "$1"
}
has_all() {
	[ "$(alerts_in "$1")" = "$wanted" ]
}

small_queues=no # yes: whoever is slow, on a machine that has much to do, loses some
# fault WHAT SINK ACCOUNT [OPTIONS...]: SINK is the one with the fault.
fault() {
	local what=$1 sink=$2 account=$3 other
	shift 3
	rm -rf "$tmp"/logs/*
	start_mews run -c "$tmp/falco.yaml" --enable-source kit "$@"
	check "$what: events are evaluated" until_true 10 more_events_than 1500
	for other in stdout file program; do
		[ $other = "$sink" ] && continue
		if [ "$small_queues" = yes ]; then
			check "$what: every alert of $other is accounted for" until_true 10 all_accounted $other
			continue
		fi
		file=$tmp/logs/$other
		[ $other = stdout ] && file=$tmp/out
		check "$what: $other has all alerts, in order" until_true 10 has_all "$file"
		is "$what: $other lost none" "$(account $other)" "delivered=40"
	done
	[ "$account" = later ] && return
	check "$what: every alert of $sink is accounted for" until_true 10 all_accounted "$sink"
	is "$what: by reason" "$(account "$sink")" "$account"
	end "$what"
}
end() {
	kill -TERM "$mews_pid"
	check "$1: it ends" wait_mews 10
	check "$1: nothing left" nothing_left
}
http_fault() { # http_fault WHAT HOW ACCOUNT [OPTIONS...]
	start_server "$2"
	fault "$1" http "$3" -o http_output.enabled=true -o "http_output.url=http://127.0.0.1:$port/" "${@:4}"
	stop_server
}

# Time enough, for a machine that has much to do, where time is not the matter.
patient=(-o output_timeout=5000)
http_fault "a server that takes all" 200 "delivered=40" "${patient[@]}"
http_fault "status 500" 500 "delivered=0 refused=40" "${patient[@]}"
check "status 500: told" err_has 'http: the server answered with status 500'
http_fault "status 400" 400 "delivered=0 refused=40" "${patient[@]}"
http_fault "a server that resets" reset "delivered=0 failed=40" "${patient[@]}"
http_fault "a server that talks nonsense" garbage "delivered=0 failed=40" "${patient[@]}"
http_fault "a server that reads and never answers" hang "delivered=0 timeout=40"
check "never answers: told" err_has 'http: libcurl failed to perform call: Timeout was reached'
http_fault "a server that does not even read" deaf "delivered=0 timeout=40"
http_fault "an answer that drips" drip "delivered=0 timeout=40"
http_fault "an answer without end" flood "delivered=0 timeout=40"
http_fault "a hang with retries" hang "delivered=0 timeout=40" -o http_output.max_consecutive_timeouts=1
fault "nobody listens" http "delivered=0 failed=40" "${patient[@]}" -o http_output.enabled=true -o http_output.url=http://127.0.0.1:1/
# Whoever is asked for the name may be slow at times: some time out.
fault "no such name" http later -o http_output.enabled=true -o http_output.url=http://nobody.invalid/
check "no such name: every alert is accounted for" until_true 10 all_accounted http
check "no such name: none was delivered" grep -qE '^delivered=0 (failed|timeout)=' <<<"$(account http)"
end "no such name"
check "no such name: told" err_has "http: libcurl failed to perform call: Couldn't resolve host name"

for name in right wrong; do
	openssl req -x509 -newkey rsa:2048 -nodes -keyout "$tmp/$name.key" -out "$tmp/$name.pem" \
		-days 2 -subj /CN=localhost -addext subjectAltName=IP:127.0.0.1 2>/dev/null
done
start_server tls "$tmp/right.pem" "$tmp/right.key"
fault "the right CA" http "delivered=40" -o http_output.enabled=true -o output_timeout=5000 \
	-o "http_output.url=https://127.0.0.1:$port/" -o "http_output.ca_cert=$tmp/right.pem"
fault "the wrong CA" http "delivered=0 failed=40" -o http_output.enabled=true -o output_timeout=5000 \
	-o "http_output.url=https://127.0.0.1:$port/" -o "http_output.ca_cert=$tmp/wrong.pem"
check "the wrong CA: told" err_has 'http: libcurl failed to perform call: SSL peer certificate'
fault "the wrong CA, and insecure" http "delivered=40" -o http_output.enabled=true -o output_timeout=5000 \
	-o "http_output.url=https://127.0.0.1:$port/" -o "http_output.ca_cert=$tmp/wrong.pem" \
	-o http_output.insecure=true
stop_server
chmod 644 "$tmp"/*.key
start_server mtls "$tmp/right.pem" "$tmp/right.key" "$tmp/wrong.pem"
mtls=(-o http_output.enabled=true -o output_timeout=5000 -o "http_output.url=https://127.0.0.1:$port/"
	-o "http_output.ca_bundle=$tmp/right.pem")
fault "a server that wants a certificate" http "delivered=0 failed=40" "${mtls[@]}"
fault "and gets it" http "delivered=40" "${mtls[@]}" -o http_output.mtls=true \
	-o "http_output.client_cert=$tmp/wrong.pem" -o "http_output.client_key=$tmp/wrong.key"
stop_server
http_fault "compressed transfer is asked for" te "delivered=40" "${patient[@]}" -o http_output.compress_uploads=true
http_fault "and not, if not" te "delivered=0 refused=40" "${patient[@]}"
http_fault "a server that talks" talk "delivered=40" "${patient[@]}" -o http_output.echo=true
is "what it says is shown" "$(grep -c '^echo!$' "$tmp/out")" 40

fault "a full disk" file "delivered=0 failed=40" -o file_output.filename=/dev/full
check "a full disk: told" err_has 'file: .*No space left on device'
fault "a file that may not grow" file "delivered=0 failed=40" -o "file_output.filename=$tmp/logs"
mkdir "$tmp/small"
if mount -t tmpfs -o size=8k tmpfs "$tmp/small" 2>/dev/null; then
	chmod 777 "$tmp/small"
	yes "a line that was there" | head -c 7500 >"$tmp/small/before"
	chmod 666 "$tmp/small/before"
	fault "a disk that gets full" file later -o "file_output.filename=$tmp/small/before"
	check "a disk that gets full: accounted for" until_true 10 all_accounted file
	check "some were written" test "$(alerts_in "$tmp/small/before" | wc -l)" -gt 0
	is "as many as were counted" "delivered=$(alerts_in "$tmp/small/before" | wc -l) failed=$((40 - $(alerts_in "$tmp/small/before" | wc -l)))" \
		"$(account file)"
	end "a disk that gets full"
	umount "$tmp/small"
else
	skip "a disk that gets full" "no mounting here"
fi

fault "a program that ends at once" program later -o "program_output.program=exit 0"
check "ends at once: accounted for" until_true 10 all_accounted program
end "ends at once"
fault "a program that cannot be found" program later -o program_output.program=/nonexistent/program
end "cannot be found"
forever=1000000$$ # this run's own, to be told from others'
no_program() { ! pgrep -f "^sleep $forever$" >/dev/null; }
small_queues=yes
fault "a program that never ends" program later -o "program_output.program=exec sleep $forever" \
	-o program_output.keep_alive=false -o outputs_queue.capacity=10
full() { [ "$(account program)" = "delivered=0 queue_full=30" ]; }
check "never ends: what finds no room is counted" until_true 10 full
end "never ends"
small_queues=no
fault "a program that never reads" program later -o "program_output.program=exec sleep $forever"
end "never reads"
fault "a program that is killed" program later -o "program_output.program=kill -9 \$\$"
end "is killed"
check "no program is left" until_true 10 no_program

if [ -e /dev/log ]; then
	skip "no syslog" "there is one"
else
	fault "no syslog" syslog "delivered=0 failed=40" -o syslog_output.enabled=true
	check "no syslog: told" err_has 'syslog: /dev/log: No such file'
fi

# Nobody reads stdout, not even until the end.
rm -f "$tmp"/logs/*
rules all.yaml <<'Y'
- rule: All
  desc: d
  condition: kit.num < 4000
  output: alert %kit.num which is written with many words so that a pipe is full soon
  priority: WARNING
  source: kit
Y
mkfifo "$tmp/pipe"
exec 7<>"$tmp/pipe"
"$mews" run -c "$tmp/falco.yaml" -r "$tmp/all.yaml" --enable-source kit -o program_output.enabled=false \
	>"$tmp/pipe" 2>"$tmp/err" &
mews_pid=$!
background+=("$mews_pid")
check "stdout that nobody reads: events are evaluated" until_true 10 more_events_than 4500
file_has_4000() { [ "$(grep -c alert "$tmp/logs/file")" = 4000 ]; }
check "and the file has all" until_true 10 file_has_4000
check "it is told" until_true 10 grep -q '"stdout" output timeout' "$tmp/err"
kill -TERM "$mews_pid"
check "and it ends" wait_mews 10
exec 7<&-
# Nobody reads the log: a line waits for that once, then they are lost and counted.
sed -i "s,rules_files: .*,rules_files: [$tmp/rules.yaml]," "$tmp/falco.yaml"
exec 7<>"$tmp/pipe"
while :; do printf '%04096d' 0; done 2>/dev/null >"$tmp/pipe" &
writer=$!
background+=("$writer")
rm -f "$tmp"/logs/*
"$mews" run -c "$tmp/falco.yaml" --enable-source kit -o program_output.enabled=false \
	>"$tmp/out" 2>"$tmp/pipe" &
mews_pid=$!
background+=("$mews_pid")
check "a log that nobody reads: events are evaluated" until_true 10 more_events_than 1500
check "and the file has all" until_true 10 has_all "$tmp/logs/file"
lines_lost() {
	ctl drops && jq -e '.drops[] | select(.where == "standard error" and .count > 3)' "$tmp/ctl-out" >/dev/null
}
check "and what is lost is counted" until_true 10 lines_lost
kill "$writer"
kill -TERM "$mews_pid"
check "it ends" wait_mews 10
check "nothing left" nothing_left
exec 7<&-
finish
