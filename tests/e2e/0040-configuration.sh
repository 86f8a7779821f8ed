#!/usr/bin/env bash
# falco.yaml: which plugins, in which order, with what; environment, includes, -o.
. "$(dirname "$0")/lib.sh"

rules any.yaml <<'Y'
- rule: Any
  desc: every event
  condition: evt.num > 0
  output: got %evt.num
  priority: NOTICE
  source: recorder
Y
config falco.yaml <<Y
rules_files: [$tmp/any.yaml]
plugins:
  - name: recorder
    library_path: $plugins/recorder.so
    init_config:
      zulu: 1
      alpha: "yes"
      list: [a, 2, null]
      nested: {b: 1.5, a: text}
    open_params: "  \${WHERE}/to  "
  - name: kit
    library_path: $plugins/plain.so
load_plugins: [recorder]
Y
export WHERE=way
run_mews run -c "$tmp/falco.yaml" --enable-source recorder
check "init_config becomes JSON with keys in byte order" err_says \
	"call init '{\"alpha\":true,\"list\":[\"a\",2,null],\"nested\":{\"a\":\"text\",\"b\":1.5},\"zulu\":1}'"
check "open_params: environment expanded, trimmed" err_says "call open 'way/to'"
! err_has "kit@"
holds "load_plugins selects"
is "alerts" "$(grep -c ': Notice got ' <<<"$out")" 2

run_mews run -c "$tmp/falco.yaml" --enable-source recorder -o 'plugins[0].init_config=plain text' \
	-o plugins[0].open_params=else
check "-o replaces init_config; a scalar goes verbatim" err_says "call init 'plain text'"
check "-o replaces open_params" err_says "call open 'else'"

config both.yaml <<Y
rules_files: [$tmp/any.yaml]
plugins:
  - {name: kit, library_path: $plugins/plain.so, open_params: "n=1"}
  - {name: recorder, library_path: $plugins/recorder.so}
load_plugins: [recorder, kit]
Y
run_mews run -c "$tmp/both.yaml" --disable-source syscall
is "load_plugins orders" \
	"$(grep -o "Loaded plugin '[a-z]*" <<<"$err" | paste -sd,)" "Loaded plugin 'recorder,Loaded plugin 'kit"
check "sources are named in load order" err_says "Loaded event sources: syscall, recorder, kit"

mkdir "$tmp/d"
cat >"$tmp/d/a.yaml" <<Y
plugins:
  - {name: recorder, library_path: $plugins/recorder.so, open_params: included}
json_output: true
Y
config including.yaml <<Y
config_files: [$tmp/d]
rules_files: [$tmp/any.yaml]
Y
chmod -R a+rX "$tmp/d"
run_mews run -c "$tmp/including.yaml" --enable-source recorder
check "config_files are merged" err_says "call open 'included'"
is "JSON from an included key" "$(grep -c '^{.*"rule":"Any"' <<<"$out")" 2

run_mews run -c "$tmp/falco.yaml" --enable-source recorder -o priority=warning
is "priority leaves lesser rules out" "$rc $(grep -c got <<<"$out")" "0 0"
run_mews run -c "$tmp/falco.yaml" --enable-source recorder -o priority=nope
check "an unknown priority is an error" err_says 'Unknown priority "nope"--must be one of'
is "that ends the run" "$rc" 1

run_mews run -c "$tmp/falco.yaml" --enable-source recorder -o log_level=error
! err_has Loaded
holds "log_level silences"

mkdir "$tmp/programs"
install -m 755 "$bin/worker/mews-worker" "$bin/worker/launch/mews-launcher" "$tmp/programs/"
chmod 755 "$tmp/programs"
run_mews run -c "$tmp/falco.yaml" --enable-source recorder -o sandbox.worker_dir="$tmp/programs"
is "sandbox.worker_dir names where the programs are" "$rc" 0
run_mews run -c "$tmp/falco.yaml" --enable-source recorder -o sandbox.worker_dir="$tmp/d"
check "and says when they are not there" \
	err_says "sandbox.worker_dir: there is no program mews-launcher in $tmp/d"

run_mews run -c "$tmp/falco.yaml" --enable-source recorder -o sandbox.evaluator=fast
fast=$(grep ': Notice got ' <<<"$out")
run_mews run -c "$tmp/falco.yaml" --enable-source recorder -o sandbox.evaluator=plain
is "sandbox.evaluator: the plain one says the same" "$(grep ': Notice got ' <<<"$out")" "$fast"
run_mews run -c "$tmp/falco.yaml" --enable-source recorder -o sandbox.evaluator=other
check "and another one is not known" err_says "sandbox.evaluator"
finish
