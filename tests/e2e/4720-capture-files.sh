#!/usr/bin/env bash
# Capture files that are cut, damaged, huge or hostile: an error that says what is wrong,
# after what could be read was judged; never a crash, and memory is bounded.
. "$(dirname "$0")/lib.sh"
command -v python3 >/dev/null || skip_all "python3 is not installed"

mkdir -p "$tmp/bad"
cat >"$tmp/make.py" <<'P'
import gzip, os, struct, sys
from scap import *

folder, good = sys.argv[1], open(sys.argv[2], "rb").read()
one = plugin_event(1, 999, b"1")


def write(name, data, size=0):
    with open(os.path.join(folder, name), "wb") as f:
        f.write(data)
        if size:
            f.truncate(size)


# name: what opening it says
write("empty", b"")
write("text", b"just some text, not a capture\n")
write("no-section", large(one))
write("other-magic", section(magic=0x4D3C2B1A) + large(one))
write("newer", section(major=2) + large(one))
write("newer-minor", section(minor=3) + large(one))
write("no-events", section() + block(MACHINE, bytes(180)))
write("trailer", section()[:-4] + struct.pack("<I", 99) + large(one))
write("short-block", section() + struct.pack("<II", MACHINE, 4))
write("endless-block", section() + struct.pack("<II", 0x215, 2**32 - 1), 1 << 20)
# and what reading it says
start = section() + large(one)
write("cut", good[: len(good) - 10])
write("cut-head", start + b"\x21\x02")
write("short-event", start + struct.pack("<II", LARGE, 16))
write("large-small", start + struct.pack("<II", EVENT, 66000) + bytes(66000))
write("unexpected", start + block(MACHINE, bytes(180)) + large(one))
write("length", start + large(one[:16] + struct.pack("<I", 5000) + one[20:]))
write("nparams", start + large(one[:22] + struct.pack("<I", 2**31) + one[26:]))
write("param-length", start + large(one[:30] + struct.pack("<I", 2**32 - 1) + one[34:]))
write("async-name", start + large(async_event(2, 999, b"a\0b")))
write("short-async", start + large(event(2, 402, [b"1234", b"x\0"])))
write("many-params", start + small(event(2, 300, [b""] * 3, 2)[:-2]))
packed = gzip.compress(start * 2000)
write("gzip-cut", packed[:-30])
damaged = bytearray(packed)
damaged[len(packed) // 2] ^= 0xFF
write("gzip-damaged", bytes(damaged))
# nothing wrong with these
write("huge-event", section() + struct.pack("<IIH", LARGE, 64 << 20, 0)
      + struct.pack("<QQIHI", 1, NONE, (64 << 20) - 14, 322, 2), len(section()) + (64 << 20))
with open(os.path.join(folder, "huge-event"), "ab") as f:
    f.write(large(one))
with gzip.open(os.path.join(folder, "bomb"), "wb", 9) as f:
    f.write(section())
    for i in range(256):
        f.write(struct.pack("<II", 0x215, (1 << 20) + 12) + bytes(1 << 20)
                + struct.pack("<I", (1 << 20) + 12))
    f.write(large(one))
P
PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$(dirname "$0") python3 "$tmp/make.py" "$tmp/bad" \
	"$root/tests/data/scap/golden-plain.scap"

# Every event, by its number: replayed NAME.
replayed() {
	run_mews replay "$tmp/bad/$1" "$plugins/golden.so" --fields evt.num
}
opening() { # opening NAME TEXT
	replayed "$1"
	is "$1: nothing is judged" "$rc$out" 1
	check "$1: $2" err_says "Error: Could not open trace filename $tmp/bad/$1 for reading: $2"
}
reading() { # reading NAME EVENTS TEXT
	replayed "$1"
	is "$1: events before it are judged" "$rc $(grep -c num <<<"$out")" "1 $2"
	check "$1: $3" err_says "Error: $3"
}
opening empty "expecting 8 bytes, read 0 at $tmp/bad/empty, line 1. Is the file truncated?"
opening text "invalid block type"
opening no-section "invalid block type"
opening other-magic "invalid magic number"
opening newer "cannot correctly parse the capture. Upgrade your version."
opening newer-minor "cannot correctly parse the capture. Upgrade your version."
opening no-events "no events in file"
opening trailer "wrong block total length, header=28, trailer=99"
opening short-block "block length too short 4"
opening endless-block "expecting"
reading cut 11 "expecting 48 bytes, read 38 at $tmp/bad/cut, line 14. Is the file truncated?"
reading cut-head 1 "expecting 8 bytes, read 2"
reading short-event 1 "block length too short 16"
reading large-small 1 "event block length 65992 greater than NON-LARGE read buffer size 65536"
reading unexpected 1 "invalid block type"
reading length 1 "invalid event: its length is not the block's"
reading nparams 1 "invalid event: "
reading param-length 1 "invalid event: "
reading async-name 1 "invalid event: "
reading short-async 1 "invalid event: "
reading many-params 1 "invalid event: "
replayed gzip-cut
check "gzip-cut: what is there is judged" [ "$(grep -c num <<<"$out")" -gt 1000 ]
check "gzip-cut: an error" bash -c '[ "$1" = 1 ] && grep -q "Error: e" <<<"$2"' - "$rc" "$err"
replayed gzip-damaged
is "gzip-damaged: exit status" "$rc" 1
check "gzip-damaged: an error" err_has '^Error: '

for name in huge-event bomb; do
	# As much address space as anything else takes, and not what the file says.
	(ulimit -v 4000000 && "$mews" replay "$tmp/bad/$name" "$plugins/golden.so" \
		--fields evt.num >"$tmp/out" 2>"$tmp/err" </dev/null)
	rc=$? out=$(cat "$tmp/out") err=$(cat "$tmp/err")
	is "$name: exit status" "$rc" 0
	is "$name: the event behind it is judged" "$(grep -c num <<<"$out")" 1
done
replayed huge-event
check "huge-event: it is counted" err_has '1 too large'
run_mews replay "$tmp/bad" "$plugins/golden.so"
check "a folder" err_says "for reading: not a file"
mkfifo "$tmp/bad/pipe"
run_mews replay "$tmp/bad/pipe" "$plugins/golden.so"
check "a pipe is not waited for" err_says "for reading: not a file"
run_mews replay "$tmp/bad/none" "$plugins/golden.so"
check "nothing" err_says "for reading: No such file or directory"
nothing_left
holds "nothing is left running"
finish
