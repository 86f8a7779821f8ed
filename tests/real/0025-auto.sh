#!/usr/bin/env bash
# A stock falco.yaml, without a word about confinement: each plugin runs under the profile
# that was written for it, with files and ports taken from its entry.
. "$(dirname "$0")/lib.sh"
built_plugin k8saudit
built_plugin json

stock() { # stock NAME OPEN_PARAMS [MORE]
	config falco.yaml <<Y
rules_files: [$real/rules/k8s_audit_rules.yaml]
json_output: true
plugins:
  - name: $1
    library_path: $real/libk8saudit.so
    init_config: {}
    open_params: $2
    ${3:-}
  - {name: json, library_path: $real/libjson.so}
Y
}

counted() {
	grep '^{' <<<"$out" | jq -r .rule | sort | uniq -c | sed 's/^ *//'
}

for name in k8saudit audit; do
	stock $name "$samples/k8saudit"
	run_mews run -c "$tmp/falco.yaml" --enable-source k8s_audit
	is "$name: exit status" "$rc" 0
	is "$name: alerts by rule" "$(counted)" "$(cat "$samples/k8saudit_rules.txt")"
	is "$name: nothing was refused" "$(grep -c refused <<<"$err")" 0
done
check "found by its file's name" err_says "plugin 'audit': profile k8saudit, by its file's name"
check "json: by its name" err_says "plugin 'json': profile json, by its name"

cd "$samples" || exit 1
stock k8saudit ./k8saudit/../k8saudit
run_mews run -c "$tmp/falco.yaml" --enable-source k8s_audit
is "a path from the working directory: alerts by rule" "$(counted)" \
	"$(cat "$samples/k8saudit_rules.txt")"

mkdir -p "$tmp/many"
for ((i = 0; i < 600; i++)); do
	cp "$samples/k8saudit/delete_namespace_foo.json" "$tmp/many/$i.json"
done
chmod -R a+rX "$tmp/many"
stock k8saudit "$tmp/many"
run_mews run -c "$tmp/falco.yaml" --enable-source k8s_audit
is "a folder of 600 files: alerts" "$(counted)" "600 K8s Namespace Deleted"

stock k8saudit "$samples/k8saudit" "sandbox: {profile: pure}"
run_mews run -c "$tmp/falco.yaml" --enable-source k8s_audit -o log_level=debug
is "another profile is asked for: no alerts" "$(grep -c '^{' <<<"$out")" 0
check "as its sandbox says" err_says "plugin 'k8saudit': profile pure, as its sandbox says"
stock k8saudit "$samples/k8saudit" "sandbox: {read: [/no/such/file]}"
run_mews run -c "$tmp/falco.yaml" --enable-source k8s_audit
check "what an operator lists must be there" err_says "/no/such/file"
stock k8saudit /proc
run_mews run -c "$tmp/falco.yaml" --enable-source k8s_audit
check "what no plugin may have is not given" \
	err_says 'open_params: "/proc" is not given to read: it shows every process of the host'

mkdir -p "$tmp/profiles"
printf 'name: mine\nplugins: [k8saudit]\nprofile: file-reader\nread: [%s]\n' \
	"$samples/k8saudit" >"$tmp/profiles/mine.yaml"
chmod -R a+rX "$tmp/profiles"
stock k8saudit "$samples/k8saudit"
run_mews run -c "$tmp/falco.yaml" --enable-source k8s_audit -o "sandbox.profiles_dir=$tmp/profiles"
check "an operator's profile comes before ours" err_says "plugin 'k8saudit': profile mine, by its name"
is "and serves" "$(counted)" "$(cat "$samples/k8saudit_rules.txt")"
printf 'raed: x\n' >>"$tmp/profiles/mine.yaml"
run_mews run -c "$tmp/falco.yaml" -o "sandbox.profiles_dir=$tmp/profiles"
check "a mistake in one: where it is" err_says "mine.yaml:5:7: \"raed\" is no key of a profile"
is "a mistake in one: nothing starts" "$rc" 1
run_mews run -c "$tmp/falco.yaml" -o "sandbox.profiles_dir=/no/such/folder"
check "a folder that is not there" err_says "sandbox.profiles_dir: /no/such/folder"
check "nothing left" nothing_left
finish
