#!/usr/bin/env bash
# What a worker's binary is made of (a list that must be empty: rooms it may not reach) and
# which libraries it needs: its root holds these and no others.
set -eu

if [ -s "$1" ]; then
	echo "the worker reaches:"
	cat "$1"
	exit 1
fi

wanted="libc.so.6
libgcc_s.so.1"
needed=$(readelf -d "$2" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' | sort)
if grep -q 'san\.so' <<<"$needed"; then
	echo "built with a sanitizer: its libraries are no concern of ours"
	exit 0
fi
if [ "$needed" != "$wanted" ]; then
	printf 'the worker needs:\n%s\nand may need:\n%s\n' "$needed" "$wanted"
	exit 1
fi
