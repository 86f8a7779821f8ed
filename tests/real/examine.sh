# shellcheck shell=bash disable=SC2154
# Sourced after lib.sh: examine LIBRARY tries a plugin out under the profile of its name, and
# adds a line of what it saw to $seen:
#
#   name|version|language|capabilities|profile|how tested|start ms|memory KiB
seen=$tmp/seen
: >"$seen"
port=$((20000 + $$ % 12000))
mkdir -p "$tmp/secrets"

sample_of() { # sample_of NAME: the row of samples.txt, with its places filled in
	grep "^$1|" "$root/tests/real/samples.txt" |
		sed "s,SAMPLES,$samples,g; s,TMP,$tmp,g; s,PORT,$port,g"
}

language_of() {
	local sections
	sections=$(readelf -SW "$1" 2>/dev/null)
	if grep -q '\.go\.buildinfo' <<<"$sections"; then
		echo Go
	elif readelf -p .comment "$1" 2>/dev/null | grep -q rustc; then
		echo Rust
	elif readelf -d "$1" 2>/dev/null | grep -q 'libstdc++'; then
		echo C++
	elif nm -D --defined-only "$1" 2>/dev/null | grep -q '_Z'; then
		echo C++
	else
		echo C
	fi
}

capabilities_of() { # of plugin-info's text
	# Falco's words for a plugin that has no events of its own, and for one that has.
	grep -v 'Event Sourcing (system events)' | sed -n 's/^\( *- \|Capabilities: *\)\(Event Sourcing\|Field Extraction\|Event Parsing\|Async Events\|Capture Listening\).*/\2/p' |
		sed 's/Event Sourcing/sourcing/; s/Field Extraction/extraction/; s/Event Parsing/parsing/; s/Async Events/async/; s/Capture Listening/capture listening/' |
		paste -sd, | sed 's/,/, /g'
}

entry() { # entry NAME LIBRARY INIT OPEN: falco.yaml
	config falco.yaml <<Y
rules_files: [$tmp/every.yaml]
json_output: true
plugins:
  - name: $1
    library_path: $2
    init_config: '$3'
    open_params: '$4'
Y
}

n_alerts() {
	grep -c '^{' "$tmp/out"
}

has_alerts() {
	[ "$(n_alerts)" -ge "$1" ]
}

# feed WORDS: makes events from outside until there are some.
feed() {
	local i line
	# shellcheck disable=SC2086 # the row's words
	set -- $1
	for ((i = 0; i < 50; i++)); do
		case $1 in
		post)
			while IFS= read -r line; do
				curl -s -m 2 -o /dev/null -H 'Content-Type: application/json' \
					--data-binary "$line" "$2"
			done <"$3"
			;;
		udp) echo '<34>Oct 11 22:14:15 host su: failed' >"/dev/udp/127.0.0.1/$2" ;;
		append)
			echo '192.0.2.1 - - [24/Mar/2024:21:11:59 +0000] "GET /?id=1%20OR%201=1 HTTP/1.1" 200 5 "-" "curl"' >>"$2"
			;;
		esac 2>/dev/null
		has_alerts 1 && return
		sleep 0.1
	done
}

# seen_memory is the most KiB that a worker was seen to have.
look_at_memory() {
	local pid kib
	for pid in $(workers); do
		kib=$(sed -n 's/^VmHWM:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$pid/status" 2>/dev/null)
		[ "${kib:-0}" -le "${seen_memory:-0}" ] || seen_memory=$kib
	done
}

has_ended() {
	look_at_memory
	! kill -0 "$mews_pid" 2>/dev/null
}

# One with few events may be over before anybody looks.
has_begun() {
	[ -n "$(workers)" ] || has_ended
}

have_come() { # have_come N
	look_at_memory
	has_alerts "$1"
}

milliseconds() {
	echo $(($(date +%s%N) / 1000000))
}

# every SOURCE: a rule that each event of the source fires
every() {
	rules every.yaml <<Y
- rule: Every event
  desc: of a source
  condition: evt.num >= 0
  output: event %evt.num
  priority: INFO
  source: $1
Y
}

events() { # events NAME SOURCE MAKER LEAST
	local n i
	every "$2"
	start_mews run -c "$tmp/falco.yaml" --enable-source "$2"
	until_true 5 has_begun && look_at_memory
	if [ "$3" = - ]; then
		for ((i = 0; i < 20; i++)); do
			has_ended && break
			sleep 0.1
		done
		kill -TERM "$mews_pid" 2>/dev/null
		check "$1: it stops" wait_mews 15
		check "$1: runs without harm" nothing_left
		how="loaded, initialised and opened; no events without its service"
		return
	fi
	[ "$3" = self ] || feed "$3"
	until_true 10 have_come "$4"
	kill -TERM "$mews_pid" 2>/dev/null
	check "$1: it stops" wait_mews 15
	n=$(n_alerts)
	check "$1: events come ($n)" test "$n" -ge "$4"
	is "$1: nothing was refused" "$(grep refused <<<"$err")" ""
	check "$1: nothing left" nothing_left
	how="$n events, each an alert"
}

examine() { # examine LIBRARY
	local library=$1 file name version caps profile how='' start='' source='' row
	local init='' open='' maker=- least=0 t seen_memory='' try
	file=$(basename "$library" .so)
	row=$(sample_of "${file#lib}")
	[ -z "$row" ] || IFS='|' read -r _ init open maker least _ <<<"$row"
	# Unknown ones may want some configuration, or none.
	for try in "$init" '' '{}'; do
		t=$(milliseconds)
		run_mews plugin-info "$library" --init-config "$try"
		start=$(($(milliseconds) - t))
		[ "$rc" != 0 ] || break
	done
	check "$file: describes itself, or one error says why not" test "$rc" -lt 124
	check "$file: nothing left" nothing_left
	name=$(sed -n 's/^Name: //p' <<<"$out" | head -1)
	if [ -z "$name" ]; then
		check "$file: the error has words" err_has '^Error: .'
		echo "# $file: $(grep Error <<<"$err" | head -1 | tr -d '\r')"
		return
	fi
	version=$(sed -n 's/^Version: //p' <<<"$out" | head -1)
	source=$(sed -n 's/.*Event Sourcing.*(ID=[0-9]*, source=\x27\([^\x27]*\)\x27).*/\1/p; s/.*Event Source: *//p' <<<"$out" | head -1)
	caps=$(capabilities_of <<<"$out")
	row=$(sample_of "$name")
	[ -z "$row" ] || IFS='|' read -r _ init open maker least _ <<<"$row"
	if [[ $maker = append* ]]; then
		mkdir -p "$tmp/log" && : >"${maker#append }"
		chmod -R a+rX "$tmp/log"
	fi
	entry "$name" "$library" "$init" "$open"
	t=$(milliseconds)
	# A profile that was asked for, or the default, is told at this level alone.
	run_mews -c "$tmp/falco.yaml" -o log_level=debug --list -N
	start=$(($(milliseconds) - t))
	check "$name: initialised, or one error says why not" test "$rc" -lt 124
	profile=$(sed -n "s/.*plugin '[^']*': profile \([^,]*\),.*/\1/p" <<<"$err" | head -1)
	check "$name: has a profile ($profile)" test -n "$profile"
	if [ "$rc" != 0 ]; then
		echo "# $name: $(grep Error <<<"$err" | head -1)"
		how="loaded; $(grep Error <<<"$err" | head -1 | cut -c1-100)"
	elif [ -n "$source" ]; then
		events "$name" "$source" "$maker" "$least"
	else
		how="loaded and initialised; its fields are listed"
	fi
	echo "$name|$version|$(language_of "$library")|$caps|$profile|$how|$start|$seen_memory" >>"$seen"
}
