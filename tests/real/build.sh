#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Builds the real plugins into out/lib<name>.so, gathers the rules they come with in
# out/rules/, and builds stand-ins of the services they talk to into out/<name>. Says one line per plugin: built, up to date, skipped and why, or FAILED.
# Skipping is no failure: only a build that broke makes the exit status 1.
#
# JOBS=N   compile N packages at a time (1 unless told)
set -eu
cd "$(dirname "$0")"

jobs=${JOBS:-1}
go_flags="-mod=readonly -trimpath -buildvcs=false"
cargo_flags="--release --locked"
failed=0

# What the user has set for other projects must not change what is built here, and a
# toolchain that is too old is a reason to skip, not to download another.
export GOFLAGS='' GOWORK=off GOTOOLCHAIN=local CGO_ENABLED=1

# How go and cargo word it when they cannot get at what the lock files name.
no_network='dial tcp|i/o timeout|TLS handshake timeout|GOPROXY=off|resolve host|connect to server|Timeout was reached|--offline'

report() { # NAME WORDS
	printf '%-12s %s\n' "$1" "$2"
}

older() { # VERSION THAN
	[ "$(printf '%s\n' "$1" "$2" | sort -V | head -n 1)" != "$2" ]
}

why_no_go() {
	if ! have=$(cd / && go env GOVERSION 2>/dev/null); then
		echo "no go"
		return
	fi
	want=$(sed -n 's/^go //p' go.mod)
	cc=$(cd / && go env CC)
	if older "${have#go}" "$want"; then
		echo "go $want is needed, this is ${have#go}"
	elif ! command -v "${cc%% *}" >/dev/null; then
		echo "no C compiler, which cgo needs"
	fi
}

why_no_cargo() { # CRATE
	if ! cargo --version >/dev/null 2>&1; then
		echo "no cargo"
		return
	fi
	have=$(rustc --version | cut -d ' ' -f 2)
	want=$(sed -n 's/^rust-version = "\([^"]*\)".*/\1/p' "$1/Cargo.toml")
	if older "$have" "$want"; then
		echo "rust $want is needed, this is $have"
	elif ! command -v cc >/dev/null; then
		echo "no C compiler, which rustc links with"
	fi
}

# A library is up to date when it was made from these very files with this toolchain.
key() { # WORDS FILE...
	words=$1
	shift
	{ echo "$words" && cat "$@"; } | sha256sum
}

build() { # NAME FILE KEY COMMAND...: the command leaves out/tmp/FILE
	name=$1 file=$2 key=$3
	shift 3
	if [ -e "out/$file" ] && [ "$(cat "out/stamps/$name" 2>/dev/null)" = "$key" ]; then
		report "$name" "up to date"
		return
	fi
	rm -f "out/$file" "out/stamps/$name"
	if "$@" >"out/logs/$name" 2>&1; then
		mv "out/tmp/$file" "out/$file"
		echo "$key" >"out/stamps/$name"
		report "$name" "built"
	elif grep -Eq -e "$no_network" "out/logs/$name"; then
		report "$name" "skipped: a dependency is not on this machine and cannot be fetched"
	else
		report "$name" "FAILED, see $PWD/out/logs/$name"
		tail -n 20 "out/logs/$name" >&2
		failed=1
	fi
}

copy_rules() { # FOLDER
	for rules in "$1"/rules/*.yaml "$1"/*_rules.yaml; do
		if [ -e "$rules" ]; then
			install -m 644 "$rules" out/rules/ || return
		fi
	done
}

go_plugin() { # NAME
	# shellcheck disable=SC2086 # the flags are several words
	go build $go_flags -buildmode=c-shared -p "$jobs" -o "out/tmp/lib$1.so" "./plugins/$1" &&
		go list -mod=readonly -deps -f \
			'{{with .Module}}{{if not (or .Main .Indirect)}}{{.Dir}}{{end}}{{end}}' \
			"./plugins/$1" >out/tmp/folders || return
	sort -u out/tmp/folders | while IFS= read -r folder; do
		copy_rules "$folder" || exit
	done
}

go_service() { # NAME
	# shellcheck disable=SC2086 # here too
	go build $go_flags -p "$jobs" -o "out/tmp/$1" "./services/$1"
}

rust_plugin() { # NAME CRATE
	# shellcheck disable=SC2086 # here too
	cargo build $cargo_flags --jobs "$jobs" --target-dir out/cargo \
		--manifest-path "$2/Cargo.toml" &&
		cp "out/cargo/release/lib$1.so" out/tmp/ &&
		copy_rules "$2"
}

mkdir -p out/rules out/stamps out/logs out/tmp
exec 9>out/lock
flock 9

why=$(why_no_go)
for main in plugins/*/main.go services/*/main.go; do
	folder=$(dirname "$main") name=$(basename "$(dirname "$main")")
	if [ -n "$why" ]; then
		report "$name" "skipped: $why"
		continue
	fi
	case $folder in
	plugins/*) file=lib$name.so what=go_plugin ;;
	*) file=$name what=go_service ;;
	esac
	build "$name" "$file" \
		"$(key "$(go version) $go_flags" go.mod go.sum register/*.go register/fields/*.go "$folder"/*.go)" "$what" "$name"
done

for manifest in rust_*/Cargo.toml; do
	crate=$(dirname "$manifest")
	name=$(sed -n '/^name = /{s/.*"\(.*\)".*/\1/p;q}' "$manifest")
	why=$(why_no_cargo "$crate")
	if [ -n "$why" ]; then
		report "$name" "skipped: $why"
	else
		# shellcheck disable=SC2046 # no folder here has a blank in its name
		build "$name" "lib$name.so" "$(key "$(rustc --version) $cargo_flags" "$manifest" "$crate/Cargo.lock" \
			$(find "$crate" \( -path '*/src/*' -o -path '*/rules/*' \) -type f | sort))" rust_plugin "$name" "$crate"
	fi
done

exit "$failed"
