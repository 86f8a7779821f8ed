#!/usr/bin/env bash
# Attacks that take two, or another time: plugins that know of each other, a library that is
# another one when it is loaded, a worker that dies while its question is being looked at,
# one that does not always start.
. "$(dirname "$0")/../hostile/lib.sh"
command -v python3 >/dev/null || skip_all "python3 is not installed"
port=$((20000 + $$ % 12000))
mkdir -p "$tmp/data"

rules pair.yaml <<'Y'
- rule: Left
  desc: d
  condition: attack.name exists
  output: left %attack.name %attack.outcome
  priority: ALERT
  source: left
- rule: Right
  desc: d
  condition: attack.name exists
  output: right %attack.name %attack.outcome
  priority: ALERT
  source: right
Y

# Two colluders, started together, under the same profile; the pairs, too, all at once,
# for most of their time is spent waiting for each other.
ways=$(sed -n 's/^ *{"\([a-z_]*\)", \(meet_\)\?by.*/\1/p; s/^ *{"\([a-z_]*\)", meet_.*/\1/p' \
	"$root/tests/hostile/colluder.c" | sort -u)
is "there are ways to meet" "$(wc -w <<<"$ways")" 8
collude() { # collude PROFILE LEFT RIGHT
	config "$1.yaml" <<Y
rules_files: [$tmp/pair.yaml]
plugins:
  - {name: left, library_path: $plugins/left.so, init_config: "only=$port-$((port + 1))", sandbox: {$2}}
  - {name: right, library_path: $plugins/right.so, init_config: "only=$((port + 1))-$port", sandbox: {$3}}
Y
	(
		"${as_user[@]+"${as_user[@]}"}" timeout -k 5 120 "$mews" run -c "$tmp/$1.yaml" --disable-source syscall \
			>"$tmp/$1.out" 2>"$tmp/$1.err" </dev/null
		echo $? >"$tmp/$1.rc"
	) &
	pairs+=($!)
}
come_to_nothing() { # come_to_nothing PROFILE
	out=$(cat "$tmp/$1.out") err=$(cat "$tmp/$1.err")
	is "$1: both come to their end" "$(cat "$tmp/$1.rc")" 0
	for side in left right; do
		for way in $ways; do
			is "$1: $side by $way" "$(sed -n "s/^.*: Alert $side $way //p" <<<"$out")" none
		done
	done
}
pairs=()
collude pure "profile: pure" "profile: pure"
collude file-reader "profile: file-reader, read: [$tmp/data]" "profile: file-reader, read: [$tmp/data]"
collude network \
	"profile: listener, listen: ['tcp:$port'], connect: ['allowed.example:443']" \
	"profile: listener, listen: ['tcp:$((port + 1))'], connect: ['allowed.example:443']"
wait "${pairs[@]}"
for profile in pure file-reader network; do come_to_nothing $profile; done
check "pairs: nothing left" nothing_left

# A library that is replaced, back and forth, while it is looked at and loaded: the one
# whose digest is written down, or none.
rules none.yaml <<<'[]'
cp "$plugins/plain.so" "$tmp/good.so"
cp "$plugins/printer.so" "$tmp/other.so"
config swap.yaml <<Y
rules_files: [$tmp/none.yaml]
plugins:
  - name: kit
    library_path: $tmp/swapped.so
    open_params: "n=2"
    sandbox: {sha256: $(sha256sum "$tmp/good.so" | cut -d' ' -f1)}
Y
cp "$tmp/good.so" "$tmp/swapped.so"
chmod 755 "$tmp/swapped.so"
cat >"$tmp/swap.py" <<'P'
import os, random, sys, time
dir = sys.argv[1]
while True:
    for source in "other", "good":
        os.link(dir + "/" + source + ".so", dir + "/next.so")
        os.rename(dir + "/next.so", dir + "/swapped.so")
        time.sleep(random.random() / 200)
P
chmod 755 "$tmp/good.so" "$tmp/other.so"
python3 "$tmp/swap.py" "$tmp" 2>/dev/null &
swapper=$!
background+=("$swapper")
loaded=0 refused=0 wrong=0
for _ in $(seq 40); do
	run_mews run -c "$tmp/swap.yaml" --enable-source kit
	if [ "$rc" = 0 ]; then
		loaded=$((loaded + 1))
	else
		refused=$((refused + 1))
	fi
	if err_has 'of step|printer'; then wrong=$((wrong + 1)); fi
done
kill "$swapper"
wait "$swapper" 2>/dev/null
is "a library that is swapped: the other one was never loaded ($loaded loaded, $refused refused)" "$wrong" 0
[ "$loaded" -gt 0 ] && [ "$refused" -gt 0 ]
holds "a library that is swapped: it was a race"
check "a library that is swapped: nothing left" nothing_left
rm -f "$tmp/swapped.so" "$tmp/next.so"
cp "$tmp/other.so" "$tmp/swapped.so"
run_mews run -c "$tmp/swap.yaml" --enable-source kit
check "another library than the digest says is refused" test "$rc" = 1
check "and the error says so" err_has 'sha256'

# Calls of workers that die: the launcher's answers go nowhere, and to nobody else.
config vanish.yaml <<Y
rules_files: [$tmp/hostile.yaml]
plugins:
  - name: hostile
    library_path: $plugins/vanish.so
    init_config: "only=$port"
    sandbox: {required: false, profile: listener, listen: ['tcp:$port'], restart: {max: 15, window: 1h, backoff_min: 1ms, backoff_max: 2ms}}
  - {name: canary, library_path: $plugins/canary.so, open_params: "n=300,pause_us=4000"}
Y
canary_events=300
run_mews run -c "$tmp/vanish.yaml" --disable-source syscall
check "workers that vanish: broker and neighbour are unharmed" unharmed
is "workers that vanish: each comes back until there were enough" \
	"$(grep -c "plugin 'hostile' is back" <<<"$err")" 15
is "workers that vanish: each death is told" \
	"$(grep -c "plugin 'hostile' ended its process while running: exit 3$" <<<"$err")" 16
is "workers that vanish: the port is free" "$(ss -Hltn "sport = :$port" 2>/dev/null | wc -l)" 0

# One that does not always initialise: its budget holds, however it fails.
config moody.yaml <<Y
rules_files: [$tmp/none.yaml]
plugins:
  - name: hostile
    library_path: $plugins/moody.so
    open_params: "n=10"
    sandbox: {required: false, restart: {max: 5, window: 1h, backoff_min: 1ms, backoff_max: 2ms}}
Y
for _ in $(seq 40); do
	run_mews run -c "$tmp/moody.yaml" --enable-source hostile
	! err_has 'Opening' || break # else it did not even start, which is an error
done
check "an init that fails now and then: it ran" err_has 'Opening'
is "an init that fails now and then: as often as its budget says" \
	"$(grep -c "plugin 'hostile' is started again" <<<"$err")" 5
check "an init that fails now and then: then no more" err_has "hostile.* is failed for good"
check "an init that fails now and then: nothing left" nothing_left

# Libraries that a loader would run, or write to, or give an executable stack.
cat >"$tmp/elf.py" <<'P'
import struct, sys
what, source, target = sys.argv[1:]
b = bytearray(open(source, "rb").read())
phoff, = struct.unpack_from("<Q", b, 32)
n, = struct.unpack_from("<H", b, 56)
headers = [phoff + 56 * i for i in range(n)]
kind = lambda at: struct.unpack_from("<I", b, at)[0]
find = lambda k: next(at for at in headers if kind(at) == k)
if what == "interpreter":
    struct.pack_into("<I", b, find(0x6474e550), 3)  # PT_GNU_EH_FRAME becomes PT_INTERP
elif what == "executable_stack":
    at = find(0x6474e551)
    struct.pack_into("<I", b, at + 4, kind(at + 4) | 1)
elif what == "no_word_on_stack":
    struct.pack_into("<I", b, find(0x6474e551), 0)
elif what == "text_relocations":
    at = find(2)
    offset, = struct.unpack_from("<Q", b, at + 8)
    while struct.unpack_from("<Q", b, offset)[0] not in (0x6ffffff9, 0x6ffffff0):
        offset += 16
    struct.pack_into("<Q", b, offset, 22)  # becomes DT_TEXTREL
elif what == "writable_code":
    at = next(at for at in headers if kind(at) == 1 and struct.unpack_from("<I", b, at + 4)[0] & 1)
    struct.pack_into("<I", b, at + 4, 7)
elif what == "huge_section_headers":
    struct.pack_into("<Q", b, 40, 4 << 30)
    struct.pack_into("<H", b, 60, 0xffff)
open(target, "wb").write(b)
P
while read -r what pattern; do
	python3 "$tmp/elf.py" "$what" "$plugins/plain.so" "$tmp/$what.so"
	config elf.yaml <<Y
rules_files: [$tmp/none.yaml]
plugins: [{name: kit, library_path: $tmp/$what.so, open_params: "n=1"}]
Y
	run_mews run -c "$tmp/elf.yaml" --enable-source kit
	if [ "$pattern" = ignored ]; then
		is "ELF, $what: ignored, as the loader does" "$rc" 0
	else
		is "ELF, $what: refused" "$rc" 1
		check "ELF, $what: with the reason" err_has "$pattern"
	fi
done <<'T'
interpreter program|PT_INTERP|interpreter
executable_stack asks for an executable stack
no_word_on_stack asks for an executable stack
text_relocations relocation
writable_code writ
huge_section_headers ignored
T
finish
