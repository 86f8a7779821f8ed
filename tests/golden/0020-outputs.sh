#!/usr/bin/env bash
# Every recorded output string: its alerts as JSON and as text, or the error.
. "$(dirname "$0")/lib.sh"
compare outputs
