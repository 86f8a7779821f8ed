#!/usr/bin/env bash
# State tables: of one plugin used by another in another process, and those of Falco.
. "$(dirname "$0")/lib.sh"

alerts() {
	grep -o "Informational $1 .*" <<<"$out" | sed 's/^Informational //'
}
rules rules.yaml <<'Y'
- rule: Kit
  desc: d
  condition: kit.num >= 0
  output: "kit %evt.num %owner.hits %owner.own %user.hits %user.seen %user.label %user.size %user.sum %user.threads %user.comm %user.nested %user.error held=%owner.held"
  priority: INFO
  source: kit
Y
expected() {
	local i hits size
	for ((i = 1; i <= $1; i++)); do
		hits=$(((i - 1) / 10 + 1)) size=$((i < 10 ? i : 10))
		echo "kit $i $hits $hits $hits $((hits * 10)) event $i $size $i $i comm-$i $((hits * 10)) owner: hits are not yours to write held="
	done
}
config falco.yaml <<Y
rules_files: [$tmp/rules.yaml]
plugins:
  - {name: kit, library_path: $plugins/plain.so, open_params: "n=57"}
  - {name: owner, library_path: $plugins/table_owner.so, init_config: "again broken"}
  - {name: user, library_path: $plugins/table_user.so}
Y
run_mews run -c "$tmp/falco.yaml" --disable-source syscall
is "exit status" "$rc" 0
is "at each event a table holds what was parsed, for its owner and for others" \
	"$(alerts kit | sed 's/held=.*/held=/')" "$(expected 57)"
check "tables are listed" err_says "tables: threads/4 owner.counts/8"
check "a name that is not known is no error" err_says "unknown table: no ''"
check "another key type is" err_says \
	"wrong key: no 'table in registry accessed with wrong key type: table='threads', requested='string', actual='int64''"
check "fields are listed, with those that were added" err_says \
	"fields: hits/8/1 label/9/0 nested/10/1 user_seen/8/0"
check "the owner's own words are the last error" err_says "unknown field: no 'owner: no field no_such'"
check "a handle is a table_input" err_says "handle: owner.counts/8"
check "a dynamic field of two types" err_says \
	"another type: no 'multiple definitions of dynamic field with different types in struct: container_id, prevtype=string, newtype=uint64'"
check "a dynamic field of type table" err_says "a table field: no 'can't add dynamic field of type table: x'"
check "added twice" err_says "again: 1 'table added to registry multiple times: owner.counts'"
for text in "broken: 1 .*: broken or inconsistent writer vtables" "null: 1 .*: input is null" \
	"plain: 1 .*: extended vtables must all be defined" "nameless: 1 .*: name is null"; do
	check "refused: ${text%%:*}" err_has "$text"
done
check "nothing left" nothing_left

# Who is loaded before sees nothing; what is not released is collected.
config order.yaml <<Y
rules_files: [$tmp/rules.yaml]
plugins:
  - {name: user, library_path: $plugins/table_user.so}
  - {name: kit, library_path: $plugins/plain.so, open_params: "n=3"}
  - {name: owner, library_path: $plugins/table_owner.so}
Y
run_mews run -c "$tmp/order.yaml" --disable-source syscall
check "tables of plugins loaded later are not seen" err_says "tables: threads/4"
is "and not had" "$(alerts kit | cut -d' ' -f 1-5)" "$(for i in 1 2 3; do echo "kit $i 1 1 0"; done)"
config leaks.yaml <<Y
rules_files: [$tmp/rules.yaml]
plugins:
  - {name: kit, library_path: $plugins/plain.so, open_params: "n=300"}
  - {name: owner, library_path: $plugins/table_owner.so}
  - {name: user, library_path: $plugins/table_user.so, init_config: "leaks quiet"}
Y
run_mews run -c "$tmp/leaks.yaml" --disable-source syscall
is "entries need not be released" "$(alerts kit | sed 's/held=.*/held=/' | md5sum)" "$(expected 300 | md5sum)"
check "they are collected" test "$(alerts kit | sed -n '300s/.*held=//p')" -lt 10

# Entries erased and tables cleared by another than their owner.
config tidy.yaml <<Y
rules_files: [$tmp/rules.yaml]
plugins:
  - {name: kit, library_path: $plugins/plain.so, open_params: "n=23"}
  - {name: owner, library_path: $plugins/table_owner.so}
  - {name: user, library_path: $plugins/table_user.so, init_config: "tidy quiet"}
Y
run_mews run -c "$tmp/tidy.yaml" --disable-source syscall
is "a run with a user that tidies" "$rc" 0
check "an entry is erased" err_says "user: erase: yes ''"
check "but once, in the owner's words" err_says "user: erase again: no 'owner: no row 3'"
check "and is not found any more" err_says "user: entry: no 'owner: no row 3'"
check "one of threads, too" err_says "user: erase thread: yes ''"
check "and is not found either" err_has "user: thread: no '"
check "which sizes tell" err_says "sizes: owner.counts 9, threads 19"
check "tables are cleared" err_says "cleared: 0 0"
is "and filled anew" "$(alerts kit | tail -n 1 | cut -d' ' -f 1-4,9)" "kit 23 1 1 3"

# An owner that does not answer, that iterates for ever, that dies.
config slow.yaml <<Y
rules_files: [$tmp/rules.yaml]
plugins:
  - {name: kit, library_path: $plugins/plain.so, open_params: "n=2"}
  - {name: owner, library_path: $plugins/table_owner.so, init_config: "slow"}
  - {name: user, library_path: $plugins/table_user.so, init_config: "quiet"}
Y
run_mews run -c "$tmp/slow.yaml" --disable-source syscall
check "a user of a hung owner goes on" test "$rc" != 124
check "and says so" err_says "which owns the table, did not answer in time"
config endless.yaml <<Y
rules_files: [$tmp/rules.yaml]
plugins:
  - {name: kit, library_path: $plugins/plain.so, open_params: "n=1"}
  - {name: owner, library_path: $plugins/table_owner.so, init_config: "endless"}
  - {name: user, library_path: $plugins/table_user.so, init_config: "quiet"}
Y
run_mews run -c "$tmp/endless.yaml" --disable-source syscall
is "an iteration without end fails, and the run goes on" \
	"$rc $(alerts kit | awk '{print $10}')" "0 999999"
config dies.yaml <<Y
rules_files: [$tmp/rules.yaml]
plugins:
  - {name: kit, library_path: $plugins/plain.so, open_params: "n=3,pause_us=300000"}
  - {name: owner, library_path: $plugins/table_owner.so, init_config: "dies"}
  - {name: user, library_path: $plugins/table_user.so, init_config: "quiet"}
Y
run_mews run -c "$tmp/dies.yaml" --disable-source syscall
check "an owner that dies in a call does not take its user along" err_has "plugin 'owner' crashed"
check "the events come all the same" test "$(grep -c 'Informational kit' <<<"$out")" = 3
check "nothing left" nothing_left
finish
