#!/usr/bin/env bash
# Bad input gets one clear error and a non-zero exit, and leaves nothing half-started.
. "$(dirname "$0")/lib.sh"

rules none.yaml <<'Y'
[]
Y

# refused NAME WORDS ARGS...: mews fails, its last words are "Error: …" or an own line with
# WORDS (a pattern), no alert, nothing left running.
refused() {
	local name=$1 words=$2
	shift 2
	run_mews "$@"
	if [ "$rc" = 0 ] || [ "$rc" -ge 124 ]; then
		fail "$name: exit status $rc"
	elif ! err_has "$words"; then
		fail "$name: says /$words/"
	elif [ "$(grep -cE '^(Error|Runtime error|.*: Runtime error): ' <<<"$err")" -gt 1 ]; then
		fail "$name: one error"
	elif ! nothing_left; then
		fail "$name: leaves nothing running"
	else
		pass "$name"
	fi
}

# plugin_refused NAME WORDS LIBRARY [LINES of the entry]
plugin_refused() {
	config bad.yaml <<Y
rules_files: [$tmp/none.yaml]
plugins:
  - name: bad
    library_path: $3
${4:-}
Y
	refused "$1" "$2" run -c "$tmp/bad.yaml" --disable-source syscall
}

# -- configuration

refused "a missing configuration" "Could not find configuration file at $tmp/nothing.yaml" \
	run -c "$tmp/nothing.yaml"
printf 'plugins: [\n' >"$tmp/broken.yaml"
refused "a broken configuration" "Cannot read config file \\($tmp/broken.yaml\\)" \
	run -c "$tmp/broken.yaml"
printf 'plugins:\n  - {name: x}\n' >"$tmp/nopath.yaml"
refused "a plugin without a path" 'could not load plugins config' run -c "$tmp/nopath.yaml"
if [ "$(id -u)" != 0 ]; then
	install -m 000 /dev/null "$tmp/unreadable.yaml"
	refused "an unreadable configuration" "$tmp/unreadable.yaml" run -c "$tmp/unreadable.yaml"
fi
config unknown.yaml <<Y
plugins:
  - {name: kit, library_path: $plugins/plain.so}
load_plugins: [nobody]
Y
refused "a plugin that is not configured" \
	"Cannot load plugin 'nobody': plugin config not found for given name" \
	run -c "$tmp/unknown.yaml"
refused "an unknown option" "Option .nosuch. does not exist" run --nosuch
config nothing.yaml <<Y
rules_files: [$tmp/none.yaml]
plugins:
  - {name: kit, library_path: $plugins/plain.so}
stdout_output: {enabled: false}
Y
sed -i '0,/stdout_output: {enabled: true}/{/stdout_output: {enabled: true}/d}' "$tmp/nothing.yaml"
refused "no output at all" "No output configured" run -c "$tmp/nothing.yaml" --enable-source kit

# -- the library

plugin_refused "a library that is not there" "can't load plugin dynamic library|No such file" /nonexistent.so
plugin_refused "a shared object that is no plugin" \
	"plugin_get_required_api_version symbol not implemented|not a plugin" "$plugins/not_a_plugin.so"
head -c 100 "$plugins/plain.so" >"$tmp/cut.so"
plugin_refused "a file that is cut off" "cut\\.so" "$tmp/cut.so"
head -c 10000 /dev/urandom >"$tmp/noise.so"
plugin_refused "a file of noise" "noise\\.so" "$tmp/noise.so"
: >"$tmp/empty.so"
plugin_refused "an empty file" "empty\\.so" "$tmp/empty.so"
mkdir "$tmp/folder.so"
plugin_refused "a folder" "folder\\.so" "$tmp/folder.so"
mkfifo "$tmp/fifo.so"
plugin_refused "a named pipe" "fifo\\.so" "$tmp/fifo.so"
cp "$plugins/plain.so" "$tmp/aarch64.so"
printf '\xb7\x00' | dd of="$tmp/aarch64.so" bs=1 seek=18 conv=notrunc status=none
plugin_refused "another architecture" "aarch64\\.so.*(architecture|machine)|(architecture|machine).*aarch64\\.so" "$tmp/aarch64.so"
cp "$plugins/plain.so" "$tmp/elf32.so"
printf '\x01' | dd of="$tmp/elf32.so" bs=1 seek=4 conv=notrunc status=none
plugin_refused "a 32-bit library" "elf32\\.so" "$tmp/elf32.so"
cp "$plugins/plain.so" "$tmp/sections.so"
printf '\xff\xff\xff\xff\xff\xff\xff\xff' | dd of="$tmp/sections.so" bs=1 seek=32 conv=notrunc status=none
plugin_refused "program headers beyond the file" "sections\\.so" "$tmp/sections.so"
plugin_refused "a program, not a library" "mews" "$mews"

# -- what the library says

plugin_refused "an older major version of the API" \
	"plugin required API version '2.0.0' not compatible with the framework's API version '3.12.0': major versions disagree" \
	"$plugins/api_major.so"
plugin_refused "a newer minor version of the API" \
	"plugin required API version '3.99.0' not compatible .*: framework's minor is less than the requested one" \
	"$plugins/api_newer.so"
plugin_refused "an API version in words" \
	"plugin provided an invalid required API version: 'three'" "$plugins/api_words.so"
plugin_refused "a version in words" \
	"plugin provided an invalid version string: 'latest'" "$plugins/version_words.so"
plugin_refused "no API version" \
	"plugin_get_required_api_version symbol not implemented" \
	"$plugins/without_get_required_api_version.so"
for symbol in get_version get_name get_description get_contact init destroy get_last_error; do
	plugin_refused "no plugin_$symbol" \
		"required symbol not implemented: 'plugin_$symbol'|required symbol not implemented: '$symbol'" \
		"$plugins/without_$symbol.so"
done
plugin_refused "open without close" \
	"broken plugin capabilities: must implement all of 'plugin_open', 'plugin_close', and 'plugin_next_batch' \\(event sourcing\\)" \
	"$plugins/without_close.so"
plugin_refused "open without next_batch" \
	"must implement all of 'plugin_open', 'plugin_close', and 'plugin_next_batch'" \
	"$plugins/without_next_batch.so"
plugin_refused "a source without an id" \
	"must implement both 'plugin_get_id' and 'plugin_get_event_source' or neither \\(event sourcing\\)" \
	"$plugins/without_get_id.so"
plugin_refused "extraction without fields" \
	"must implement both 'plugin_get_fields' and 'plugin_extract_fields' \\(field extraction\\)" \
	"$plugins/without_get_fields.so"
plugin_refused "nothing that it could do" "plugin does not implement any capability" \
	"$plugins/without_capability.so"
plugin_refused "the reserved source" "plugin can't implement the reserved event source 'syscall'" \
	"$plugins/reserved_source.so"

# -- what it does

plugin_refused "init fails" "could not initialize plugin: the key of the backend is missing" \
	"$plugins/init_fails.so"
plugin_refused "a constructor that crashes" "bad|fault" "$plugins/fault_crash_constructor.so"
plugin_refused "a constructor that exits" "bad|fault" "$plugins/fault_exit_constructor.so"
plugin_refused "a constructor that never ends" "(deadline|in time|time)" \
	"$plugins/fault_hang_constructor.so" "    sandbox: {deadlines: {init: 1s}}"
plugin_refused "an init that crashes" "bad|fault" "$plugins/fault_crash_init.so"
plugin_refused "an init that exits" "bad|fault" "$plugins/fault_exit_init.so"
plugin_refused "an init that never ends" "(deadline|in time|time)" \
	"$plugins/fault_hang_init.so" "    sandbox: {deadlines: {init: 1s}}"
plugin_refused "a configuration that is no JSON" "init config is not a valid json" \
	"$plugins/schema.so" "    init_config: 'port'"
plugin_refused "a configuration without a required key" "error in plugin schema init config: " \
	"$plugins/schema.so" "    init_config: {}"
plugin_refused "a configuration with a wrong type" "error in plugin schema init config: In " \
	"$plugins/schema.so" "    init_config: {port: many}"
plugin_refused "a configuration out of range" "error in plugin schema init config: In " \
	"$plugins/schema.so" "    init_config: {port: 70000}"

# -- several plugins

# pair_refused NAME WORDS LIBRARY LIBRARY
pair_refused() {
	config pair.yaml <<Y
rules_files: [$tmp/none.yaml]
plugins:
  - {name: one, library_path: $3}
  - {name: two, library_path: $4}
Y
	refused "$1" "$2" run -c "$tmp/pair.yaml" --disable-source syscall
}

pair_refused "two plugins of one name" \
	"cannot register plugin .* in inspector: found another plugin with name kit. Aborting." \
	"$plugins/plain.so" "$plugins/same_name.so"
pair_refused "two plugins of one id" \
	"cannot register plugin .* in inspector: found another plugin with ID 4242. Aborting." \
	"$plugins/plain.so" "$plugins/same_id.so"
pair_refused "overlapping fields" \
	"Plugin 'extractor' supports extraction of field 'kit.num' that is overlapping for source 'kit'" \
	"$plugins/plain.so" "$plugins/extractor_overlap.so"
pair_refused "a plugin that nothing uses" \
	"Plugin 'extractor' is loaded but unused as not compatible with any known event source" \
	"$plugins/plain.so" "$plugins/extractor_unused.so"

config two.yaml <<Y
rules_files: [$tmp/none.yaml]
plugins:
  - {name: kit, library_path: $plugins/plain.so, open_params: "n=1"}
  - {name: rival, library_path: $plugins/same_source.so, open_params: "n=1"}
Y
run_mews run -c "$tmp/two.yaml" --enable-source kit
check "two plugins for one source: the first is used, with a warning" err_says \
	"Enabled event source 'kit' can be opened with multiple loaded plugins, will use only 'kit'"

# -- rules

config good.yaml <<Y
plugins:
  - {name: kit, library_path: $plugins/plain.so, open_params: "n=1"}
Y
rules mistakes.yaml <<'Y'
- rule: One
  desc: d
  condition: kit.nope = 1
  output: o
  priority: INFO
  source: kit
- rule: Two
  desc: d
  condition: kit.num = = 1
  output: o
  priority: INFO
  source: kit
- rule: Three
  desc: d
  condition: kit.num = 1
  output: o
  priority: URGENT
  source: kit
- rule: Four
  desc: d
  condition: kit.num = 1
  output: "%kit.nope"
  priority: INFO
  source: kit
Y
refused "rules with mistakes" "mistakes.yaml" run -c "$tmp/good.yaml" -r "$tmp/mistakes.yaml"
for mistake in "nonexistent field kit.nope" "rule 'Two'" "Invalid priority"; do
	check "every mistake is reported: $mistake" err_says "$mistake"
done
rules older.yaml <<'Y'
- required_plugin_versions:
  - {name: kit, version: 9.0.0}
Y
refused "a plugin that is too old for the rules" \
	"Plugin 'kit' version '0.1.0' is not compatible|kit.*9\\.0\\.0" \
	run -c "$tmp/good.yaml" -r "$tmp/older.yaml" --enable-source kit
rules absent.yaml <<'Y'
- required_plugin_versions:
  - {name: absent, version: 0.1.0}
Y
refused "a required plugin that is not loaded" "absent" \
	run -c "$tmp/good.yaml" -r "$tmp/absent.yaml" --enable-source kit
refused "a rules file that is not there" "Could not open file $tmp/nowhere.yaml for reading" \
	run -c "$tmp/good.yaml" -r "$tmp/nowhere.yaml"
rules other.yaml <<'Y'
- rule: Elsewhere
  desc: d
  condition: x.y = 1
  output: o
  priority: INFO
  source: elsewhere
Y
run_mews run -c "$tmp/good.yaml" -r "$tmp/other.yaml" --enable-source kit
is "a rule for a source that is not loaded is left out" "$rc" 0
run_mews -c "$tmp/good.yaml" -V "$tmp/other.yaml"
out_has LOAD_UNKNOWN_SOURCE || err_has LOAD_UNKNOWN_SOURCE
holds "and validation warns of it"
refused "a source that nobody has" "Attempted enabling an unknown event source: nope" \
	run -c "$tmp/good.yaml" --enable-source nope

# -- the sandbox block

plugin_refused "an unknown profile" "omnipotent" "$plugins/plain.so" \
	"    sandbox: {profile: omnipotent}"
plugin_refused "an unknown key" "allow_all" "$plugins/plain.so" "    sandbox: {allow_all: true}"
plugin_refused "a limit that is no amount" "lots" "$plugins/plain.so" \
	"    sandbox: {limits: {memory: lots}}"
plugin_refused "a relative path" "etc/passwd" "$plugins/plain.so" \
	"    sandbox: {profile: file-reader, read: [etc/passwd]}"
finish
