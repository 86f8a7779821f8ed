# shellcheck shell=bash
# Sourced by run.sh and test.sh: installs what is missing, by apt, as root or with sudo
# for this step alone. Says nothing when all is there.
# shellcheck disable=SC2034 # who sources it uses the lists

build_packages="bazel-bootstrap bazel-platforms bazel-rules-java bazel-rules-proto bazel-skylib
	gcc g++ libc6-dev binutils libseccomp-dev protobuf-c-compiler libprotobuf-c-dev libevent-dev libssl-dev
	libyaml-dev libre2-dev libcurl4-openssl-dev libjansson-dev zlib1g-dev libcmocka-dev scdoc"
test_packages="python3 clang clang-format shellcheck jq procps util-linux strace curl gdb afl++ openssl"

install_packages() {
	local missing=() name
	for name in "$@"; do
		dpkg-query -W -f='${Status}' "$name" 2>/dev/null | grep -q 'ok installed' ||
			missing+=("$name")
	done
	[ ${#missing[@]} -eq 0 ] && return 0
	local as_root=()
	if [ "$(id -u)" -ne 0 ]; then
		if ! command -v sudo >/dev/null; then
			echo "missing packages: ${missing[*]}" >&2
			echo "install them (apt-get install ${missing[*]}), or run this as root once" >&2
			return 1
		fi
		as_root=(sudo)
	fi
	echo "installing: ${missing[*]}"
	"${as_root[@]}" apt-get update -qq &&
		"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq \
			--no-install-recommends "${missing[@]}" >/dev/null
}
