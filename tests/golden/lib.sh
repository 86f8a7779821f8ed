# shellcheck shell=bash
# Sourced by the scripts beside it. Recordings of Falco are read from MEWS_GOLDEN, or from
# a folder beside the project's; without them there is nothing to compare.
. "$(dirname "${BASH_SOURCE[0]}")/../e2e/lib.sh"

golden=${MEWS_GOLDEN:-$root/../shared/golden}
[ -d "$golden" ] || skip_all "no recordings of Falco ($golden); MEWS_GOLDEN names their folder"
command -v python3 >/dev/null || skip_all "no python3"

compare() { # compare GROUP MORE...
	python3 "$root/tests/golden/compare.py" "$1" --golden "$golden" --mews "$mews" \
		--plugins "$plugins" "${@:2}"
	exit
}
