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
	MEWS_TIMEOUT=20 run_mews run -c "$tmp/falco.yaml" --disable-source syscall
	got=$(grep -o 'Alert evil [0-9]*' <<<"$out" | sed 's/.* //' | paste -sd' ')
}

evil none
is "none: an evil worker that does no evil" "$rc $got" "0 0 1 2"
check "none: broker and neighbour are unharmed" unharmed

attacks=$(sed -n 's/^[[:space:]]*ATTACK(\([a-z_]*\)),$/\1/p; s/^[[:space:]]*{"\(poke_[a-z_0-9]*\)".*/\1/p' \
	"$root/tests/hostile/evil_worker.c")
check "there are attacks" test "$(wc -w <<<"$attacks")" -gt 55

# What is odd but not against the protocol, or may be: the broker may go on with it.
tolerated() { # tolerated ATTACK
	case $1 in
	control_slowly | control_log_* | head_wild | run_ahead | double_fetch | wake_storm | poke_rc | \
		poke_dropped | poke_extract_us | poke_value | poke_batch | poke_first) return 0 ;;
	esac
	return 1
}

honest_came() { # honest_came ATTACK: all honest events, and more only where that is tolerated
	case $got in
	"0 1 2") return 0 ;;
	# The first of two frames of these is honest.
	"0 1 2 3") [ "$1" = batch_twice ] || tolerated "$1" ;;
	"0 1 2"*) tolerated "$1" ;;
	*) return 1 ;;
	esac
}

for attack in $attacks; do
	case $attack in
	deaf) continue ;; # below: it never ends by itself
	double_fetch | wake_storm | control_log_flood) canary_events=400 ;;
	*) canary_events=60 ;;
	esac
	evil "$attack"
	check "$attack: broker and neighbour are unharmed" unharmed
	check "$attack: the honest events came through and nothing else" honest_came "$attack"
	tolerated "$attack" ||
		check "$attack: the log says that the worker was ended" err_has "evil"
done

# What it says of its own end is told as its word, and changes nothing else.
evil die_note_forged
check "a forged account of a crash: no file was read, nothing reaches the terminal" \
	test -z "$(tr -d '\n\t -~' <<<"$err" | tr -d '\200-\377')"
check "and it is quoted as the worker's" err_has "evil.*signal 11.*by its own account"

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
