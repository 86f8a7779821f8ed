#!/usr/bin/env bash
# listen: unix:PATH. A plugin that does what servers do (unlink, mkdir, bind, chmod, listen)
# is found at that path by whoever may; nothing is left of it; it gets nothing else.
. "$(dirname "$0")/../hostile/lib.sh"

command -v python3 >/dev/null || skip_all "python3 is not installed"
# A place that whoever runs mews may make directories in.
where=$tmp/user
mkdir -p "$where"
"${as_user[@]+"${as_user[@]}"}" true && [ ${#as_user[@]} -gt 0 ] && chown 61234:61234 "$where"
sock=$where/run/app.sock

rules net.yaml <<'Y'
- rule: Line
  desc: what came
  condition: net.text exists
  output: line %net.text
  priority: INFO
  source: net
Y

# settings SANDBOX OPEN [INIT]
settings() {
	config falco.yaml <<Y
rules_files: [$tmp/net.yaml]
plugins:
  - name: net
    library_path: $plugins/net_source.so
    init_config: "${3:-}"
    open_params: "$2"
    sandbox: {required: false, restart: {max: 3, backoff_min: 10ms}, $1}
Y
}

# listen SANDBOX OPEN [INIT]: starts the plugin
listen() {
	settings "$@"
	start_mews run -c "$tmp/falco.yaml" --enable-source net
}

cat >"$tmp/send.py" <<'P'
import array, os, socket, sys
path, kind, text = sys.argv[1:4]
s = socket.socket(socket.AF_UNIX, getattr(socket, "SOCK_" + kind))
s.settimeout(2)
s.connect(path)
if len(sys.argv) > 4:
    fds = array.array("i", [os.open(sys.argv[4], os.O_RDONLY)])
    s.sendmsg([text.encode()], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, fds)])
else:
    s.sendall((text + "\n").encode())
if kind != "DGRAM" and text != "again":
    assert s.recv(100) == b"ok\n"
P
# send PATH STREAM|DGRAM|SEQPACKET TEXT [FILE]: as who runs mews
send() {
	"${as_user[@]+"${as_user[@]}"}" python3 "$tmp/send.py" "$@" 2>/dev/null
}
# As somebody else.
send_as_other() {
	setpriv --reuid 61235 --regid 61235 --clear-groups env python3 "$tmp/send.py" "$@" 2>/dev/null
}
mode_of() {
	stat -c %a "$1" 2>/dev/null
}
stop() {
	kill -TERM "$mews_pid"
	wait_mews 10
}

# serves NAME KIND SEND-KIND
serves() {
	listen "profile: pure, listen: [unix:$sock]" "$2 $sock"
	check "$1: reached at its path" until_true 5 send "$sock" "$3" "hello"
	is "$1: for who runs mews alone" "$(mode_of "$sock")" 600
	is "$1: and his" "$(stat -c %u "$sock")" "${as_user[2]:-$(id -u)}"
	stop
	check "$1: an event came" out_has "line hello"
	check "$1: nothing left" nothing_left
	check "$1: no file either" test ! -e "$sock"
	! err_has "tried to"
	holds "$1: and no word about it"
}
serves "streams" unix STREAM
serves "datagrams" unixgram DGRAM
serves "packets" unixpacket SEQPACKET
is "nothing but the directory was made" "$(find "$where" -mindepth 1 | tr '\n' ' ')" "$where/run "

# In init, before the second filter is on; both kinds of datagrams.
listen "profile: pure, listen: [unix:$sock]" "" "unixgram $sock 666"
check "in init: reached" until_true 5 send "$sock" DGRAM early
is "in init: the mode is what chmod asked for" "$(mode_of "$sock")" 666
stop
check "in init: an event came" out_has "line early"
port=$((20000 + $$ % 12000))
listen "profile: listener, listen: [udp:$port]" "" "udp4 $port"
check "UDP in init: reached" until_true 5 python3 -c "
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.connect(('127.0.0.1', $port))
s.send(b'udp in init')
s.settimeout(0.2)
try: s.recv(1)
except TimeoutError: pass"
until_true 3 grep -q "udp in init" "$tmp/out"
stop
check "UDP in init: an event came" out_has "line udp in init"

# A path that starts at the working directory.
config falco.yaml <<Y
rules_files: [$tmp/net.yaml]
plugins:
  - name: net
    library_path: $plugins/net_source.so
    open_params: "unixgram app.sock"
    sandbox: {required: false, restart: {max: 0}, listen: [unix:$sock]}
Y
cd "$where/run" || exit 1
start_mews run -c "$tmp/falco.yaml" --enable-source net
cd "$tmp" || exit 1
check "a relative path: reached" until_true 5 send "$sock" DGRAM relative
stop
check "a relative path: an event came" out_has "line relative"
check "a relative path: no file left" test ! -e "$sock"

# Modes and owners.
listen "listen: [{unix: $sock, mode: 0640}]" "unix $sock 777"
until_true 5 send "$sock" STREAM x
is "the policy's mode is the most there can be" "$(mode_of "$sock")" 640
stop
listen "listen: [{unix: $sock, mode: 0666}]" "unix $sock"
until_true 5 send "$sock" STREAM x
is "the policy's mode" "$(mode_of "$sock")" 666
if [ "$(id -u)" = 0 ]; then
	check "everybody may connect then" until_true 5 send_as_other "$sock" STREAM other
fi
stop
listen "listen: [unix:$sock]" "unix $sock"
until_true 5 send "$sock" STREAM x
if [ "$(id -u)" = 0 ]; then
	! send_as_other "$sock" STREAM other
	holds "others may not, unless it is said"
fi
stop
if [ "$(id -u)" = 0 ] && [ ${#as_user[@]} = 0 ]; then
	listen "listen: [{unix: $sock, owner: 61235, group: 61236, mode: 0660}]" "unix $sock"
	check "an owner of its own: he connects" until_true 5 send_as_other "$sock" STREAM owner
	is "and has it" "$(stat -c '%u %g %a' "$sock")" "61235 61236 660"
	stop
elif [ ${#as_user[@]} -gt 0 ]; then
	listen "listen: [{unix: $sock, owner: 61235}]" "unix $sock"
	wait_mews 10
	check "an owner that cannot be given is said" err_says "permissions do not let mews make it"
	check "and nothing is left of it" test ! -e "$sock"
fi

# What stands there already.
"${as_user[@]+"${as_user[@]}"}" python3 -c "
import socket
s = socket.socket(socket.AF_UNIX); s.bind('$sock')"
check "a socket that nobody has" test -S "$sock"
listen "listen: [unix:$sock]" "unix $sock"
check "is replaced" until_true 5 send "$sock" STREAM x
stop
"${as_user[@]+"${as_user[@]}"}" python3 -c "
import socket, time
s = socket.socket(socket.AF_UNIX); s.bind('$sock'); s.listen()
time.sleep(20)" &
background+=($!)
other=$!
until_true 5 test -S "$sock"
listen "restart: {max: 0}, listen: [unix:$sock]" "unix $sock"
wait_mews 10
check "a socket that somebody has is not" err_says "Address already in use"
check "it is still there" test -S "$sock"
kill -9 "$other"
wait "$other" 2>/dev/null
rm -f "$sock"
"${as_user[@]+"${as_user[@]}"}" touch "$sock"
listen "restart: {max: 0}, listen: [unix:$sock]" "unix $sock"
wait_mews 10
check "a file is not" err_says "Address already in use"
check "and stays" test -f "$sock"
rm -f "$sock"

# Again and again.
listen "listen: [unix:$sock]" "unix $sock"
until_true 5 send "$sock" STREAM first
check "a worker that listens anew" send "$sock" STREAM again
check "is found again" until_true 5 send "$sock" STREAM second
worker=$(workers | head -1)
kill -SEGV "$worker"
check "after a crash the next worker is" until_true 5 send "$sock" STREAM third
[ "$(workers | head -1)" != "$worker" ]
holds "which is another"
stop
check "all of it came" test "$(grep -cE 'line (first|second|third)' <<<"$out")" = 3
check "no file left" test ! -e "$sock"
listen "listen: [unix:$sock]" "unix $sock"
until_true 5 send "$sock" STREAM first
kill -9 "$mews_pid"
wait_mews 5
check "mews killed: nothing left that runs" nothing_left
listen "listen: [unix:$sock]" "unix $sock"
check "its file is in nobody's way" until_true 5 send "$sock" STREAM next
stop

# A reload: what has changed listens anew, at the same path.
listen "listen: [unix:$sock]" "unix $sock"
until_true 5 send "$sock" STREAM before
settings "listen: [unix:$sock]" "unix $sock 666"
kill -HUP "$mews_pid"
changed() {
	[ "$(mode_of "$sock")" = 666 ]
}
check "a reload: the new one listens" until_true 10 changed
check "and is reached" until_true 5 send "$sock" STREAM after
stop
check "both heard" test "$(grep -cE 'line (before|after)' <<<"$out")" = 2

# Descriptors that a caller hands over go nowhere.
listen "listen: [unix:$sock]" "unix $sock"
until_true 5 send "$sock" STREAM x
send "$sock" STREAM "with a file" /etc/passwd
before=$(ls "/proc/$(workers | head -1)/fd" | wc -l)
until_true 5 send "$sock" STREAM y
is "no descriptor came in" "$(ls "/proc/$(workers | head -1)/fd" | wc -l)" "$before"
! find "/proc/$(workers | head -1)/fd" -lname "/etc/passwd" | grep -q .
holds "and not this one"
stop

# Unless it is said that they may.
echo "words of a file" >"$tmp/handed"
chmod 644 "$tmp/handed"
listen "listen: [{unix: $sock, descriptors: true}]" "unixfds $sock"
check "descriptors: true: it listens" until_true 5 send "$sock" STREAM alone
check "descriptors: true: one is handed over" send "$sock" STREAM given "$tmp/handed"
stop
check "the plugin has the file" out_has "line given, file words of a file$"
check "and none where none was sent" out_has "line alone"
! err_has "tried to"
holds "no word about it"
listen "restart: {max: 0}, listen: [unix:$sock]" "unixfds $sock"
check "without it: it listens" until_true 5 test -S "$sock"
send "$sock" STREAM given "$tmp/handed"
stop
! out_has "words of a file"
holds "without it: no file"
check "without it: told" err_says "descriptors: true, where listen: has that socket"

# With a proxy of somebody else's socket, and what is refused.
mkdir -p "$where/other"
python3 -c "
import os, socket, threading
u = socket.socket(socket.AF_UNIX); u.bind('$where/other/d.sock')
os.chmod('$where/other/d.sock', 0o666); u.listen()
while True:
    c, _ = u.accept(); c.recv(1000)
    c.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok'); c.close()" &
background+=($!)
until_true 5 test -S "$where/other/d.sock"
both="listen: [unix:$sock, tcp:$port], unix: [{path: $where/other/d.sock, http-get: [/a]}]"
settings "$both, restart: {max: 0}" "unix $where/other/d.sock GET /a;unix $where/other/d.sock GET /b"
sed -i "s,net_source,net_client," "$tmp/falco.yaml"
run_mews run -c "$tmp/falco.yaml" --enable-source net
is "listen and unix together: what the proxy lets through" "$(grep -c 'HTTP/1.1 200' <<<"$out")" 1
is "and what not" "$(grep -c 'HTTP/1.1 403' <<<"$out")" 1
settings "restart: {max: 0}, listen: [unix:$sock], write: [$where]" "unix $sock"
run_mews run -c "$tmp/falco.yaml" --enable-source net
check "not where it may write itself" err_says "which the plugin may write"
settings "restart: {max: 0}, listen: [unix:$where/run/else.sock]" "unix $sock"
run_mews run -c "$tmp/falco.yaml" --enable-source net
check "not at another path" err_says "listen: [unix:$sock]"
check "nothing was made" test ! -e "$where/run/else.sock"
while :; do
	send "$sock" STREAM x
	sleep 0.2
done &
caller=$!
run_mews learn "$plugins/net_source.so" --open-params "unix $sock" -n 1
kill "$caller"
check "learn: where it listens" out_has "^listen: \['unix:$sock'\]$"
! out_has "^write:"
holds "learn: and nothing to write"
finish
