#!/usr/bin/env bash
# Every recorded command line: exit status, standard output, standard error.
. "$(dirname "$0")/lib.sh"
compare runs
