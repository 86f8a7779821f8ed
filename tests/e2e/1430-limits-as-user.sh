#!/usr/bin/env bash
# The same limits when mews runs as an ordinary user.
[ "$(id -u)" = 0 ] || {
	echo "ok 1 - as an ordinary user # SKIP the other scripts are run by one already"
	exit 0
}
MEWS_USER=yes exec bash "$(dirname "$0")/1420-limits.sh"
