#!/usr/bin/env bash
# mews ctl, top and tap; systemd's notifications; logs as JSON.
. "$(dirname "$0")/lib.sh"

rules rules.yaml <<'Y'
- rule: Some
  desc: d
  condition: kit.num in (1, 2) or kit.text = "x"
  output: some %kit.num
  priority: WARNING
  source: kit
Y
config falco.yaml <<Y
rules_files: [$tmp/rules.yaml]
watch_config_files: false
sandbox: {ctl_socket: $tmp/ctl.sock, log_json: true}
plugins:
  - name: kit
    library_path: $plugins/plain.so
    open_params: "n=100000000,pause_us=500"
    sandbox: {restart: {max: 10, backoff_min: 10ms}}
Y

# Whoever gets the notifications.
python3 - "$tmp/notify.sock" "$tmp/notified" <<'P' &
import os, socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
os.chmod(sys.argv[1], 0o777)
with open(sys.argv[2], "w", buffering=1) as f:
    while True:
        f.write(s.recv(4096).decode() + "\n")
P
background+=($!)
until_true 5 test -S "$tmp/notify.sock"
export NOTIFY_SOCKET=$tmp/notify.sock WATCHDOG_USEC=400000
start_mews run -c "$tmp/falco.yaml" --enable-source kit
unset NOTIFY_SOCKET WATCHDOG_USEC
notified() {
	grep -q -- "$1" "$tmp/notified"
}
check "READY" until_true 10 notified '^READY=1$'
check "a status line" notified '^STATUS=1 of 1 sources ready, [0-9]* events, [0-9]* alerts$'
beats() {
	[ "$(grep -c '^WATCHDOG=1$' "$tmp/notified")" -ge 3 ]
}
check "the watchdog is fed" until_true 3 beats

ctl() {
	"$mews" ctl --socket "$tmp/ctl.sock" "$@" >"$tmp/ctl-out" 2>"$tmp/ctl-err"
	rc=$?
	out=$(cat "$tmp/ctl-out") err=$(cat "$tmp/ctl-err")
}
answers() {
	ctl status && [ "$rc" = 0 ]
}
check "ctl status" until_true 5 answers
is "which is JSON" "$(jq -r '.health.sources[0].source, .pipelines[0].source' "$tmp/ctl-out" | paste -sd' ')" "kit kit"
ctl plugins
is "ctl plugins" "$(jq -r '.workers[] | [.plugin, .source, .state] | join(" ")' "$tmp/ctl-out")" "kit kit running"
pid=$(jq -r '.workers[0].pid' "$tmp/ctl-out")
is "with its pid" "$pid" "$(workers)"
ctl dump-config
is "ctl dump-config" "$(jq -r '.config.plugins[0].name' "$tmp/ctl-out")" kit
ctl drops
jq -e '.drops | length > 4' "$tmp/ctl-out" >/dev/null
holds "ctl drops"
ctl denials
is "ctl denials" "$(jq -c .denials "$tmp/ctl-out")" "[]"
ctl nonsense
is "a command that is none fails" "$rc" 1
check "and says so" err_says "there is no such command"
ctl restart nobody
check "a plugin that is none" err_says "no running plugin has the name 'nobody'"
"$mews" ctl help >"$tmp/help"
for name in status plugins restart reload drops denials dump-config tap; do
	check "help lists $name" grep -q "^  $name " "$tmp/help"
done
ctl restart kit
is "ctl restart" "$(jq .workers "$tmp/ctl-out")" 1
another() {
	[ -n "$(workers)" ] && [ "$(workers)" != "$pid" ]
}
check "another worker comes" until_true 5 another
ctl plugins
is "which was no crash" "$(jq '.workers[0].crashes' "$tmp/ctl-out")" 0
running() {
	ctl plugins && [ "$(jq -r '.workers[0].state' "$tmp/ctl-out")" = running ]
}
check "and runs" until_true 5 running

# Words instead of JSON, lines that are too long, clients that do not read.
check "nonsense on the socket" python3 - "$tmp/ctl.sock" <<'P'
import socket, sys
def client():
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(5)
    s.connect(sys.argv[1])
    return s
c = client()
c.sendall(b"status\n{\"command\": \"status\"}\n[1\n{\n\xff\x00\n")
f = c.makefile("rb")
lines = [f.readline() for _ in range(5)]
assert lines[0].startswith(b'{"ok":true') and lines[1].startswith(b'{"ok":true'), lines
assert all(l.startswith(b'{"ok":false') for l in lines[2:]), lines
c = client()
try:
    for _ in range(64):
        c.sendall(b"x" * 4096)
    assert c.recv(1) == b""
except (BrokenPipeError, ConnectionResetError):
    pass
many = []
try:
    for _ in range(40):
        many.append(client())
except BlockingIOError:
    pass  # more than wait to be accepted
P
check "it answers all the same" until_true 5 answers

"$mews" top --socket "$tmp/ctl.sock" --once >"$tmp/top"
check "top has the source" grep -qE '^kit +yes ' "$tmp/top"
check "and the worker" grep -qE "^kit +kit +running +[0-9]+ " "$tmp/top"
is "in 80 columns" "$(awk 'length > 80' "$tmp/top")" ""

from=$(date +%s)
timeout 2 "$mews" tap --socket "$tmp/ctl.sock" kit >"$tmp/tap"
most=$((($(date +%s) - from + 1) * 100))
head -1 "$tmp/tap" | jq -e 'select(.source == "kit") | .fields["kit.num"] >= 0' >/dev/null
holds "tap has events with their fields"
n=$(wc -l <"$tmp/tap")
check "at a bounded rate ($n, $most at most)" test "$n" -le "$most"
check "saying what was skipped" grep -q '"skipped":[0-9]' "$tmp/tap"
"$mews" tap --socket "$tmp/ctl.sock" nobody >"$tmp/tap" 2>&1
is "tap of nobody fails" "$?" 1

if [ "$(id -u)" = 0 ]; then
	chmod 777 "$tmp/ctl.sock"
	setpriv --reuid 61235 --regid 61235 --clear-groups "$mews" ctl --socket "$tmp/ctl.sock" status \
		>"$tmp/ctl-out" 2>&1
	is "another user is not answered" "$?" 1
else
	skip "another user is not answered" "not root"
fi

kill -HUP "$mews_pid"
check "RELOADING" until_true 5 notified '^RELOADING=1$'
check "with a time" notified '^MONOTONIC_USEC=[0-9]'
kill -TERM "$mews_pid"
check "it ends" wait_mews 10
check "STOPPING" notified '^STOPPING=1$'
is "the log is JSON" "$(sed 1,2d "$tmp/err" | jq -r .level 2>&1 | sort -u | grep -vE '^(info|notice|warning|debug)$')" ""
check "no socket is left" test ! -e "$tmp/ctl.sock"
check "nothing left" nothing_left
finish
