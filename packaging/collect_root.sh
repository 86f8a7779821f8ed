#!/usr/bin/env bash
# collect_root.sh DEB OUT: what the package needs to run and nothing else, as the root of a
# container image: no shell, no package manager. Libraries are this machine's.
set -eu
deb=$1 out=$2
mkdir -p "$out"
dpkg-deb -x "$deb" "$out"
rm -rf "$out"/usr/share/{man,doc,bash-completion,zsh,fish} "$out"/usr/lib/{systemd,sysusers.d} \
	"$out"/usr/libexec/mews/mews-{fuzz,instrumented}-worker

# copy FILE: with the links on its way.
copy() {
	local real
	real=$(readlink -f "$1")
	install -D "$real" "$out$real"
	if [ "$1" != "$real" ]; then
		mkdir -p "$out$(dirname "$1")"
		ln -sf "$real" "$out$1"
	fi
}

# What the programs link, and what plugins usually do.
triplet=$(gcc -print-multiarch 2>/dev/null || echo x86_64-linux-gnu)
{
	ldd "$out"/usr/bin/mews "$out"/usr/libexec/mews/* | sed -nE 's,^[^/]*(/[^ ]+) \(0x.*,\1,p'
	for name in libc.so.6 libm.so.6 libdl.so.2 libpthread.so.0 librt.so.1 libresolv.so.2 \
		libgcc_s.so.1 libstdc++.so.6 libnss_files.so.2 libnss_dns.so.2; do
		echo "/lib/$triplet/$name"
	done
} | sort -u | while read -r lib; do
	[ -e "$lib" ] || lib=/usr$lib
	[ ! -e "$lib" ] || copy "$lib"
done
mkdir -p "$out"/{tmp,proc,dev,etc/falco,var/lib/mews,run/mews}
chmod 1777 "$out/tmp"
chmod 777 "$out/var/lib/mews" "$out/run/mews"
echo 'mews:x:65532:65532:mews:/var/lib/mews:/sbin/nologin' >"$out/etc/passwd"
echo 'mews:x:65532:' >"$out/etc/group"
echo 'hosts: files dns' >"$out/etc/nsswitch.conf"
[ ! -e /etc/ssl/certs/ca-certificates.crt ] || copy /etc/ssl/certs/ca-certificates.crt
ln -s mews "$out/usr/bin/falco"
