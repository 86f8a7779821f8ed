#!/usr/bin/env bash
# make_deb.sh VERSION OUT FILES...: lays out what was built and makes a .deb of it. The same
# input gives the same bytes: SOURCE_DATE_EPOCH is the time of every file.
set -eu
umask 022
version=$1 out=$2
shift 2
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
chmod 755 "$root"

# place MODE NAME DIR [AS]: the input of that name into a folder of the package.
declare -A input
for file in "$@"; do
	input[$(basename "$file")]=$file
done
place() {
	install -D -m "$1" "${input[$2]}" "$root/$3/${4:-$2}"
}

place 755 mews usr/bin
for name in mews-worker mews-launcher mews-egress mews-fuzz-worker \
	mews-instrumented-worker mews-asan-worker mews-asan-fuzz-worker; do
	place 755 "$name" usr/libexec/mews
done
strip --strip-unneeded "$root"/usr/bin/mews "$root"/usr/libexec/mews/*

place 644 falco.yaml etc/mews
place 644 local_rules.yaml etc/mews/rules.d
mkdir -p "$root"/etc/mews/config.d "$root"/etc/mews/profiles
for file in "$@"; do
	case $file in
	*/profiles/*.yaml) place 644 "$(basename "$file")" usr/share/mews/profiles ;;
	*.md) place 644 "$(basename "$file")" usr/share/doc/mews ;;
	*.[158])
		place 644 "$(basename "$file")" "usr/share/man/man${file##*.}"
		gzip -9n "$root/usr/share/man/man${file##*.}/$(basename "$file")"
		;;
	esac
done
place 644 mews.service usr/lib/systemd/system
place 644 sysusers.conf usr/lib/sysusers.d mews.conf
place 644 mews.bash usr/share/bash-completion/completions mews
place 644 _mews usr/share/zsh/vendor-completions
place 644 mews.fish usr/share/fish/vendor_completions.d
place 644 copyright usr/share/doc/mews
mkdir -p "$root/usr/share/falco/plugins"

# The packages that have the libraries which the programs name, as they are here. Those
# for plugins with the address sanitizer are for who has it.
depends() {
	local soname path package
	readelf -d "$root"/usr/bin/mews "$root"/usr/libexec/mews/* | grep -v libasan |
		sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' | sort -u |
		while read -r soname; do
			path=$(gcc -print-file-name="$soname")
			package=$(dpkg-query -S "$(readlink -f "$path")" 2>/dev/null ||
				dpkg-query -S "*/$soname")
			package=${package%%:*}
			dpkg-query -W -f='${Package} ${Version}\n' "$package" | head -1
		done | sort -u |
		sed -E 's/^([^ ]+) ([^-]*).*/\1 (>= \2)/' | paste -sd, | sed 's/,/, /g'
}

mkdir "$root/DEBIAN"
for script in postinst prerm postrm; do
	place 755 "$script" DEBIAN
done
find "$root/etc" -type f -printf '/etc/%P\n' | sort >"$root/DEBIAN/conffiles"
size=$(du -sk --apparent-size --exclude=DEBIAN "$root" | cut -f1)
needs=$(depends)
[ -n "$needs" ]
cat >"$root/DEBIAN/control" <<C
Package: mews
Version: $version
Architecture: amd64
Maintainer: The mews maintainers <mews@localhost>
Installed-Size: $size
Depends: $needs
Recommends: ca-certificates
Suggests: $(dpkg-query -S '*/libasan.so.*' | sed -n '1s/:.*//p'), afl++
Section: admin
Priority: optional
Description: Falco plugins, each confined in a process of its own
 Runs Falco plugins, unmodified, in processes that can do nothing but their work,
 evaluates Falco rules on their events and gives the alerts that Falco would give.
C
(cd "$root" && find . -path ./DEBIAN -prune -o -type f -printf '%P\n' | sort |
	xargs md5sum >DEBIAN/md5sums)
find "$root" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
dpkg-deb --root-owner-group -Zxz --build "$root" "$out" >/dev/null
