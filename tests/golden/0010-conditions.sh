#!/usr/bin/env bash
# Every recorded condition: the events it matches, or the error that refuses it.
. "$(dirname "$0")/lib.sh"
compare conditions
