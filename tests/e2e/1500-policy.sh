#!/usr/bin/env bash
# mews policy and mews learn: policy text is checked and explained without running anything,
# and learned by running.
. "$(dirname "$0")/lib.sh"

mkdir -p "$tmp/data"
printf 'one\ntwo\n' >"$tmp/data/lines"
chmod -R a+rX "$tmp/data"
printf 'name: mine\nplugins: [file]\nprofile: file-reader\nread: [%s]\n' "$tmp/data" >"$tmp/good.yaml"
printf 'name: yours\nprofile: pure\nraed: [/x]\nlimits: {processes: 2}\n' >"$tmp/bad.yaml"
printf 'name: theirs\nprofile: pure\njit: true\n' >"$tmp/risky.yaml"
chmod 644 "$tmp"/*.yaml

run_mews policy check "$tmp/good.yaml"
is "a good file" "$rc $out" "0 $tmp/good.yaml: mine: ok"
run_mews policy check "$tmp/good.yaml" "$tmp/bad.yaml"
is "a bad file: exit status" "$rc" 1
check "the good one is still good" out_has "good.yaml: mine: ok"
check "file, line and column of the mistake" out_has "bad.yaml:3:[0-9]+: "
run_mews policy check "$tmp/risky.yaml"
check "what deserves a second look" out_has "jit"
run_mews policy check "$tmp/none.yaml"
is "a file that is not there" "$rc" 1
config falco.yaml <<Y
plugins:
  - {name: kit, library_path: $plugins/plain.so}
  - {name: net, library_path: $plugins/plain.so, sandbox: {connect: ["nowhere"]}}
Y
run_mews policy check "$tmp/falco.yaml"
is "the blocks of a falco.yaml: exit status" "$rc" 1
check "the good entry" out_has "falco.yaml: kit: ok"
check "the bad entry, with its place" out_has "falco.yaml:[0-9]+:[0-9]+: .*nowhere"

run_mews policy explain "$plugins/plain.so" \
	--sandbox "{profile: client, connect: ['a.example:443']}"
is "explain: exit status" "$rc" 0
check "explain: its places" out_has "connects to +a.example:443"
check "explain: what is made for it" out_has "/etc/resolv.conf"
check "explain: system calls" out_has "any other: not implemented"
run_mews policy explain kit -c "$tmp/falco.yaml"
check "explain: an entry of a configuration" out_has "profile pure"
run_mews policy explain file-reader
check "explain: a profile" out_has "profile file-reader"
run_mews policy explain "$tmp/none.so"
is "explain: a plugin that is not there" "$rc" 1

run_mews learn "$plugins/file_source.so" --open-params "$tmp/data/lines"
is "learn: exit status" "$rc" 0
printf '%s\n' "$out" >"$tmp/learned.yaml"
check "learn: the folder of what it reads" out_has "^read: \['$tmp/data'\]$"
check "learn: nothing more" test "$(grep -cE '^(listen|connect|unix|write|jit|late)' <<<"$out")" = 0
run_mews policy check "$tmp/learned.yaml"
is "learn: what it wrote holds" "$rc" 0
run_mews learn "$plugins/net_source.so" --open-params "tcp4 28765" -n 1
check "learn: the port that it listens on" out_has "^listen: \['tcp:28765'\]$"
check "nothing left" nothing_left
finish
