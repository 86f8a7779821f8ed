#!/usr/bin/env bash
# The attempts of 8000 once more under every profile that gives something, so that no
# profile opens a hole that it does not name. What a profile does name (sockets, reading,
# writing) has scripts of its own.
. "$(dirname "$0")/../hostile/lib.sh"
cases=$root/tests/hostile/cases.txt
mkdir -p "$tmp/data"
chmod 777 "$tmp/data"

declare -A sandbox=(
	[file-reader]="profile: file-reader, read: [$tmp/data]"
	[writer]="write: [$tmp/data]"
	[listener]="profile: listener, listen: [tcp:9765]"
	[client]="profile: client, connect: ['allowed.example:443']"
	[local]="listen: [unix:$tmp/run/own.sock], unix: [$tmp/run/other.sock]"
	[both]="profile: listener, listen: [tcp:9765], connect: ['allowed.example:443']"
)
# What a profile's own words change.
is_its_own() { # PROFILE PLUGIN TRY
	case $1/$2/$3 in
	client/files_read/passwd | both/files_read/passwd) return 0 ;; # one line, made for it
	client/files_read/list_etc | both/files_read/list_etc) return 0 ;; # its own /etc
	esac
	return 1
}

for profile in file-reader writer listener client local both; do
	for plugin in $(awk '!/^#/ && $1 != "sockets" {print $1}' "$cases" | uniq); do
		attack "$plugin" "moment=next_batch" "${sandbox[$profile]}"
		wrong=
		while read -r _ try wanted answers; do
			is_its_own "$profile" "$plugin" "$try" && continue
			read -r outcome error <<<"$(report "$try")"
			# Where calls go straight to the kernel, an empty root says so.
			case ,$answers,ENOENT,EROFS,EACCES,EPERM,EXDEV, in
			,-,*) ok=yes ;;
			*",$error,"*) ok=yes ;;
			*) ok=no ;;
			esac
			[ "$outcome" = "$wanted" ] && [ $ok = yes ] ||
				wrong+=" $try: ${outcome:-not reported} ($error)"
		done < <(awk -v p="$plugin" '$1 == p' "$cases")
		is "$profile: $plugin" "$wrong" ""
		check "$profile: $plugin: broker and neighbour are unharmed" unharmed
	done
done
is "nothing was written" "$(ls -A "$tmp/data")" ""
finish
