#!/usr/bin/env bash
# Every recorded rules file: accepted or not, diagnostics, description.
. "$(dirname "$0")/lib.sh"
compare rulesfiles
