#!/usr/bin/env bash
# Capture files around matches: which events they have, how they begin and end.
. "$(dirname "$0")/lib.sh"

files() { # their names, without the folder
	find "$tmp/captures" -name '*.scap' -printf '%f\n' 2>/dev/null | sort
}
payloads() { # of a file of golden events, on one line
	"$mews" replay "$tmp/captures/$1" "$plugins/golden.so" --fields evt.plugininfo 2>/dev/null |
		sed 's/.*event <\([0-9]*\)>.*/\1/' | tr '\n' ' '
}
between() { # between LEAST NUMBER MOST
	[ "$1" -le "$2" ] && [ "$2" -le "$3" ]
}
captured() { # captured EVENTS RULES OPTION...
	rm -rf "$tmp/captures"
	install -d -m 777 "$tmp/captures"
	run_mews run -c "$tmp/falco.yaml" --disable-source syscall -r "$tmp/$2" \
		-o "plugins[0].open_params=n=$1" -o capture.enabled=true \
		-o "capture.path_prefix=$tmp/captures/c" "${@:3}"
}
config falco.yaml <<Y
rule_matching: all
plugins:
  - {name: golden, library_path: $plugins/golden.so}
Y
# Event i has the number i + 1, payload i, and comes at 1700000000 s + i ms.
rules rules.yaml <<'Y'
- rule: Starts
  desc: d
  condition: evt.num in (6, 50)
  output: starts %evt.num
  priority: INFO
  source: golden
  capture: true
  capture_duration: 3
- rule: Extends
  desc: d
  condition: evt.num in (8, 20)
  output: extends %evt.num
  priority: INFO
  source: golden
  capture_duration: 4
Y

captured 100 rules.yaml
is "exit status" "$rc" 0
is "a file for each start, named for its event" "$(files)" \
	"c_01700000000005000000_00000000000000000006.scap
c_01700000000049000000_00000000000000000050.scap"
is "the triggering event first, extended by another match, its end included" \
	"$(payloads c_01700000000005000000_00000000000000000006.scap)" "5 6 7 8 9 10 11 "
is "without another match" \
	"$(payloads c_01700000000049000000_00000000000000000050.scap)" "49 50 51 52 "
is "nobody else may read them" "$(stat -c %a "$tmp"/captures/*.scap | sort -u)" 600

captured 100 rules.yaml -o capture.mode=all_rules
is "all rules start one in mode all_rules" "$(files | wc -l)" 3
is "with their own duration" \
	"$(payloads c_01700000000019000000_00000000000000000020.scap)" "19 20 21 22 23 "

captured 100 rules.yaml -o capture.enabled=false
is "none without capture.enabled" "$(files)" ""

rules default.yaml <<'Y'
- rule: Starts
  desc: d
  condition: evt.num = 6
  output: starts %evt.num
  priority: INFO
  source: golden
  capture: true
Y
captured 100 default.yaml -o capture.default_duration=2
is "the duration of the configuration" \
	"$(payloads c_01700000000005000000_00000000000000000006.scap)" "5 6 7 "
captured 20 default.yaml
is "the end of the source ends the file" \
	"$(payloads c_01700000000005000000_00000000000000000006.scap)" \
	"$(seq -s ' ' 5 19) "

# A limit on the size.
captured 400000 default.yaml -o capture.default_duration=100000000 \
	-o capture.max_file_size_mb=1 -o json_output=true
is "exit status at the limit" "$rc" 0
size=$(stat -c %s "$tmp"/captures/*.scap)
check "the file is not much larger than its limit" between 1048576 "$size" 1310720
alert=$(grep 'Falco internal: capture size limit reached' <<<"$out")
check "an alert about that" \
	grep -qE '"output_fields":\{"max_file_size_mb":1,"written_bytes":1[0-9]{6}\},"priority":"Informational","rule":"Falco internal: capture size limit reached","source":"internal"' <<<"$alert"
is "once" "$(grep -c . <<<"$alert")" 1
n=$("$mews" replay "$tmp"/captures/*.scap "$plugins/golden.so" --fields evt.num 2>/dev/null | wc -l)
check "the file is whole ($n events)" between 1000 "$n" 399990

# Where nothing can be written.
captured 100 default.yaml -o "capture.path_prefix=$tmp/nowhere/c"
is "no folder, no file: exit status" "$rc" 0
check "the alert comes all the same" out_has 'starts 6'
check "the log says why" err_has 'a capture file is given up: cannot make .*nowhere/c_.*No such file'
echo mine >"$tmp/mine"
rm -rf "$tmp/captures"
install -d -m 777 "$tmp/captures"
ln -s "$tmp/mine" "$tmp/captures/c_01700000000005000000_00000000000000000006.scap"
run_mews run -c "$tmp/falco.yaml" --disable-source syscall -r "$tmp/default.yaml" \
	-o "plugins[0].open_params=n=100" -o capture.enabled=true \
	-o "capture.path_prefix=$tmp/captures/c"
is "a link in the place of the file is not followed" "$(cat "$tmp/mine")" mine

# What plugins tell of their state is at the head of the file.
rules kit.yaml <<'Y'
- rule: Starts
  desc: d
  condition: kit.num = 5
  output: starts %evt.num
  priority: INFO
  source: kit
  capture: true
Y
config state.yaml <<Y
rules_files: [$tmp/kit.yaml]
plugins:
  - {name: async, library_path: $plugins/async.so, init_config: "n=0"}
  - {name: kit, library_path: $plugins/plain.so, open_params: "n=40,pause_us=10000"}
capture: {enabled: true, path_prefix: $tmp/captures/s}
Y
run_mews run -c "$tmp/state.yaml" --disable-source syscall
is "exit status with state" "$rc" 0
rules state.rules.yaml <<'Y'
- rule: All
  desc: d
  condition: evt.num > 0
  output: event %evt.num %kit.num parsed=%async.parsed
  priority: INFO
  source: kit
Y
run_mews replay "$(echo "$tmp"/captures/s_*.scap)" "$plugins/plain.so" "$plugins/async.so" \
	-r "$tmp/state.rules.yaml"
is "state is parsed first, and no event of its own" \
	"$(grep -o 'event .*' <<<"$out" | head -2)" "event 2 5 parsed=2
event 3 6 parsed=3"

# A file that begins while plugins tell their state to another has all of it, too.
config two.yaml <<Y
rules_files: [$tmp/kit.yaml]
plugins:
  - {name: async, library_path: $plugins/async.so, init_config: "n=0,dump=20,dump_us=20000"}
  - {name: kit, library_path: $plugins/plain.so, open_params: "n=60,pause_us=20000"}
capture: {enabled: true, path_prefix: $tmp/captures/two}
Y
run_mews run -c "$tmp/two.yaml" --disable-source syscall --write "$tmp/captures/all.scap"
is "exit status of a run with two files" "$rc" 0
head_of() { # head_of FILE: how much its first event finds parsed, itself included
	run_mews replay "$1" "$plugins/plain.so" "$plugins/async.so" -r "$tmp/state.rules.yaml"
	grep -o 'event .*' <<<"$out" | head -1
}
is "the first has its state" "$(head_of "$tmp/captures/all.scap")" "event 21 0 parsed=21"
is "so has the second" "$(head_of "$(echo "$tmp"/captures/two_*.scap)")" "event 21 5 parsed=21"

# A reload that wants captures gets them, from a source that runs.
rules plain.yaml <<'Y'
- rule: Starts
  desc: d
  condition: kit.num > 0
  output: starts %evt.num
  priority: INFO
  source: kit
Y
reloaded() { # reloaded ENABLED
	config reload.yaml <<Y
watch_config_files: false
rules_files: [$tmp/plain.yaml]
plugins:
  - {name: kit, library_path: $plugins/plain.so, open_params: "n=100000,pause_us=10000"}
capture: {enabled: $1, path_prefix: $tmp/captures/r, default_duration: 5}
Y
}
reloaded false
start_mews run -c "$tmp/reload.yaml" --disable-source syscall
until_true 10 grep -q starts "$tmp/out"
reloaded true
sed -i 's/^  source/  capture: true\n  source/' "$tmp/plain.yaml"
kill -HUP "$mews_pid"
until_true 10 grep -q "has its new rules" "$tmp/err"
a_capture() { [ -n "$(find "$tmp/captures" -name 'r_*.scap')" ]; }
until_true 10 a_capture
kill -INT "$mews_pid"
check "it ends" wait_mews 10
file=$(find "$tmp/captures" -name 'r_*.scap' | head -1)
check "a reload begins captures" [ -n "$file" ]
check "with events in them" \
	grep -q '"kit.num"' <("$mews" replay "$file" "$plugins/plain.so" --fields kit.num 2>/dev/null)

nothing_left
holds "nothing is left running"
finish
