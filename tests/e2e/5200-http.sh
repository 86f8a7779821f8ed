#!/usr/bin/env bash
# http_output against a server that is slow, refuses, or is not there: detection goes on,
# losses are counted, and with a spool there are none.
. "$(dirname "$0")/lib.sh"
command -v python3 >/dev/null || skip_all "no python3"

cat >"$tmp/server.py" <<'P'
# POST bodies go to a file; another file says how to behave: ok, 500, 400, slow.
import http.server, sys, time
port, bodies, mode = int(sys.argv[1]), sys.argv[2], sys.argv[3]
class H(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        how = open(mode).read().strip()
        if how == "slow":
            time.sleep(1)
        status = int(how) if how.isdigit() else 200
        if status == 200:
            with open(bodies, "ab") as f:
                f.write(body + b"\n")
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()
    def log_message(self, *a):
        pass
http.server.ThreadingHTTPServer(("127.0.0.1", port), H).serve_forever()
P
port=$((20000 + RANDOM % 12000))
server_pid=
start_server() {
	python3 "$tmp/server.py" "$port" "$tmp/bodies" "$tmp/mode" &
	server_pid=$!
	background+=("$server_pid")
	until_true 10 server_listens
}
server_listens() {
	(exec 9<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null
}
stop_server() {
	kill "$server_pid" 2>/dev/null
	wait "$server_pid" 2>/dev/null
}

rules rules.yaml <<'Y'
- rule: Every tenth
  desc: d
  condition: kit.text endswith "0"
  output: alert %kit.num
  priority: WARNING
  source: kit
Y
config falco.yaml <<Y
rules_files: [$tmp/rules.yaml]
watch_config_files: false
output_timeout: 500
sandbox: {ctl_socket: $tmp/ctl.sock}
http_output: {enabled: true, url: "http://127.0.0.1:$port/"}
plugins:
  - {name: kit, library_path: $plugins/plain.so, open_params: "n=100000000,pause_us=200"}
Y

ctl() {
	"$mews" ctl --socket "$tmp/ctl.sock" "$@" >"$tmp/ctl-out" 2>"$tmp/ctl-err"
}
events() {
	ctl status && jq '[.pipelines[].events] | add' "$tmp/ctl-out"
}
failed() {
	ctl status && jq '.outputs.failed' "$tmp/ctl-out"
}
go_on() { # events are evaluated, many more than there would be if alerts were waited for
	local before
	before=$(events)
	until_true 10 more_events_than $((before + 5000))
}
more_events_than() {
	[ "$(events || echo 0)" -gt "$1" ]
}
got() {
	[ "$(wc -l <"$tmp/bodies")" -gt "$1" ]
}

: >"$tmp/bodies"
echo ok >"$tmp/mode"
start_server
start_mews run -c "$tmp/falco.yaml" --enable-source kit
check "alerts arrive" until_true 10 got 10
is "as they are" "$(head -1 "$tmp/bodies" | sed 's/.*Warning //')" "alert 0"
echo 500 >"$tmp/mode"
some_failed() {
	[ "$(failed)" -gt 5 ]
}
check "status 500: failures are counted" until_true 10 some_failed
check "and detection goes on" go_on
echo slow >"$tmp/mode"
check "a slow server: detection goes on" go_on
stop_server
check "no server: detection goes on" go_on
check "the failures are in the log" grep -qE 'http: .*(status 500|libcurl failed)' "$tmp/err"
ctl drops
jq -e '.drops[] | select(.where == "http" and .count > 5)' "$tmp/ctl-out" >/dev/null
holds "and among the drops"
kill -TERM "$mews_pid"
check "it ends, whatever waits" wait_mews 10
check "nothing left" nothing_left

# With a spool.
sed -i "s,sandbox: {,sandbox: {http_spool_dir: $tmp/spool\, http_spool_mb: 1\, ," "$tmp/falco.yaml"
sed -i 's/n=100000000,pause_us=200/n=2000,pause_us=50/' "$tmp/falco.yaml"
: >"$tmp/bodies"
run_mews run -c "$tmp/falco.yaml" --enable-source kit
is "without a server the source runs to its end" "$rc" 0
check "it says where alerts are" err_has 'http: .*alerts wait in the spool'
is "200 of them" "$(grep -aoE 'alert [0-9]+' "$tmp"/spool/*.seg | wc -l)" 200
echo ok >"$tmp/mode"
sed -i 's/n=2000,/n=3000,/' "$tmp/falco.yaml"
start_server
run_mews run -c "$tmp/falco.yaml" --enable-source kit -o output_timeout=20000
is "the next run ends" "$rc" 0
is "and has delivered what waited, then its own, in order" \
	"$(grep -oE 'alert [0-9]+' "$tmp/bodies" | md5sum)" \
	"$( (seq 0 10 1990; seq 0 10 2990) | sed 's/^/alert /' | md5sum)"
echo 400 >"$tmp/mode"
run_mews run -c "$tmp/falco.yaml" --enable-source kit
check "what is refused for good is given up" err_has 'status 400: an alert is given up'
# A bit of a record is turned: what comes behind it cannot be trusted.
stop_server
run_mews run -c "$tmp/falco.yaml" --enable-source kit
segment=$(find "$tmp/spool" -name '*.seg' | sort | tail -1)
printf X | dd of="$segment" bs=1 seek=$(($(stat -c %s "$segment") - 8000)) conv=notrunc 2>/dev/null
: >"$tmp/bodies"
echo ok >"$tmp/mode"
start_server
sed -i 's/n=3000,/n=1,/' "$tmp/falco.yaml"
run_mews run -c "$tmp/falco.yaml" --enable-source kit -o output_timeout=20000
sed -i 's/n=1,/n=3000,/' "$tmp/falco.yaml"
check "a damaged spool is told" err_has 'http: the spool was damaged'
check "and what is whole of it delivered" test "$(wc -l <"$tmp/bodies")" -gt 50
is "no alert is another" "$(grep -vE 'Warning alert [0-9]+$' "$tmp/bodies")" ""
rm -r "$tmp/spool"
sed -i 's/pause_us=50/pause_us=1000/' "$tmp/falco.yaml"
echo 500 >"$tmp/mode"
: >"$tmp/bodies"
start_mews run -c "$tmp/falco.yaml" --enable-source kit -o output_timeout=20000
spooled() {
	ctl status && jq -e '.outputs.sinks[] | select(.name == "http") | .spooled_bytes > 1000' "$tmp/ctl-out" >/dev/null
}
check "what waits on disk is told" until_true 10 spooled
echo ok >"$tmp/mode"
check "after an outage it ends" wait_mews 30
is "and nothing was lost by it" "$(grep -oE 'alert [0-9]+' "$tmp/bodies" | md5sum)" \
	"$(seq 0 10 2990 | sed 's/^/alert /' | md5sum)"

# Another output over the same spool: the first ends in its own time, then the other goes on.
sed -i 's/n=3000,pause_us=1000/n=100000000,pause_us=1000/' "$tmp/falco.yaml"
: >"$tmp/bodies"
start_mews run -c "$tmp/falco.yaml" --enable-source kit
check "alerts arrive before a reload" until_true 10 got 20
sed -i 's,http_output: {,http_output: {user_agent: other\, ,' "$tmp/falco.yaml"
kill -HUP "$mews_pid"
check "it is reloaded" until_true 10 grep -q 'the new configuration holds' "$tmp/err"
before=$(wc -l <"$tmp/bodies")
check "alerts arrive after it" until_true 10 got $((before + 50))
kill -TERM "$mews_pid"
check "it ends" wait_mews 10
is "none was left out" "$(grep -oE '[0-9]+$' "$tmp/bodies" | awk '$1 != last && $1 != want {print "after " last " comes " $1} {last = $1; want = $1 + 10}')" ""

# A broker that is killed: at least once, in order.
sed -i 's/n=100000000,pause_us=1000/n=100000000,pause_us=100/' "$tmp/falco.yaml"
: >"$tmp/bodies"
for _ in 1 2 3; do
	start_mews run -c "$tmp/falco.yaml" --enable-source kit
	before=$(wc -l <"$tmp/bodies")
	until_true 10 got $((before + 20))
	kill -KILL "$mews_pid"
	wait "$mews_pid" 2>/dev/null
	until_true 5 no_process_of_ours
done
sed -i 's/n=100000000/n=1/' "$tmp/falco.yaml"
run_mews run -c "$tmp/falco.yaml" --enable-source kit -o output_timeout=10000
awk '/alert [0-9]+$/ {
	if ($NF != 0 && $NF != want && $NF != last) { print "after " last " comes " $NF; exit }
	last = $NF
	want = $NF + 10
}' "$tmp/bodies" >"$tmp/order"
is "killed three times: in order, none left out" "$(cat "$tmp/order")" ""
stop_server
finish
