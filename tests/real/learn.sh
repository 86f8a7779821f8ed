# shellcheck shell=bash disable=SC2154
# Sourced after examine.sh: what "mews learn" comes to for a plugin, held against its profile.
# Each difference has its reason in learned.txt, or has none, which is a failure.
#
#   compare_learned NAME LIBRARY   adds rows to $compared: name|learned or shipped|what|why
compared=$tmp/compared
: >"$compared"

# What is written down: no folder and no port of this run.
placeless() {
	sed "s,$samples,SAMPLES,g; s,$tmp,TMP,g; s,$HOME,HOME,g; s,:$port\$,:PORT,"
}

# Lines "key item" of a profile as it was learned.
learned_lines() {
	sed -n "s/^\(read\|write\|listen\|connect\|unix\): \[\(.*\)\]\$/\1 \2/p; s/^\(late_dlopen\|jit\): true/\1 'true'/p" |
		awk '{
			key = $1
			sub(/^[^ ]* /, "")
			n = split($0, item, /, /)
			for (i = 1; i <= n; i++) { gsub(/^\047|\047$/, "", item[i]); print key, item[i] }
		}'
}

# The same lines of "mews policy explain". What a socket lets pass is no other place.
shipped_lines() {
	sed -n '2,/^  memory/p' | awk '
		substr($0, 3, 1) != " " {
			key = ""
			if ($1 == "reads") key = "read"
			if ($1 == "writes") key = "write"
			if ($1 == "listens") key = "listen"
			if ($1 == "connects") key = "connect"
			if ($1 == "unix") key = "unix"
			if ($1 == "libraries") { print "late_dlopen true"; next }
		}
		{
			item = substr($0, 16)
			sub(/ \(.*from .*\)$/, "", item)
			if (key == "unix") sub(/, only GET of .*/, "", item)
			if (key == "listen") sub(/, mode .*/, "", item)
			if (key == "connect") sub(/ \(internal\)$/, "", item)
			if (key != "" && item != "nothing") print key, item
		}'
}

reason_of() { # reason_of NAME WHO WHAT
	local name who what why
	while IFS='|' read -r name who what why; do
		# shellcheck disable=SC2053 # patterns
		if [[ $1 == $name && $2 == $who && $3 == $what ]]; then
			echo "$why"
			return
		fi
	done < <(grep -v '^#' "$root/tests/real/learned.txt")
}

compare_learned() {
	local init open line who
	IFS='|' read -r _ init open _ <<<"$(sample_of "$1")"
	entry "$1" "$2" "$init" "$open"
	run_mews policy explain "$1" -c "$tmp/falco.yaml"
	shipped_lines <<<"$out" | placeless | sort -u >"$tmp/shipped"
	MEWS_TIMEOUT=240 run_mews learn "$1" -c "$tmp/falco.yaml"
	check "$1: something is learned" test "$rc" = 0
	learned_lines <<<"$out" | placeless | sort -u >"$tmp/learned"
	while IFS= read -r line; do
		who=learned
		[ "${line:0:1}" = $'\t' ] || who=shipped
		line=${line#$'\t'}
		echo "$1|$who|$line|$(reason_of "$1" $who "$line")" >>"$compared"
	done < <(comm -3 "$tmp/shipped" "$tmp/learned")
	cmp -s "$tmp/shipped" "$tmp/learned" && echo "$1|||" >>"$compared"
	return 0
}

# All that can be run here: the plugin itself, or its double.
learn_all() {
	local name library
	mkdir -p "$tmp/log" "$tmp/learn"
	: >"$tmp/log/access.log"
	while IFS='|' read -r name _; do
		[[ $name != \#* ]] && [ "$name" != mews_rs ] || continue
		library=$real/lib$name.so
		if [ ! -e "$library" ]; then
			library=$tmp/learn/lib$name.so
			install -m 755 "$built/tests/doubles/lib$name.so" "$library" 2>/dev/null || continue
		fi
		compare_learned "$name" "$library"
	done <"$root/tests/real/samples.txt"
}

# The rows for docs/plugins.md.
learned_table() {
	echo "| plugin | learned alone | in the profile alone | why |"
	echo "|---|---|---|---|"
	awk -F'|' '{
		if ($3 == "") { printf "| %s | – | – | the same |\n", $1; next }
		what = $3
		gsub(/\*/, "\\*", what)
		printf "| %s | %s | %s | %s |\n", $1, ($2 == "learned") ? what : "", ($2 == "shipped") ? what : "", $4
	}' "$compared"
}
