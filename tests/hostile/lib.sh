# shellcheck shell=bash
# Sourced by the scripts of tests/e2e that run attacks: one hostile plugin and a canary in
# one mews; the attack must come to what is written, the canary must not notice.
. "$(dirname "${BASH_SOURCE[0]}")/../e2e/lib.sh"
install -m 755 "$built"/tests/hostile/*.so "$plugins/"

canary_events=${CANARY_EVENTS:-60}
canary_pause_us=${CANARY_PAUSE_US:-3000}
rules hostile.yaml <<'Y'
- rule: Canary
  desc: the neighbour lives
  condition: canary.num >= 0
  output: canary %canary.num
  priority: DEBUG
  source: canary
- rule: Attack
  desc: what an attack came to
  condition: attack.name exists
  output: attack %attack.name %attack.outcome %attack.errno
  priority: ALERT
  source: hostile
Y

# attack LIBRARY CONFIG [SANDBOX]: sets out, err, rc and reports ("name outcome errno" lines)
attack() {
	config falco.yaml <<Y
rules_files: [$tmp/hostile.yaml]
plugins:
  - name: hostile
    library_path: $plugins/$1.so
    init_config: "$2"
    sandbox: {required: false, restart: {max: 0}${3:+, $3}}
  - name: canary
    library_path: $plugins/canary.so
    open_params: "n=$canary_events,pause_us=$canary_pause_us"
Y
	run_mews run -c "$tmp/falco.yaml" --disable-source syscall
	reports=$(sed -n 's/^.*: Alert attack //p' <<<"$out")
}

# Broker and neighbour: the program ended by itself, with success, nothing of it is left,
# every event of the canary came to an alert.
unharmed() {
	[ "$rc" = 0 ] && [ "$(grep -c ': Debug canary ' <<<"$out")" = "$canary_events" ] &&
		nothing_left
}

# report NAME: "outcome errno" of that attempt
report() {
	sed -n "s/^$1 //p" <<<"$reports"
}
