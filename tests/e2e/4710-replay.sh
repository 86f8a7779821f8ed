#!/usr/bin/env bash
# Events of capture files: those that Falco wrote, those that we write, and those of kinds
# that plugins do not make.
. "$(dirname "$0")/lib.sh"
command -v python3 >/dev/null || skip_all "python3 is not installed"
golden=$root/tests/data/scap/golden.scap

make() { # make FILE: from a python expression of bytes on stdin, with all of scap.py
	PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$(dirname "$0") python3 -c "
import sys
from scap import *
sys.stdout.buffer.write(eval(sys.stdin.read()))" >"$tmp/$1"
}
install -d -m 777 "$tmp/written"
config falco.yaml <<Y
rule_matching: all
plugins:
  - {name: golden, library_path: $plugins/golden.so, open_params: "n=12"}
Y
rules rules.yaml <<'Y'
- rule: Every
  desc: d
  condition: g.num >= 0
  output: "every %evt.num %evt.rawtime %evt.reltime %evt.source %evt.pluginname %g.num %g.str %g.strs %evt.plugininfo"
  priority: INFO
  source: golden
- rule: Odd
  desc: d
  condition: g.bool = true and g.num in (1, 5, 7)
  output: odd %g.num %g.word
  priority: WARNING
  source: golden
Y

# Live, and again.
run_mews run -c "$tmp/falco.yaml" -r "$tmp/rules.yaml" --disable-source syscall --write "$tmp/written/ours.scap"
is "exit status of --write" "$rc" 0
live=$out
is "alerts" "$(grep -c 'Informational every' <<<"$live")" 12
run_mews replay "$golden" -c "$tmp/falco.yaml" -r "$tmp/rules.yaml"
is "exit status of a replay" "$rc" 0
is "the same alerts for what Falco wrote of the same events" "$out" "$live"
check "the log says what is replayed" err_has "Replaying events from the capture file: $golden\$"
check "and opens no source" bash -c '! grep -qE "Opening|Enabled event sources" <<<"$1"' - "$err"
run_mews replay "$tmp/written/ours.scap" -c "$tmp/falco.yaml" -r "$tmp/rules.yaml"
is "the same for what --write wrote" "$out" "$live"
check "which is Falco's file, byte for byte" \
	cmp <(gzip -dc "$tmp/written/ours.scap") "$root/tests/data/scap/golden-plain.scap"
run_mews replay "$root/tests/data/scap/golden-plain.scap" -c "$tmp/falco.yaml" -r "$tmp/rules.yaml"
is "the same without compression" "$out" "$live"

# As Falco does it.
ln -s mews "$bin/broker/falco"
mews=$bin/broker/falco
run_mews -c "$tmp/falco.yaml" -r "$tmp/rules.yaml" -o engine.kind=replay \
	-o engine.replay.capture_file="$golden" --enable-source nobodys -v
is "engine.kind replay; the selection of sources is ignored" "$out" "$live"
check "verbose" err_has '^Elapsed time: [0-9.]+, Captured Events: 12, [0-9.]+ eps$'
run_mews -c "$tmp/falco.yaml" -r "$tmp/rules.yaml" -o engine.kind=replay
check "a replay needs a file" err_says \
	"engine.kind is 'replay' but no engine.replay.capture_file specified."
mews=$bin/broker/mews

# Plugins by their paths.
run_mews replay "$golden" "$plugins/golden.so" --fields g.num,g.str -n 2
is "events with their fields" "$out" \
	'{"num":1,"time":"2023-11-14T22:13:20.000000000Z","source":"golden","fields":{"g.num":0,"g.str":"s0"}}
{"num":2,"time":"2023-11-14T22:13:20.001000000Z","source":"golden","fields":{"g.num":1,"g.str":"s1"}}'
run_mews replay "$golden" "$plugins/golden.so" -r "$tmp/rules.yaml"
is "or alerts" "$(grep -c 'Informational every' <<<"$out")" 12
run_mews replay "$golden" "$plugins/plain.so"
is "another plugin's events: exit status" "$rc" 1
check "and error" err_has '^Error: Unknown event source for inspector.s event \(plugin ID: 999\)$'
run_mews replay
is "no file" "$rc" 1

# Time.
before=$SECONDS
run_mews replay "$golden" "$plugins/golden.so" -M 2 --fields evt.num
is "-M longer than the file: all events" "$(wc -l <<<"$out")" 12
check "and the rest of the time is waited for" [ $((SECONDS - before)) -ge 2 ]
make long.scap <<'P'
section() + b"".join(large(plugin_event(5 * 10**18 + i * 400000000, 999, b"%d" % i)) for i in range(9))
P
run_mews replay "$tmp/long.scap" "$plugins/golden.so" -M 1 --fields evt.num
is "-M ends before the event that is so much later" "$(wc -l <<<"$out")" 3
start_mews replay "$golden" "$plugins/golden.so" -M 300 --fields evt.num
until_true 10 grep -q '"num":12' "$tmp/out"
kill -INT "$mews_pid"
check "a signal ends the wait" wait_mews 10
is "with success" "$rc" 0

# State, other kinds of events, other sources: numbers count all of them.
make mixed.scap <<'P'
section() + block(MACHINE, bytes(180)) + large(async_event(1, 999, b"async.tick", b"old")) + \
small(event(2, 354, [b"x", b"y"], 2)) + large(plugin_event(3 * 10**9, 999, b"4")) + \
state(async_event(4, 4242, b"late")) + small(event(5, 300, [b"ab"], 2)) + \
small(event(6, 460, [], 2)) + block(OLD, bytes(2) + struct.pack("<QQIH", 7, NONE, 22, 6)) + \
large(plugin_event(4 * 10**9, 4242, b"k")) + large(async_event(5 * 10**9, 4242, b"async.tick", b"new")) + \
section() + large(async_event(6 * 10**9, 4242, b"async.tick", b"again")) + \
large(plugin_event(7 * 10**9, 999, b"5"))
P
config mixed.yaml <<Y
rule_matching: all
plugins:
  - {name: golden, library_path: $plugins/golden.so}
  - {name: kit, library_path: $plugins/plain.so}
  - {name: async, library_path: $plugins/async.so, init_config: "n=3,ts=7"}
  - {name: parser, library_path: $plugins/parser.so}
Y
rules mixed.rules.yaml <<'Y'
- rule: Golden
  desc: d
  condition: evt.num > 0
  output: "golden %evt.num %evt.reltime %g.num %parser.parsed %parser.last"
  priority: INFO
  source: golden
- rule: Kit
  desc: d
  condition: evt.num > 0
  output: "kit %evt.num %evt.reltime %kit.text %parser.parsed %evt.asynctype %async.data %evt.is_async %evt.plugininfo"
  priority: INFO
  source: kit
- rule: System
  desc: d
  condition: evt.num > 0
  output: "system %evt.num"
  priority: INFO
  source: syscall
Y
run_mews replay "$tmp/mixed.scap" -c "$tmp/mixed.yaml" -r "$tmp/mixed.rules.yaml"
is "exit status of a mixed file" "$rc" 0
is "in the order of the file, with its numbers; state is parsed and not judged" \
	"$(grep -oE '(golden|kit|system) [0-9].*' <<<"$out")" \
	"golden 3 000000000 4 2 3
kit 7 1000000000 k 2 <NA> <NA> false datalen=1 data=k
kit 8 2000000000 <NA> 3 async.tick new true <NA>
golden 10 4000000000 5 3 10"
check "what was left out is counted" err_has \
	'no rule has seen: 0 of kinds .* 1 of an old format, 1 of unknown types'

# Events of the system feed plugins that ask for them by type; rules see those that a
# plugin extracts from.
make system.scap <<'P'
section() + large(plugin_event(1, 999, b"1")) + small(event(2, 2, [b"ab"], 2)) + \
small(event(3, 3, [b"ab"], 2)) + large(async_event(4, 0, b"x"))
P
config system.yaml <<Y
plugins:
  - {name: golden, library_path: $plugins/golden.so}
  - {name: other, library_path: $plugins/parser_other.so}
Y
rules system.rules.yaml <<'Y'
- rule: System
  desc: d
  condition: evt.num > 0
  output: "system %evt.num %other.parsed %other.last %other.source"
  priority: INFO
  source: syscall
Y
run_mews replay "$tmp/system.scap" -c "$tmp/system.yaml" -r "$tmp/system.rules.yaml"
is "a type that is parsed" "$(grep -o 'system .*' <<<"$out" | head -1)" "system 4 2 4 syscall"
is "is not judged" "$(grep -c 'system ' <<<"$out")" 1
check "another type is counted" err_has 'no rule has seen: 1 of kinds that no plugin asks for'

make unknown.scap <<'P'
section() + large(plugin_event(1, 999, b"1")) + large(async_event(2, 77, b"x"))
P
run_mews replay "$tmp/unknown.scap" "$plugins/golden.so" --fields g.num
is "an injected event of nobody: exit status" "$rc" 1
is "what came before it is judged" "$(grep -c '"num":1' <<<"$out")" 1
check "error of an unknown plugin" err_has 'Unknown event source .*\(plugin ID: 77\)'
make state.scap <<'P'
section() + large(async_event(1, 77, b"x")) + large(async_event(2, 999, b"y"))
P
run_mews replay "$tmp/state.scap" "$plugins/golden.so" --fields evt.num
is "a file of injected events alone has nothing for rules" "$rc$out" 0

# What was injected live, with state of plugins before it.
rules kit.yaml <<'Y'
- rule: All
  desc: d
  condition: evt.num > 0
  output: "event %evt.num %evt.rawtime %kit.num %kit.text %async.data %async.id %async.parsed %evt.asynctype"
  priority: INFO
  source: kit
Y
config kit.falco.yaml <<Y
rules_files: [$tmp/kit.yaml]
plugins:
  - {name: async, library_path: $plugins/async.so, init_config: "n=3,wait_us=150000,ts=1700000000004500000"}
  - {name: kit, library_path: $plugins/plain.so, open_params: "n=8,pause_us=100000"}
Y
run_mews run -c "$tmp/kit.falco.yaml" --disable-source syscall --write "$tmp/written/kit.scap"
is "exit status with injected events" "$rc" 0
is "events" "$(grep -c 'event ' <<<"$out")" 11
live=$(grep -o 'event .*' <<<"$out" | cut -d' ' -f3-6)
run_mews replay "$tmp/written/kit.scap" -c "$tmp/kit.falco.yaml"
is "replayed, state before them" "$(grep -o 'event .*' <<<"$out" | cut -d' ' -f3-6)" "$live"
is "which has a number and was parsed" "$(grep -oE 'event 2 17.*' <<<"$out")" \
	"event 2 1700000000000000000 0 0 <NA> <NA> 2 <NA>"
is "nothing is injected into a replay" "$(grep -c 'async.tick' <<<"$out")" 3

# An event that a plugin does not survive: the others keep their fields.
rules poison.yaml <<'Y'
- rule: Length
  desc: d
  condition: poison.len > 0
  output: "kit %kit.num len %poison.len"
  priority: INFO
  source: kit
Y
install -d -m 777 "$tmp/state"
config poison.falco.yaml <<Y
rules_files: [$tmp/poison.yaml]
sandbox: {state_dir: $tmp/state}
plugins:
  - {name: kit, library_path: $plugins/plain.so}
  - name: poison
    library_path: $plugins/extractor_poison.so
    sandbox: {restart: {max: 5, backoff_min: 10ms, backoff_max: 50ms}}
Y
run_mews run "$plugins/plain.so" --open-params n=40 --fields kit.num --write "$tmp/written/kit40.scap"
run_mews replay "$tmp/written/kit40.scap" -c "$tmp/poison.falco.yaml"
is "exit status beside a plugin that dies" "$rc" 0
is "all events but the poison one have the field" "$(grep -c 'Informational kit ' <<<"$out")" 39
check "which is set aside" err_has "killed plugin 'poison' twice and is set aside"

# A replay can be captured, too.
run_mews replay "$golden" "$plugins/golden.so" --fields g.num --write "$tmp/written/copy.scap"
check "a copy" cmp <(gzip -dc "$tmp/written/copy.scap") "$root/tests/data/scap/golden-plain.scap"
run_mews run "$plugins/golden.so" --open-params n=5 --fields g.num --write "$tmp/nowhere/x.scap"
is "--write where nothing can be written: exit status" "$rc" 1
check "error" err_has '^Error: Could not write the capture file .*nowhere/x.scap'
is "and no event" "$out" ""
# A reload that starts the program again goes on in the same file.
again() { # again MORE
	config again.yaml <<Y
watch_config_files: false
rules_files: [$tmp/kit.yaml]
plugins:
  - {name: kit, library_path: $plugins/plain.so, open_params: "n=1000,pause_us=20000"}
$1
Y
}
again ""
sed -i 's/ %async[.a-z]*//g' "$tmp/kit.yaml"
start_mews run -c "$tmp/again.yaml" --disable-source syscall --write "$tmp/written/again.scap"
until_true 10 grep -q 'event 5 ' "$tmp/out"
again "  - {name: extractor, library_path: $plugins/extractor.so}"
kill -HUP "$mews_pid"
until_true 20 grep -q 'starting again' "$tmp/err"
until_true 20 bash -c "[ \$(grep -c 'event 5 ' '$tmp/out') = 2 ]"
kill -INT "$mews_pid"
check "it ends" wait_mews 10
run_mews replay "$tmp/written/again.scap" "$plugins/plain.so" --fields kit.num
is "both sections are replayed" "$(grep -c '"kit.num":4}' <<<"$out")" 2
is "numbers go on" "$(grep -o '"num":[0-9]*' <<<"$out" | sort -u | wc -l)" "$(wc -l <<<"$out")"

nothing_left
holds "nothing is left running"
finish
