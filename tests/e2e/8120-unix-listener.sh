#!/usr/bin/env bash
# A plugin that may listen at one unix socket, and wants more: every attempt of
# tests/hostile/local_sockets.c comes to what local_sockets.txt says, also where the folder
# with the host's own sockets is given to it to read; the host's sockets hear nothing, its
# files stay as they are. Then the host itself, in the middle, makes its path lead elsewhere.
. "$(dirname "$0")/../hostile/lib.sh"
cases=$root/tests/hostile/local_sockets.txt
command -v python3 >/dev/null || skip_all "python3 is not installed"
d=$tmp/u
mkdir -p "$d"
[ ${#as_user[@]} = 0 ] || chown 61234:61234 "$d"

cat >"$tmp/host.py" <<'P'
import os, socket, sys, threading
d = sys.argv[1]
s = socket.socket(socket.AF_UNIX)
s.bind(d + "/host.sock")
s.listen()
u = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
u.bind(d + "/host.dgram")
a = socket.socket(socket.AF_UNIX)
a.bind("\0hostile")
a.listen()
os.chmod(d + "/host.sock", 0o777)
os.chmod(d + "/host.dgram", 0o777)
def datagrams():
    while True:
        print("datagram", u.recvfrom(100), flush=True)
def abstract():
    while True:
        print("abstract", a.accept(), flush=True)
threading.Thread(target=datagrams, daemon=True).start()
threading.Thread(target=abstract, daemon=True).start()
print("ready", flush=True)
while True:
    print("connection", s.accept(), flush=True)
P
python3 "$tmp/host.py" "$d" >"$tmp/heard" 2>/dev/null &
background+=($!)
until_true 5 grep -q ready "$tmp/heard" || skip_all "no sockets"
echo text >"$d/file"
chmod 644 "$d/file"


for sandbox in "listen: ['unix:$d/may.sock']" \
	"listen: ['unix:$d/may.sock'], read: ['$d']" \
	"listen: [{unix: '$d/may.sock', mode: 0600}]"; do
	name=${sandbox//"$d"/DIR}
	attack local_sockets "only=$d" "$sandbox"
	while read -r try wanted answers; do
		read -r outcome error <<<"$(report "$try")"
		case ,$answers, in
		*",$error,"*) [ "$outcome" = "$wanted" ] && ok=yes || ok=no ;;
		*) ok=no ;;
		esac
		if [ $ok = yes ]; then
			pass "$name: $try is $outcome ($error)"
		else
			fail "$name: $try is ${outcome:-not reported} ($error), not $wanted ($answers)"
		fi
	done < <(awk '!/^#/ && NF' "$cases")
	is "$name: every attempt is in the table" "$(awk '{print $1}' <<<"$reports" | sort)" \
		"$(awk '!/^#/ && NF {print $1}' "$cases" | sort)"
	check "$name: broker and neighbour are unharmed" unharmed
	is "$name: the host's sockets heard nothing" "$(grep -vc ready "$tmp/heard")" 0
	is "$name: the folder is as it was" "$(ls -A "$d" | tr '\n' ' ')" "file host.dgram host.sock "
	is "$name: and its file" "$(stat -c '%a %s' "$d/file")" "644 5"
done
rm -rf "${d:?}"/*

# Whoever may move the host's directories makes the path lead elsewhere while the plugin
# runs; it then listens anew.
mkdir -p "$d/run" "$d/elsewhere"
[ ${#as_user[@]} = 0 ] || chown 61234:61234 "$d/run" "$d/elsewhere"
config falco.yaml <<Y
rules_files: [$tmp/hostile.yaml]
plugins:
  - name: net
    library_path: $plugins/net_source.so
    open_params: "unix $d/run/may.sock"
    sandbox: {required: false, restart: {max: 0}, listen: ['unix:$d/run/may.sock']}
Y
start_mews run -c "$tmp/falco.yaml" --enable-source net
until_true 5 test -S "$d/run/may.sock"
mv "$d/run" "$d/old"
ln -s "$d/elsewhere" "$d/run"
"${as_user[@]+"${as_user[@]}"}" python3 -c "
import socket
s = socket.socket(socket.AF_UNIX); s.connect('$d/old/may.sock'); s.send(b'again')"
wait_mews 10
check "a parent that became a link: refused" err_says "permissions do not let mews make it"
is "a parent that became a link: nothing is where it leads" "$(ls -A "$d/elsewhere")" ""
check "and the old file is gone" test ! -e "$d/old/may.sock"
finish
