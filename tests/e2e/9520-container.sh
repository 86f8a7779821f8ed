#!/usr/bin/env bash
# The root of the container image, and mews in it as a runtime would start it: an ordinary user
# without capabilities who can make no namespace.
. "$(dirname "$0")/lib.sh"

values=$root/packaging/helm-values.yaml
sed -n '/^falco:/,$p' "$values" | sed '1d;s/^  //' >"$tmp/chart.yaml"
run_mews -c "$tmp/chart.yaml" -o log_stderr=true --version
check "the chart's values are a configuration" err_has 'chart.yaml \| schema validation: ok$'

deb=$(find -L "$built/packaging" -maxdepth 1 -name 'mews_*.deb' 2>/dev/null | head -1)
[ -n "$deb" ] || {
	skip "the image" "//packaging:deb is not built"
	finish
}
[ "$(id -u)" = 0 ] || {
	skip "the image" "this needs root"
	finish
}
image=$tmp/image
check "the image's root" bash "$root/packaging/collect_root.sh" "$deb" "$image"
check "is small ($(du -sm "$image" | cut -f1) MB)" test "$(du -sm "$image" | cut -f1)" -lt 60
is "has no shell" "$(find "$image" -name sh -o -name bash -o -name dash)" ""
is "and is called falco, too" "$(readlink "$image/usr/bin/falco")" mews
install -m 644 "$plugins/plain.so" "$image/usr/share/falco/plugins/libkit.so"
cat >"$image/etc/mews/config.d/kit.yaml" <<'Y'
plugins: [{name: kit, library_path: libkit.so}]
Y
cat >"$image/etc/mews/rules.d/kit.yaml" <<'Y'
- rule: Any
  desc: d
  condition: kit.num = 1
  output: seen %kit.text
  priority: INFO
  source: kit
Y
cat >"$tmp/enter.sh" <<'S'
mount --bind "$1" "$1"
mount -t proc proc "$1/proc"
mount --rbind /dev "$1/dev"
mount -o remount,bind,ro "$1"
mount -t tmpfs tmp "$1/tmp"
mount -t tmpfs -o mode=777 state "$1/var/lib/mews"
mount -t tmpfs -o mode=777 run "$1/run/mews"
# In a chroot no namespace of users can be made, and another user has no capability.
exec chroot --userspec=65532:65532 "$1" /usr/bin/mews run -c /etc/mews/falco.yaml \
	-o webserver.enabled=false --disable-source syscall "${@:2}"
S
in_container() {
	timeout 60 unshare -m -p -f --kill-child bash "$tmp/enter.sh" "$image" "$@" >"$tmp/out" 2>"$tmp/err"
	rc=$?
	out=$(cat "$tmp/out") err=$(cat "$tmp/err")
}
in_container -o sandbox.min_tier=1
if ! grep -q 'Loaded plugin' <<<"$err$out" && grep -qE 'unshare|chroot|mount:' <<<"$err"; then
	skip "mews in it" "this host does not let us: $(head -1 <<<"$err")"
	finish
fi
is "it runs" "$rc" 0
check "alerts" out_has 'Informational seen 1$'
check "and says what is missing" err_says \
	"runs without these layers of confinement: user pid mount net ipc uts cgroup root"
in_container
is "without min_tier nothing is given up silently" "$rc" 1
check "and why" err_says "cannot be confined as tier 3 needs"
finish
