#!/usr/bin/env bash
# The file-reader profile reads what its policy names, and nothing beside it.
. "$(dirname "$0")/lib.sh"

mkdir -p "$tmp/data/deep" "$tmp/secret"
printf 'one\ntwo\nthree\n' >"$tmp/data/lines"
cp "$tmp/data/lines" "$tmp/data/deep/lines"
printf 'secret\n' >"$tmp/secret/lines"
ln -s "$tmp/secret/lines" "$tmp/data/link"
ln -s ../secret/lines "$tmp/data/dots"
chmod -R a+rX "$tmp/data" "$tmp/secret"
rules rules.yaml <<'Y'
- rule: Line
  desc: d
  condition: file.text exists
  output: line %file.text
  priority: INFO
  source: file
Y

reads() { # PATH READ PROFILE
	config falco.yaml <<Y
rules_files: [$tmp/rules.yaml]
plugins:
  - name: file
    library_path: $plugins/file_source.so
    open_params: $1
    sandbox: {profile: ${3:-file-reader}, read: [$2]}
Y
	run_mews run -c "$tmp/falco.yaml" --enable-source file
	lines=$(grep -o 'line [a-z]*' <<<"$out" | paste -sd' ')
}

reads "$tmp/data/lines" "$tmp/data/lines"
is "a file that is named" "$rc $lines" "0 line one line two line three"
reads "$tmp/data/lines" "$tmp/data"
is "a file of a folder that is named" "$rc $lines" "0 line one line two line three"
reads "$tmp/data/deep/lines" "$tmp/data"
is "a file deep in it" "$rc $lines" "0 line one line two line three"

refused() { # NAME PATH READ
	reads "$2" "$3"
	check "$1: not read" test -z "$lines"
	[ "$rc" -ne 0 ] && [ "$rc" -lt 124 ]
	holds "$1: an error"
	check "$1: the plugin's words" err_says "cannot read $2"
	check "$1: nothing left" nothing_left
}

refused "another file" "$tmp/secret/lines" "$tmp/data"
refused "the way up" "$tmp/data/../secret/lines" "$tmp/data"
refused "an absolute link out of the folder" "$tmp/data/link" "$tmp/data"
refused "a relative link out of the folder" "$tmp/data/dots" "$tmp/data"
refused "the host's passwords" /etc/shadow "$tmp/data"
refused "the process's own files" /proc/self/status "$tmp/data"

config falco.yaml <<Y
rules_files: [$tmp/rules.yaml]
plugins:
  - {name: file, library_path: $plugins/file_source.so, open_params: "$tmp/data/lines"}
Y
run_mews run -c "$tmp/falco.yaml" --enable-source file
check "by default nothing is read" test "$rc" -ne 0
[ "$(grep -F "$tmp/data/lines" <<<"$err" | grep -c "file.*read: ")" = 1 ]
holds "the denial is one line that names plugin and file"
reads "$tmp/nowhere" "$tmp/nowhere"
[ "$rc" -ne 0 ] && err_says "$tmp/nowhere"
holds "a path that is not there is an error that names it"
finish
