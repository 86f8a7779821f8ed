#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares mews with recordings of Falco, through the real binary and confined workers.

compare.py conditions|outputs|runs|rulesfiles|k8saudit --golden DIR --mews FILE --plugins DIR
prints TAP: one line per group of cases, with the number that agree; differing cases are
listed below it as comments. Exit status 1 when something differs that
tests/golden/differences.txt does not name with a reason.
"""
import argparse
import collections
import json
import os
import re
import socket
import subprocess
import sys
import tempfile

SHOWN = 25  # differing cases that are printed per group


def read_lines(path):
    with open(path, encoding="utf-8") as f:
        return [json.loads(line) for line in f]


def known_differences(group):
    """Cases that are meant to differ: lines "group<TAB>case<TAB>reason"."""
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "differences.txt")
    found = {}
    with open(path, encoding="utf-8") as f:
        for line in f:
            parts = line.rstrip("\n").split("\t")
            if len(parts) == 3 and parts[0] == group:
                found[json.loads(parts[1])] = parts[2]
    return found


class Report:
    """Counts what agrees; keeps what does not."""

    def __init__(self, group):
        self.group, self.known = group, known_differences(group)
        self.agree, self.differ, self.meant = 0, [], 0

    def case(self, name, wanted, got):
        if wanted == got:
            self.agree += 1
        elif name in self.known:
            self.meant += 1
        else:
            self.differ.append((name, wanted, got))

    def finish(self, number):
        total = self.agree + self.meant + len(self.differ)
        what = f"{self.group}: {self.agree} of {total} agree"
        if self.meant:
            what += f", {self.meant} differ on purpose"
        print(f"{'not ok' if self.differ or not total else 'ok'} {number} - {what}")
        for name, wanted, got in self.differ[:SHOWN]:
            print(f"# {json.dumps(name)[:300]}")
            print(f"#   Falco: {json.dumps(wanted, ensure_ascii=False)[:600]}")
            print(f"#   mews:  {json.dumps(got, ensure_ascii=False)[:600]}")
        if len(self.differ) > SHOWN:
            print(f"# and {len(self.differ) - SHOWN} more")
        return not self.differ and total > 0


class Mews:
    """The program under test with a configuration that loads the golden source."""

    def __init__(self, args, folder):
        self.program, self.folder = args.mews, folder
        self.library = os.path.join(args.plugins, "golden.so")
        self.conf = os.path.join(folder, "falco.yaml")
        with open(self.conf, "w", encoding="utf-8") as f:
            f.write(
                "plugins:\n"
                f"  - {{name: golden, library_path: {self.library}}}\n"
                "log_stderr: true\nlog_syslog: false\nstdout_output: {enabled: true}\n"
                "webserver: {enabled: false}\nwatch_config_files: false\n"
            )

    def run(self, arguments, conf=None):
        env = dict(os.environ, TZ="UTC")
        env.pop("FALCO_HOSTNAME", None)
        try:
            done = subprocess.run(
                [self.program, "-c", conf or self.conf] + arguments,
                capture_output=True, timeout=60, env=env, check=False)
        except subprocess.TimeoutExpired as late:
            return (None, (late.stdout or b"").decode("utf-8", "replace"),
                    "did not end within a minute")
        return (done.returncode, done.stdout.decode("utf-8", "replace"),
                done.stderr.decode("utf-8", "replace"))

    def file(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        return path


def quoted(text):
    """A double-quoted YAML scalar; JSON's are a subset."""
    return json.dumps(text, ensure_ascii=False)


def rule(name, condition, output, more=""):
    return (f"- rule: {name}\n  desc: d\n  condition: {quoted(condition)}\n"
            f"  output: {quoted(output)}\n  priority: INFO\n  source: golden\n{more}")


def load_results(mews, path):
    """What -V says of a file: the one result object."""
    rc, out, err = mews.run(["-V", path, "-o", "json_output=true"])
    for line in out.split("\n"):
        if line.startswith("{"):
            return rc, json.loads(line)["falco_load_results"][-1]
    return rc, {"errors": [{"code": "NO JSON", "message": err[-300:]}], "warnings": []}


def conditions(args, mews, report_of):
    cases = read_lines(os.path.join(args.golden, "conditions.jsonl"))
    with open(os.path.join(args.golden, "prelude.yaml"), encoding="utf-8") as f:
        prelude = f.read()

    # All that Falco accepts, in runs of many rules; one that mews refuses is taken out of
    # its run and counts as a difference.
    matches, errors = report_of("conditions that match"), report_of("conditions that are refused")
    good = [c for c in cases if c["ok"]]
    for start in range(0, len(good), 200):
        part = list(enumerate(good[start:start + 200]))
        while part:
            path = mews.file("rules.yaml", prelude + "".join(
                rule(f"r{i}", c["condition"], "m %evt.num") for i, c in part))
            rc, out, err = mews.run(["-r", path, "--enable-source", "golden", "-o",
                                     "rule_matching=all", "-o", "json_output=true"])
            refused = {int(n) for n in re.findall(r"rule 'r(\d+)'", err)} if rc else set()
            if not refused or not any(i in refused for i, _ in part):
                break
            for i, c in part:
                if i in refused:
                    matches.case(c["condition"], c.get("match"), {"refused": first_error(err, i)})
            part = [(i, c) for i, c in part if i not in refused]
        found = collections.defaultdict(list)
        for line in out.split("\n"):
            if line.startswith("{"):
                alert = json.loads(line)
                found[alert["rule"]].append(alert["output_fields"]["evt.num"])
        for i, c in part:
            got = found[f"r{i}"] if rc == 0 else {"rc": rc, "stderr": err[-300:]}
            # Where Falco itself ends, no match is right.
            matches.case(c["condition"], c.get("match", []), got)

    bad = [c for c in cases if not c["ok"]]
    for c in bad:
        path = mews.file("bad.yaml", prelude + rule("r", c["condition"], "m %evt.num"))
        _, result = load_results(mews, path)
        got = [{"code": e["code"], "message": e["message"]} for e in result["errors"]]
        errors.case(c["condition"], [same_meaning(c["error"])], [same_meaning(e) for e in got])

    warned = report_of("conditions with warnings")
    for c in good:
        if not c.get("warnings"):
            continue
        path = mews.file("warned.yaml", prelude + rule("r", c["condition"], "m %evt.num"))
        _, result = load_results(mews, path)
        # The recordings leave out what is unused in the prelude.
        warned.case(c["condition"], sorted(c["warnings"]),
                    sorted(f"{w['code']}: {w['message']}" for w in result["warnings"]
                           if not w["code"].startswith("LOAD_UNUSED_")))
    return [matches, errors, warned]


def first_error(err, i):
    at = err.find(f"rule 'r{i}'")
    return err[at:at + 400]


def same_meaning(error):
    """Wordings of libraries (YAML parser) need only mean the same."""
    if error["code"] == "LOAD_ERR_YAML_PARSE":
        return {"code": error["code"]}
    return {"code": error["code"], "message": error["message"]}


def alerts_of(out):
    return [line for line in out.split("\n")
            if line.startswith("{") or re.match(r"^\d\d:\d\d:\d\d\.\d{9}: ", line)]


def without_host(line):
    alert = json.loads(line)
    alert.pop("hostname", None)
    return alert


def outputs(args, mews, report_of):
    as_json, as_text, refused = (report_of("outputs as JSON"), report_of("outputs as text"),
                                 report_of("outputs that are refused"))
    for c in read_lines(os.path.join(args.golden, "outputs.jsonl")):
        path = mews.file("rules.yaml", rule("r0", "evt.num < 18", c["output"]))
        if "error" in c:
            _, result = load_results(mews, path)
            refused.case(c["output"], c["error"],
                         [f"{e['code']}: {e['message']}" for e in result["errors"]])
            continue
        run = ["-r", path, "--enable-source", "golden"]
        _, out, err = mews.run(run + ["-o", "json_output=true"])
        as_json.case(c["output"], c["json"],
                     [without_host(line) for line in alerts_of(out)] or err[-300:])
        _, out, err = mews.run(run)
        as_text.case(c["output"], c["text"], alerts_of(out) or err[-300:])
    return [as_json, as_text, refused]


LOG_TIME = re.compile(r"^(?:[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \d{4}"
                      r"|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+0000): ", re.M)
# Lines that name what differs by nature: versions, schema checks, the kernel's engine,
# what confinement adds to the log.
NOT_COMPARED = re.compile(
    r"TIME: (?:Falco version: |\[libs\]: Trying to open|mews |sandbox: |\[sandbox\])")


def masked(text, paths):
    for path, word in paths:
        text = text.replace(path, word)
    text = LOG_TIME.sub("TIME: ", text)
    text = re.sub(r"Elapsed time: .*, Captured", "Elapsed time: T, Captured", text)
    text = re.sub(r"[\d.]+ eps$", "N eps", text, flags=re.M)
    text = re.sub(r" \| schema validation: .*", " | schema validation: ok", text)
    return "\n".join(line for line in text.split("\n") if not NOT_COMPARED.match(line))


def masked_stdout(text, arguments):
    if "--version" in arguments:
        return re.sub(r'("?[A-Za-z_ ]*(?:[Vv]ersion|[Dd]river)"?: *)"?[\w.+-]+"?', r"\1V", text)
    return unordered(text)


def unordered(text):
    """Arrays of a description come in no fixed order."""
    lines = []
    for line in text.split("\n"):
        if line.startswith('{"lists"') or '"condition_compiled"' in line:
            line = json.dumps(sort_arrays(json.loads(line)), sort_keys=True)
        lines.append(line)
    return "\n".join(lines)


def sort_arrays(value):
    if isinstance(value, dict):
        return {k: sort_arrays(v) for k, v in value.items()}
    if isinstance(value, list):
        return sorted((sort_arrays(v) for v in value), key=lambda v: json.dumps(v, sort_keys=True))
    return value


def runs(args, mews, report_of):
    report = report_of("command lines")
    with open(os.path.join(args.golden, "run_rules.yaml"), encoding="utf-8") as f:
        rules_path = mews.file("run_rules.yaml", f.read())
    with open(os.path.join(args.golden, "run.yaml"), encoding="utf-8") as f:
        conf = f.read().replace("RULES", rules_path).replace("LIB", mews.library)
    conf_path = mews.file("run.yaml", conf)
    paths = [(conf_path, "CONF"), (rules_path, "RULES"), (mews.library, "LIB"),
             (socket.gethostname(), "HOST")]
    for c in read_lines(os.path.join(args.golden, "runs.jsonl")):
        arguments = [rules_path if a == "RULES" else a for a in c["args"]]
        conf_used = conf_path
        if arguments[:1] == ["-c"]:
            conf_used, arguments = arguments[1], arguments[2:]
        rc, out, err = mews.run(arguments, conf_used)
        wanted = {"rc": c["rc"], "stdout": masked_stdout(c["stdout"], c["args"]),
                  "stderr": masked(c["stderr"], [])}
        got = {"rc": rc, "stdout": masked_stdout(masked(out, paths[:3]).replace(
            f'"hostname":"{socket.gethostname()}"', '"hostname":"HOST"'), c["args"]),
               "stderr": masked(err, paths)}
        differing = {k for k in wanted if wanted[k] != got[k]}
        report.case(" ".join(c["args"]), {k: wanted[k] for k in differing} or None,
                    {k: got[k] for k in differing} or None)
    return [report]


def rulesfiles(args, mews, report_of):
    verdict, says, described = (report_of("rules files: accepted or not"),
                                report_of("rules files: errors and warnings"),
                                report_of("rules files: descriptions"))
    for number, c in enumerate(read_lines(os.path.join(args.golden, "rulesfiles.jsonl"))):
        path = mews.file("file.yaml", c["yaml"])
        rc, out, err = mews.run(["-V", path, "-L", "-o", "json_output=true"])
        line = next((x for x in out.split("\n") if x.startswith("{")), "{}")
        got = json.loads(line)
        result = (got.get("falco_load_results") or [{}])[-1]
        name = f"line {number + 1}"
        verdict.case(name, [c["rc"], c["successful"]], [rc, result.get("successful")])
        says.case(name, [flat(x) for x in (c["errors"], c["warnings"])],
                  [flat(recorded(result.get(k, []))) for k in ("errors", "warnings")])
        if "describe" in c:
            described.case(name, sort_arrays(c["describe"]),
                           sort_arrays(got.get("falco_describe_results")))
    return [verdict, says, described]


def recorded(items):
    """Diagnostics as mews prints them, in the recordings' shape."""
    result = []
    for e in items:
        context = e.get("context", {})
        locations = [[at.get("item_type"), at.get("item_name"),
                      at["position"].get("line"), at["position"].get("column"),
                      at["position"].get("offset")] for at in context.get("locations", [])
                     if at.get("item_type") != "rules content"]
        result.append({"code": e["code"], "message": e["message"],
                       "snippet": context.get("snippet", ""), "locations": locations})
    return result


def flat(items):
    return [dict(e, message="") if e["code"] == "LOAD_ERR_YAML_PARSE" else e for e in items]


def k8saudit(args, mews, report_of):
    report = report_of("k8saudit alerts")
    wanted = [json.dumps(a, sort_keys=True)
              for a in read_lines(os.path.join(args.golden, "k8saudit_alerts.jsonl"))]
    real = args.real
    conf = mews.file("k8s.yaml", (
        "plugins:\n"
        f"  - name: k8saudit\n    library_path: {real}/libk8saudit.so\n"
        f"    open_params: {args.samples}\n"
        f"    sandbox: {{profile: file-reader, read: [{args.samples}]}}\n"
        f"  - name: json\n    library_path: {real}/libjson.so\n"
        f"rules_files: [{real}/rules/k8s_audit_rules.yaml]\n"
        "json_output: true\nlog_stderr: true\nlog_syslog: false\n"
        "stdout_output: {enabled: true}\n"))
    rc, out, err = mews.run(["--enable-source", "k8s_audit"], conf)
    got = [json.dumps(without_host(line), sort_keys=True) for line in alerts_of(out)]
    report.case("exit status", 0, rc if rc == 0 else err[-500:])
    left = collections.Counter(got)
    for alert in wanted:
        found = left[alert] > 0
        left[alert] -= found
        report.case(alert, True, found)
    report.case("alerts that Falco does not give", [], list(left.elements()))
    return [report]


GROUPS = {"conditions": conditions, "outputs": outputs, "runs": runs,
          "rulesfiles": rulesfiles, "k8saudit": k8saudit}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("group", choices=sorted(GROUPS))
    parser.add_argument("--golden", required=True)
    parser.add_argument("--mews", required=True)
    parser.add_argument("--plugins", required=True)
    parser.add_argument("--real")
    parser.add_argument("--samples")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        reports = GROUPS[args.group](args, Mews(args, folder), Report)
    good = [r.finish(n + 1) for n, r in enumerate(reports)]
    sys.exit(0 if all(good) else 1)


main()
