#!/usr/bin/env bash
# A worker that a plugin has taken over breaks the protocol in one way after another. The
# broker ends it and says why; the honest worker beside it loses nothing.
. "$(dirname "$0")/../hostile/lib.sh"
[ -e "$built/tests/hostile/evil-worker" ] || skip_all "the evil worker is not built"
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

evil() { # evil NAME
	config falco.yaml <<Y
rules_files: [$tmp/evil.yaml]
plugins:
  - name: evil
    library_path: $plugins/evil.so
    init_config: "evil=$1"
    sandbox: {required: false, restart: {max: 0}, deadlines: {close: 1s, extract: 1s}}
  - name: canary
    library_path: $plugins/canary.so
    open_params: "n=$canary_events,pause_us=$canary_pause_us"
Y
	run_mews run -c "$tmp/falco.yaml" --disable-source syscall
	got=$(grep -o 'Alert evil [0-9]*' <<<"$out" | sed 's/.* //' | paste -sd' ')
}

evil none
is "none: an evil worker that does no evil" "$rc $got" "0 0 1 2"
check "none: broker and neighbour are unharmed" unharmed

attacks=$(sed -n 's/^[[:space:]]*ATTACK(\([a-z_]*\)),$/\1/p; s/^[[:space:]]*{"\(poke_[a-z_0-9]*\)".*/\1/p' \
	"$root/tests/hostile/evil_worker.c")
check "there are attacks" test "$(wc -w <<<"$attacks")" -gt 55

# What is odd but not against the protocol, or may be: the broker may go on with it.
tolerated=' control_slowly control_log_forged control_log_long run_ahead double_fetch wake_storm
	control_log_flood deaf poke_rc poke_dropped poke_value poke_batch poke_first '

# These never end by themselves.
sleepers=' deaf '

for attack in $attacks; do
	[[ $sleepers == *" $attack "* ]] && continue
	canary_events=60
	[[ " double_fetch wake_storm control_log_flood " == *" $attack "* ]] && canary_events=400
	evil "$attack"
	check "$attack: broker and neighbour are unharmed" unharmed
	[[ "$got" == "0 1 2" ]] || [[ $tolerated == *[[:space:]]$attack[[:space:]]* && "$got" == "0 1 2"* ]]
	holds "$attack: the honest events came through and nothing else"
	[[ $tolerated == *[[:space:]]$attack[[:space:]]* ]] ||
		check "$attack: the log says that the worker was ended" err_has "evil"
done

# A worker that says nothing any more, not even to Stop.
config falco.yaml <<Y
rules_files: [$tmp/evil.yaml]
plugins:
  - {name: evil, library_path: $plugins/evil.so, init_config: "evil=deaf", sandbox: {deadlines: {close: 1s}}}
Y
start_mews run -c "$tmp/falco.yaml" --enable-source evil
came() {
	grep -q 'Alert evil 2' "$tmp/out"
}
check "deaf: its honest events" until_true 10 came
kill -TERM "$mews_pid"
check "deaf: the program stops all the same" wait_mews 10
check "deaf: nothing left" nothing_left
finish
