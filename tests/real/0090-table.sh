#!/usr/bin/env bash
# docs/plugins.md: what is known of every registered plugin, from a run of it. With
# MEWS_WRITE_DOCS=yes the file is written; else it must have a row for each plugin, and say
# of versions, capabilities and profiles what this run says.
. "$(dirname "$0")/lib.sh"
. "$root/tests/real/examine.sh"
. "$root/tests/real/learn.sh"
doubles=$built/tests/doubles
page=$root/docs/plugins.md

# rate NAME SOURCE LIBRARY OPEN N RULES: events is the events/s of N events, without the start, and
# memory what its worker had.
rate() {
	local t0 t1 t2
	entry "$1" "$3" "$(cut -d'|' -f2 <<<"$(sample_of "$1")")" "$4"
	sed -i "s,^rules_files: .*,rules_files: [$6]," "$tmp/falco.yaml"
	[ "$6" = "$tmp/every.yaml" ] ||
		echo "  - {name: json, library_path: $real/libjson.so}" >>"$tmp/falco.yaml"
	t0=$(milliseconds)
	run_mews -c "$tmp/falco.yaml" --list -N
	t1=$(milliseconds)
	start_mews run -c "$tmp/falco.yaml" --enable-source "$2" -o stdout_output.enabled=false \
		-o file_output.enabled=true -o file_output.filename=/dev/null
	until_true 60 has_ended
	wait_mews 1
	t2=$(milliseconds)
	if [ "$rc" = 0 ]; then
		events=$(($5 * 1000 / (t2 - t1 - (t1 - t0))))
	else
		echo "# $1: no rate: $(grep Error <<<"$err" | head -1)"
	fi
	memory=$seen_memory
}

# copies FOLDER N: the samples of a folder, N times.
copies() {
	local i file
	rm -rf "$tmp/bulk" && mkdir -p "$tmp/bulk"
	for ((i = 0; i < $2; i++)); do
		for file in "$samples/$1"/*; do
			ln "$file" "$tmp/bulk/$i-$(basename "$file")"
		done
	done
	chmod -R a+rX "$tmp/bulk"
}

# may NAME LIBRARY: what the profile gives it with its sample configuration.
may() {
	local init open
	IFS='|' read -r _ init open _ <<<"$(sample_of "$1")"
	entry "$1" "$2" "$init" "$open"
	run_mews policy explain "$1" -c "$tmp/falco.yaml"
	sed -n '2,/^  memory/p' <<<"$out" | sed '$d; /^  comment/d; s/ (.*from .*)//' |
		sed "s,$samples,…,g; s,$tmp,…,g; s,:$port\$,:PORT," |
		awk '{
			if (substr($0, 3, 1) != " ") { key = $1; rest = substr($0, 16); if (key ~ /^(listens|connects|unix)$/) key = $1 " " $2 }
			else rest = substr($0, 16)
			if (rest == "nothing") next
			if (key == "libraries") { rest = "later too" }
			line[key] = line[key] (line[key] ? ", " : "") rest
			if (!(key in at)) { at[key] = ++n; name[n] = key }
		} END { for (i = 1; i <= n; i++) printf("%s%s %s", (i > 1) ? "; " : "", name[i], line[name[i]]); if (n == 0) printf "compute" }' |
		sed 's/|/\\|/g'
}

by_service="okta github cloudtrail gcpaudit"
rows=$tmp/rows
mkdir -p "$tmp/log"
: >"$tmp/log/access.log"
: >"$rows"
while IFS='|' read -r name _ _ _ _ language version _ caps falco; do
	[[ $name != \#* ]] && [ -n "$caps" ] && [ "$name" != mews_rs ] || continue
	: >"$seen"
	library=$real/lib$name.so how='' start='' memory='' events=''
	profile=$name
	if [ -e "$library" ]; then
		examine "$library" >"$tmp/tap"
		grep '^not ok' "$tmp/tap"
		tap_n=0
		IFS='|' read -r _ version language caps profile how start memory <"$seen"
		[[ " $by_service " != *" $name "* ]] ||
			how="the plugin, with a stand-in of its service; alerts of its own rules"
		[ "$name" != k8saudit ] ||
			how="the plugin: files, webhook by HTTP and HTTPS; alerts of its own rules"
		[ "$name" != json ] || how="the plugin, on events of k8saudit and cloudtrail"
		[ "$name" != dummy ] || how="the plugin: $how"
	elif [ -e "$doubles/lib$name.so" ]; then
		library=$doubles/lib$name.so
		how="a double that makes the same demands"
	else
		library=$plugins/plain.so
		how="a plugin of the tests that makes the same demands, none"
	fi
	case $name in
	krsi) how="a double: bpf(2) ends it; see below" ;;
	k8smeta | container) how="$how; see below" ;;
	dnscollector) how="$how; its build has API 2.0.0, which Falco and mews refuse" ;;
	esac
	if [ "${MEWS_WRITE_DOCS:-no}" = yes ] && [ -e "$real/lib$name.so" ]; then
		seen_memory=$memory
		case $name in
		k8saudit)
			mkdir -p "$tmp/bulk"
			for ((i = 0; i < 400; i++)); do
				cat "$samples"/k8saudit/*
			done >"$tmp/bulk/all.json"
			rate k8saudit k8s_audit "$library" "$tmp/bulk" $((400 * 51)) "$real/rules/k8s_audit_rules.yaml"
			;;
		cloudtrail)
			copies cloudtrail 2000
			rate cloudtrail aws_cloudtrail "$library" "$tmp/bulk" 8000 "$real/rules/aws_cloudtrail_rules.yaml"
			;;
		dummy)
			every dummy
			rate dummy dummy "$library" '{"start": 1, "maxEvents": 300000}' 300000 "$tmp/every.yaml"
			;;
		esac
	fi
	[ -z "$memory" ] || memory=$(((memory + 1023) / 1024))
	echo "| $name | $version | $language | $caps | $profile | $(may "$name" "$library") | $how | ${start:-–} | ${memory:-–} | ${events:-–} | ${falco:-–} |" >>"$rows"
done <"$root/tests/real/samples.txt"

if [ "${MEWS_WRITE_DOCS:-no}" = yes ]; then
	{
		cat <<'M'
# The registered plugins

Every plugin of Falco's registry, and what it may do here with a stock `falco.yaml`: its profile in
`policy/profiles`, filled in from the configuration of `tests/real/samples.txt`. This page is
written by a run of the tests:

    MEWS_WRITE_DOCS=yes tests/real/0090-table.sh

The plugins that this run could build from their published source ran themselves; for the others
there is a double (`tests/doubles`), which listens, connects, opens and misbehaves as the original
was seen to. `MEWS_PLUGINS_DIR=DIR ./test.sh real` runs any folder of plugins. Start is from the
command line to the fields' listing and the end, in ms, with the plugin's runtime; memory is the
worker's peak, in MiB; events/s are those of one source on this machine: k8saudit and
cloudtrail with their own rules and the json plugin, dummy with an alert for each event. Falco's figure is of another run,
of the same plugins and rules with asynchronous extraction off.

| plugin | version | language | capabilities | profile | may | tested how | start | memory | events/s | in Falco |
|---|---|---|---|---|---|---|---|---|---|---|
M
		cat "$rows" "$root/tests/real/system_calls.md"
		cat <<'M'

## Learned and shipped

What `mews learn` comes to with the same configuration, where it is not what the profile gives.
`tests/real/0085-learn.sh` fails on a difference that has no reason in `tests/real/learned.txt`.

M
		learn_all >"$tmp/tap"
		grep '^not ok' "$tmp/tap"
		learned_table
	} >"$page"
fi

tap_n=0
[ -e "$page" ] || skip_all "docs/plugins.md is not there"
is "32 plugins" "$(grep -c . "$rows")" 32
facts() { # the columns that do not depend on the machine and its toolchains
	grep '^| [a-z]' | grep -v '^| plugin' | awk -F' [|] ' '{print $1 " | " $2 " | " $4 " | " $5}'
}
is "docs/plugins.md says what this run says" "$(sed '/^## /,$d' "$page" | facts)" "$(facts <"$rows")"
finish
