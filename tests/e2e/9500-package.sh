#!/usr/bin/env bash
# The Debian package: what is in it, and that it installs, starts, reloads, upgrades and goes, in
# a root of its own that is thrown away.
. "$(dirname "$0")/lib.sh"

deb=$(find -L "$built/packaging" -maxdepth 1 -name 'mews_*.deb' 2>/dev/null | head -1)
[ -n "$deb" ] || skip_all "//packaging:deb is not built"
contents=$(dpkg-deb -c "$deb")

has() { # has MODE PATH: of root, in the package
	grep -qE "^$1 root/root .* \\.$2\$" <<<"$contents"
}
check "the program" has -rwxr-xr-x /usr/bin/mews
for name in worker launcher egress fuzz-worker asan-fuzz-worker; do
	check "mews-$name" has -rwxr-xr-x "/usr/libexec/mews/mews-$name"
done
for file in /usr/lib/systemd/system/mews.service /etc/mews/falco.yaml /usr/share/mews/profiles/k8saudit.yaml \
	/usr/share/man/man{1/mews.1,5/mews.yaml.5,5/mews-cases.5,8/mews.8}.gz \
	/usr/share/bash-completion/completions/mews /usr/share/zsh/vendor-completions/_mews \
	/usr/share/fish/vendor_completions.d/mews.fish; do
	check "$file" has -rw-r--r-- "$file"
done
is "nothing that others may write to" "$(grep -E '^.(....w|.......w)' <<<"$contents")" ""
is "what is in /etc is configuration" "$(dpkg-deb --ctrl-tarfile "$deb" | tar -xO ./conffiles | paste -sd' ')" \
	"/etc/mews/falco.yaml /etc/mews/rules.d/local_rules.yaml"
check "its libraries are its dependencies" \
	bash -c 'for p in libc6 libcurl4 libyaml-0-2 libseccomp2 libre2-9; do dpkg-deb -f "$0" Depends | grep -q "$p (>= " || exit 1; done' "$deb"
dpkg-deb -x "$deb" "$tmp/x"
unit=$tmp/x/usr/lib/systemd/system/mews.service
for page in "$tmp"/x/usr/share/man/man*/*; do
	check "$(basename "$page") is a page" bash -c 'zcat "$0" | grep -q "^\\.TH"' "$page"
done

# Completion, of the tables that the program is made of.
complete_bash() {
	bash -c '. "$1"; COMP_WORDS=("${@:2}"); COMP_CWORD=$(($# - 2)); _mews; printf "%s\n" "${COMPREPLY[@]}"' \
		- "$tmp/x/usr/share/bash-completion/completions/mews" "$@"
}
is "bash completes commands" "$(complete_bash mews plug)" "plugin-info"
is "options of a command" "$(complete_bash mews check --no)" "--no-hints"
is "Falco's without a command" "$(complete_bash mews --list-p)" "--list-plugins"
is "commands of ctl" "$(complete_bash mews ctl dump)" "dump-config"
for shell in zsh fish; do
	if command -v $shell >/dev/null; then
		check "$shell takes its completion" \
			$shell -n "$(find "$tmp/x/usr/share/$shell" -type f)"
	else
		skip "$shell takes its completion" "there is no $shell"
	fi
done

if command -v systemd-analyze >/dev/null; then
	sed 's,/usr/bin/mews,/bin/true,' "$unit" >"$tmp/mews.service"
	is "systemd understands the unit" "$(systemd-analyze verify --man=no "$tmp/mews.service" 2>&1)" ""
	score=$(systemd-analyze security --offline=true "$tmp/mews.service" 2>/dev/null |
		sed -n 's/.*Overall exposure level.*: \([0-9]*\)\..*/\1/p')
	check "and finds little exposed ($score.x of 10)" test "${score:-9}" -lt 3
else
	skip "systemd understands the unit" "there is no systemd-analyze"
fi

# As installed. A root that is all of this one's, with what is written kept aside; entered by
# pivot_root, for a process in a chroot may not make user namespaces.
[ "$(id -u)" = 0 ] || {
	skip "it installs" "this needs root"
	finish
}
cat >"$tmp/enter.sh" <<'S'
set -e
mount --make-rprivate /
mount -t tmpfs over "$1"
mkdir "$1/up" "$1/work" "$1/root"
mount -t overlay -o "lowerdir=/,upperdir=$1/up,workdir=$1/work" overlay "$1/root"
mount -t proc proc "$1/root/proc"
mount --rbind /dev "$1/root/dev"
mount -t tmpfs tmp "$1/root/tmp"
mount -t tmpfs run "$1/root/run"
chmod 1777 "$1/root/tmp"
cp "$2" "$1/root/tmp/mews.deb"
cp "$3" "$1/root/tmp/plain.so"
cp "$4" "$1/root/tmp/inside.sh"
cd "$1/root"
mkdir old
pivot_root . old
umount -l /old
rmdir /old 2>/dev/null || true
exec bash /tmp/inside.sh
S
# Each line that it prints is a fact; the checks below know them.
cat >"$tmp/inside.sh" <<'S'
port=$((20000 + RANDOM % 10000))
export DEBIAN_FRONTEND=noninteractive
fact() { echo "fact $*"; }
dpkg -i /tmp/mews.deb >/tmp/log 2>&1 && fact installed || cat /tmp/log
getent passwd mews >/dev/null && fact user
[ -z "$(dpkg -V mews)" ] && fact verified
chmod 644 /tmp/plain.so
install -d -o mews /var/lib/mews /run/mews
# What the unit takes away, as far as it can be taken away without systemd.
as_service=(setpriv --reuid mews --regid mews --clear-groups --bounding-set=-all --no-new-privs)
"${as_service[@]}" mews check -c /etc/mews/falco.yaml >/tmp/log 2>&1 && fact checked || cat /tmp/log
sed -i "s/listen_port: 8765/listen_port: $port/" /etc/mews/falco.yaml
mount -o remount,ro / 2>/dev/null && mount -t tmpfs lib /var/lib/mews && chown mews /var/lib/mews
"${as_service[@]}" mews run -c /etc/mews/falco.yaml >/tmp/out 2>/tmp/log &
pid=$!
healthy() { curl -sf -m 2 http://127.0.0.1:$port/healthz >/dev/null; }
for _ in $(seq 600); do healthy && break; sleep 0.05; done
healthy && fact started || cat /tmp/log
mews ctl -c /etc/mews/falco.yaml status >/dev/null 2>/tmp/ctl && fact asked || cat /tmp/ctl
mount -o remount,rw / 2>/dev/null
cat >/etc/mews/config.d/kit.yaml <<Y
plugins: [{name: kit, library_path: /tmp/plain.so}]
Y
cat >/etc/mews/rules.d/kit.yaml <<Y
- rule: Any
  desc: d
  condition: kit.num = 1
  output: seen %kit.text
  priority: INFO
  source: kit
Y
kill -HUP $pid
for _ in $(seq 600); do grep -q 'seen 1' /tmp/out && break; sleep 0.05; done
grep -q 'seen 1' /tmp/out && fact reloaded || cat /tmp/out /tmp/log
kill -TERM $pid 2>/dev/null
for _ in $(seq 600); do kill -0 $pid 2>/dev/null || break; sleep 0.05; done
kill -0 $pid 2>/dev/null || fact stopped
if command -v strace >/dev/null; then
	timeout 20 strace -f -qq -o /tmp/trace setpriv --reuid mews --regid mews --clear-groups \
		mews run -c /etc/mews/falco.yaml --disable-source syscall >/dev/null 2>&1
	sed -E 's/^[0-9]+ +//; s/^<\.\.\. ([a-z0-9_]+) resumed.*/\1(/' /tmp/trace |
		sed -nE 's/^([a-z0-9_]+)\(.*/syscall \1/p' | sort -u
fi
dpkg -i --force-confold /tmp/mews.deb >/tmp/log 2>&1 && grep -q 'seen' /etc/mews/rules.d/kit.yaml &&
	grep -q $port /etc/mews/falco.yaml && fact upgraded || cat /tmp/log
dpkg -r mews >/tmp/log 2>&1 && [ ! -e /usr/bin/mews ] && [ ! -e /usr/libexec/mews ] &&
	grep -q $port /etc/mews/falco.yaml && fact removed || cat /tmp/log
rm /etc/mews/config.d/kit.yaml /etc/mews/rules.d/kit.yaml
umount /var/lib/mews 2>/dev/null
dpkg -P mews >/tmp/log 2>&1 && [ ! -e /etc/mews ] && [ ! -e /var/lib/mews ] && fact purged || cat /tmp/log
S
mkdir "$tmp/over"
if ! unshare -m sh -c "mount -t tmpfs t '$tmp/over' && mkdir '$tmp/over/u' '$tmp/over/w' '$tmp/over/r' &&
	mount -t overlay -o 'lowerdir=/,upperdir=$tmp/over/u,workdir=$tmp/over/w' o '$tmp/over/r'" 2>/dev/null; then
	skip "it installs" "this host has no overlay mounts for us"
	finish
fi
timeout 180 unshare -m -p -f --kill-child bash "$tmp/enter.sh" "$tmp/over" "$deb" "$plugins/plain.so" \
	"$tmp/inside.sh" >"$tmp/out" 2>"$tmp/err"
rc=$?
out=$(cat "$tmp/out") err=$(cat "$tmp/err")
for step in installed user verified checked started asked reloaded stopped upgraded removed purged; do
	check "the package: $step" out_has "^fact $step\$"
done

# Every system call of a run is one that the unit allows.
expand() {
	local word
	for word in "$@"; do
		case $word in
		@*)
			# shellcheck disable=SC2046
			expand $(systemd-analyze syscall-filter "$word" | sed 1d | grep -v '#')
			;;
		*) echo "$word" ;;
		esac
	done
}
if grep -q '^syscall ' <<<"$out" && command -v systemd-analyze >/dev/null; then
	# shellcheck disable=SC2046
	expand $(sed -n 's/^SystemCallFilter=//p' "$unit") | sort -u >"$tmp/allowed"
	sed -n 's/^syscall //p' <<<"$out" | sort -u >"$tmp/used"
	check "the run was seen" test "$(wc -l <"$tmp/used")" -gt 60
	is "the unit's filter lets a run pass" "$(comm -23 "$tmp/used" "$tmp/allowed")" ""
else
	skip "the unit's filter lets a run pass" "there is no strace or systemd-analyze"
fi
finish
