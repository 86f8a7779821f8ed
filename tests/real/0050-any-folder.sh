#!/usr/bin/env bash
# Whatever lib*.so is in MEWS_PLUGINS_DIR: loads, describes itself and is initialised under
# the profile of its name, and gives events where samples.txt knows how. Whatever it does,
# mews ends well.
. "$(dirname "$0")/lib.sh"
. "$root/tests/real/examine.sh"
folder=${MEWS_PLUGINS_DIR:-}
[ -n "$folder" ] || skip_all "MEWS_PLUGINS_DIR names no folder"

for library in "$folder"/lib*.so; do
	[ ! -e "$library" ] || examine "$library"
done
[ $tap_n -gt 0 ] || skip_all "no lib*.so in $folder"
sed 's/^/# /' "$seen"
finish
