#!/usr/bin/env bash
# Plugins that may use the network, and want more of it: under each profile, every attempt
# of tests/hostile/network.c comes to what network.txt says, and the host's own server
# hears nothing of it.
. "$(dirname "$0")/../hostile/lib.sh"
cases=$root/tests/hostile/network.txt
command -v python3 >/dev/null || skip_all "python3 is not installed"
port=$((20000 + $$ % 12000)) host=$((port + 2))

# What must not be reached: notes whoever comes, by TCP or UDP.
cat >"$tmp/host.py" <<'P'
import socket, sys, threading
port = int(sys.argv[1])
t = socket.create_server(("127.0.0.1", port))
u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
u.bind(("127.0.0.1", port))
def datagrams():
    while True:
        print("datagram", u.recvfrom(100), flush=True)
threading.Thread(target=datagrams, daemon=True).start()
print("ready", flush=True)
while True:
    print("connection", t.accept(), flush=True)
P
python3 "$tmp/host.py" "$host" >"$tmp/heard" 2>/dev/null &
background+=($!)
until_true 5 grep -q ready "$tmp/heard" || skip_all "port $host is taken"

declare -A sandbox=(
	[listener]="profile: listener, listen: ['tcp:$port']"
	[datagrams]="profile: listener, listen: ['udp:$port']"
	[client]="profile: client, connect: ['allowed.example:$port']"
	[both]="profile: listener, listen: ['tcp:$port'], connect: ['allowed.example:$port']"
)
for profile in listener datagrams client both; do
	attack network "only=$port-$host" "${sandbox[$profile]}"
	while read -r try _; do
		read -r wanted answers < <(awk -v p="$profile" -v t="$try" \
			'($1 == p || $1 == "any") && $2 == t {print $3, $4; exit}' "$cases")
		read -r outcome error <<<"$(report "$try")"
		ok=no
		case ,$answers, in
		,-, | *",$error,"*) [ "$outcome" = "$wanted" ] && ok=yes ;;
		esac
		if [ $ok = yes ]; then
			pass "$profile: $try is $outcome ($error)"
		else
			fail "$profile: $try is ${outcome:-not reported} ($error), not ${wanted:-in the table} ($answers)"
		fi
	done < <(awk '!/^#/ && NF {print $2}' "$cases" | sort -u)
	is "$profile: every attempt is in the table" \
		"$(awk '{print $1}' <<<"$reports" | sort)" \
		"$(awk '!/^#/ && NF {print $2}' "$cases" | sort -u)"
	check "$profile: broker and neighbour are unharmed" unharmed
	is "$profile: the host's server heard nothing" "$(grep -vc ready "$tmp/heard")" 0
done

# Slow callers: connections that say nothing, more than there are descriptors for.
cat >"$tmp/callers.py" <<'P'
import socket, sys, time
held = []
for _ in range(600):
    s = socket.socket()
    s.setblocking(False)
    s.connect_ex(("127.0.0.1", int(sys.argv[1])))
    held.append(s)
time.sleep(3)
P
config falco.yaml <<Y
rules_files: [$tmp/hostile.yaml]
plugins:
  - name: net
    library_path: $plugins/net_source.so
    open_params: "tcp4 $port"
    sandbox: {required: false, restart: {max: 0}, profile: listener, listen: [tcp:$port]}
  - {name: canary, library_path: $plugins/canary.so, open_params: "n=500,pause_us=4000"}
Y
start_mews run -c "$tmp/falco.yaml" --enable-source net --enable-source canary
net_listens() { (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; }
check "slow callers: who is called is there" until_true 10 net_listens
python3 "$tmp/callers.py" "$port"
all_sung() { [ "$(grep -c ': Debug canary ' "$tmp/out")" = 500 ]; }
until_true 10 all_sung
kill -TERM "$mews_pid"
wait_mews 10
is "slow callers: every event of the neighbour came" "$(grep -c ': Debug canary ' <<<"$out")" 500
check "slow callers: nothing left" nothing_left
finish
