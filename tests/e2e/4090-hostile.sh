#!/usr/bin/env bash
# Side rings in hostile hands: a worker that a plugin has taken over, floods of events, and
# tables that never end. Broker and neighbour do not notice.
. "$(dirname "$0")/../hostile/lib.sh"
[ -e "$built/tests/hostile/evil-worker" ] || skip_all "the evil worker is not built"

# A flood from a plugin that injects as fast as it can: some come, none is waited for.
rules flood.yaml <<'Y'
- rule: Canary
  desc: the neighbour lives
  condition: canary.num >= 0
  output: canary %canary.num
  priority: DEBUG
  source: canary
- rule: Flood
  desc: one in ten thousand
  condition: evt.is_async = true and async.data endswith "0000"
  output: flood %async.data
  priority: ALERT
  source: kit
Y
config flood.conf <<Y
rules_files: [$tmp/flood.yaml]
plugins:
  - {name: kit, library_path: $plugins/plain.so, open_params: "n=200,pause_us=5000"}
  - {name: async, library_path: $plugins/async.so, init_config: "n=3000000"}
  - {name: canary, library_path: $plugins/canary.so, open_params: "n=$canary_events,pause_us=$canary_pause_us"}
Y
run_mews run -c "$tmp/flood.conf" --disable-source syscall
check "a flood of events: broker and neighbour are unharmed" unharmed
check "the log does not grow with it" test "$(wc -c <"$tmp/err")" -lt 100000

# A table with more rows than can be walked in time: the walk fails, nothing else does.
rules table.yaml <<'Y'
- rule: Canary
  desc: the neighbour lives
  condition: canary.num >= 0
  output: canary %canary.num
  priority: DEBUG
  source: canary
- rule: Walk
  desc: d
  condition: user.sum >= 0
  output: walk %user.sum
  priority: ALERT
  source: kit
Y
config table.conf <<Y
rules_files: [$tmp/table.yaml]
plugins:
  - {name: kit, library_path: $plugins/plain.so, open_params: "n=1"}
  - {name: owner, library_path: $plugins/table_owner.so, init_config: endless}
  - {name: user, library_path: $plugins/table_user.so, init_config: quiet}
  - {name: canary, library_path: $plugins/canary.so, open_params: "n=$canary_events,pause_us=$canary_pause_us"}
Y
run_mews run -c "$tmp/table.conf" --disable-source syscall
check "a table without end: broker and neighbour are unharmed" unharmed
check "its walk fails in time" out_has 'Alert walk 999999'

install -m 755 "$built/tests/hostile/evil-worker" "$bin/worker/mews-worker"
cp "$plugins/plain.so" "$plugins/evil.so"
rules evil.yaml <<'Y'
- rule: Canary
  desc: the neighbour lives
  condition: canary.num >= 0
  output: canary %canary.num
  priority: DEBUG
  source: canary
- rule: Evil
  desc: what the evil worker got through
  condition: evil.num >= 0 and evil.text = text
  output: evil %evil.num
  priority: ALERT
  source: evil
Y
attacks=$(sed -n 's/^ *SIDE(\([a-z_]*\)),$/\1/p' "$root/tests/hostile/evil_side.c")
check "there are attacks" test "$(wc -w <<<"$attacks")" -gt 10
for attack in $attacks; do
	config falco.yaml <<Y
rules_files: [$tmp/evil.yaml]
plugins:
  - name: evil
    library_path: $plugins/evil.so
    init_config: "evil=$attack"
    sandbox: {required: false, restart: {max: 0}, deadlines: {close: 1s, extract: 1s}}
  - name: canary
    library_path: $plugins/canary.so
    open_params: "n=$canary_events,pause_us=$canary_pause_us"
Y
	run_mews run -c "$tmp/falco.yaml" --disable-source syscall
	check "$attack: broker and neighbour are unharmed" unharmed
	is "$attack: the honest events came through and nothing else" \
		"$(grep -o 'Alert evil [0-9]*' <<<"$out" | sed 's/.* //' | paste -sd' ')" "0 1 2"
	case $attack in
	# Numbers that mean nothing are failures: a stale one looks the same.
	table_forged* | table_flood | table_answers_unasked | table_walks) ;;
	*) check "$attack: the log says that the worker was ended" err_says "broke the protocol" ;;
	esac
done
finish
