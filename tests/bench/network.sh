#!/usr/bin/env bash
# What the network costs a confined plugin: each round the same plugin confined and not, the
# median of the rounds. Not a test; builds what it needs.
#
#   tests/bench/network.sh [ROUNDS]
set -u
cd "$(dirname "$0")/../.." || exit 1
rounds=${1:-5}
bazel build -c opt //broker:mews //worker:mews-worker //worker/launch:mews-launcher \
	//worker/egress:mews-egress //tests/bench:net_peer //tests/bench/plugins:net_cost.so 2>&1 |
	grep -E '^(ERROR|.*error:)' && exit 1
tmp=$(mktemp -d)
port=$((20000 + $$ % 12000)) own=$((20001 + $$ % 12000))
bazel-bin/tests/bench/net_peer serve "$port" &
peer=$!
trap 'kill $peer 2>/dev/null; rm -rf "$tmp"' EXIT
echo "127.0.0.1 bench.example" >"$tmp/hosts"
cat >"$tmp/rules.yaml" <<'Y'
- rule: Figure
  desc: a figure
  condition: net.text exists
  output: figure %net.text
  priority: INFO
  source: net
Y

# run SUBJECT NAME SANDBOX: appends "SUBJECT figure value" lines
run() {
	cat >"$tmp/falco.yaml" <<Y
rules_files: [$tmp/rules.yaml]
stdout_output: {enabled: true}
log_syslog: false
sandbox: {egress_hosts: $tmp/hosts}
plugins:
  - name: net
    library_path: $PWD/bazel-bin/tests/bench/plugins/net_cost.so
    open_params: "$port $own $tmp/cost.sock $2"
    sandbox: {$3}
Y
	bazel-bin/broker/mews run -c "$tmp/falco.yaml" --enable-source net >"$tmp/out" 2>"$tmp/err" &
	local mews=$! accepted
	accepted=$(bazel-bin/tests/bench/net_peer connect "$own" 400)
	wait $mews || { cat "$tmp/err"; exit 1; }
	sed -n "s/^.* figure /$1 /p" "$tmp/out"
	echo "$1 accept ${accepted% *}"
	echo "$1 accept-p95 ${accepted#* }"
	rm -f "$tmp/cost.sock"
}

for ((i = 0; i < rounds; i++)); do
	run confined bench.example "listen: [tcp:$own, unix:$tmp/cost.sock], connect: ['127.0.0.1:$port', 'bench.example:$port']"
	run unconfined - "profile: unconfined"
done >"$tmp/figures"
awk '
	{ key = $2; if (!(key in seen)) { seen[key] = ++n; name[n] = key }
	  v[$1, key, ++count[$1, key]] = $3 }
	function median(who, key,   m, i, j, t, a) {
		m = count[who, key]
		if (m == 0) return "-"
		for (i = 1; i <= m; i++) a[i] = v[who, key, i]
		for (i = 2; i <= m; i++) for (j = i; j > 1 && a[j] + 0 < a[j - 1] + 0; j--) { t = a[j]; a[j] = a[j - 1]; a[j - 1] = t }
		return a[int((m + 1) / 2)]
	}
	END {
		printf("%-16s %12s %12s %8s\n", "us, or MiB/s", "confined", "unconfined", "ratio")
		for (i = 1; i <= n; i++) {
			c = median("confined", name[i]); u = median("unconfined", name[i])
			printf("%-16s %12s %12s %8s\n", name[i], c, u, (u + 0 > 0) ? sprintf("%.2f", c / u) : "-")
		}
	}' "$tmp/figures"
