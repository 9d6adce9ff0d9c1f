#!/usr/bin/env python3
"""Adds up what the test runners wrote: skips with their reasons, failures by name, the total on the last line.

    results.py FOLDER --step rust=0:612 --step python=1:80 [--not-run fuzz] [--scale full] [--report FILE.md]

FOLDER holds one file per part: NAME.xml (JUnit, from nextest, pytest and node), NAME.log (from `cargo test`) or NAME.json
(from weir-bench: each figure with a limit is a test). The total is also left there, in the file "total".
A part that ended with an error and reported no failed test, such as one that did not compile, counts as one failure.
Python's standard library only.
"""

import argparse
import collections
import dataclasses
import datetime
import json
import os
import pathlib
import platform
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

SKIP_LINE = re.compile(r"^\W*skipped: (.+)$", re.MULTILINE | re.IGNORECASE)  # some say it in capitals
LOG_LINE = re.compile(r"^test (\S.*?)(?: - should panic)? \.\.\. (ok|FAILED|ignored)(?:, (.+))?$", re.MULTILINE)
GUARANTEE = re.compile(r"\bp(\d{1,2})(?=[_ ])", re.IGNORECASE)
PASSED, FAILED, SKIPPED = "passed", "failed", "skipped"


@dataclasses.dataclass
class Case:
    part: str
    name: str
    outcome: str
    reason: str = ""  # why it was skipped

    @property
    def guarantees(self):
        return {int(n) for n in GUARANTEE.findall(self.name.replace("::", " "))}


# --- reading ---


def read_junit(part, path):
    for case in ElementTree.parse(path).getroot().iter("testcase"):
        outcome, reason = junit_outcome(case), junit_reason(case)
        if outcome == PASSED and reason:  # Rust has no word for it: such a test says so and returns
            outcome = SKIPPED
        yield Case(part, junit_name(case), outcome, reason)


def junit_name(case):
    group = case.get("classname") or ""
    return case.get("name", "?") if group in ("", "test") else f"{group} {case.get('name', '?')}"


def junit_outcome(case):
    if case.find("failure") is not None or case.find("error") is not None:
        return FAILED
    return SKIPPED if case.find("skipped") is not None else PASSED


def junit_reason(case):
    skipped = case.find("skipped")
    if skipped is not None:
        return skipped.get("message") or (skipped.text or "").strip() or "no reason given"
    output = "\n".join(e.text or "" for tag in ("system-out", "system-err") for e in case.iter(tag))
    said = SKIP_LINE.search(output)
    return said.group(1) if said else ""


def read_log(part, path):
    outcomes = {"ok": PASSED, "FAILED": FAILED, "ignored": SKIPPED}
    text = path.read_text(errors="replace")
    for name, word, reason in LOG_LINE.findall(text):
        yield Case(part, name, outcomes[word], reason)
    for said in SKIP_LINE.findall(text):
        print(f"!! skipped: {part}: {said}")


def read_bench(part, path):
    told = json.loads(path.read_text())
    for row in told["rows"]:
        for verdict in row["verdicts"]:
            yield Case(part, f"{row['case']} {row['target']}: {verdict['text']}", outcome_of(verdict))
    for section in told["sections"]:
        yield from read_section(part, section)


def read_section(part, section):
    name = section["name"].replace("-", "_")
    for figure in section["figures"]:
        if figure["verdict"]:
            text = f"{name} {figure['name']}: {figure['verdict']['text']}"
            yield Case(part, text, outcome_of(figure["verdict"]))
    for note in section["notes"]:
        skipped = SKIP_LINE.search(note)
        if skipped:
            yield Case(part, f"{name} {section['about']}", SKIPPED, skipped.group(1))


def outcome_of(verdict):
    return PASSED if verdict["pass"] else FAILED


READERS = {".xml": read_junit, ".log": read_log, ".json": read_bench}


def read_folder(folder):
    cases = []
    for path in sorted(folder.iterdir()):
        reader = READERS.get(path.suffix)
        if reader is None:
            continue
        try:
            cases += reader(path.stem, path)
        except (ElementTree.ParseError, json.JSONDecodeError) as error:  # a runner that was killed leaves half a file
            cases.append(Case(path.stem, f"{path.name} cannot be read: {error}", FAILED))
    return cases


@dataclasses.dataclass
class Step:
    """A part that ran."""

    part: str
    code: int
    seconds: int

    @classmethod
    def parse(cls, text):
        part, _, rest = text.partition("=")
        code, _, seconds = rest.partition(":")
        return cls(part, int(code), int(seconds or 0))


def broken_parts(steps, cases):
    """Parts that failed without naming a test."""
    blamed = {case.part for case in cases if case.outcome == FAILED}
    for step in steps:
        if step.code != 0 and step.part not in blamed:
            yield Case(step.part, f"the whole part ended with exit code {step.code}", FAILED)


# --- telling ---


def count(cases, outcome):
    return sum(case.outcome == outcome for case in cases)


def print_summary(cases):
    print("\n== summary")
    for part in dict.fromkeys(case.part for case in cases):
        mine = [case for case in cases if case.part == part]
        print(f"   {part:8}{count(mine, PASSED):6} passed{count(mine, FAILED):5} failed{count(mine, SKIPPED):5} skipped")
    for case in cases:
        if case.reason:
            print(f"!! skipped: {case.part}: {case.name}: {case.reason}")
    for case in cases:
        if case.outcome == FAILED:
            print(f"!! failed: {case.part}: {case.name}")


def shell(*command):
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=30, check=True).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return ""


def processor():
    names = re.findall(r"^model name\s*: (.+)$", pathlib.Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return f"{names[0] if names else platform.machine()}, {os.cpu_count()} cores"


def memory():
    kilobytes = re.search(r"MemTotal:\s+(\d+)", pathlib.Path("/proc/meminfo").read_text())
    return f"{int(kilobytes.group(1)) / 2**20:.0f} GiB" if kilobytes else "unknown"


def commit():
    state = " with uncommitted changes" if shell("git", "status", "--porcelain", "--untracked-files=no") else ""
    return (shell("git", "rev-parse", "HEAD") or "unknown") + state


def facts(scale):
    started = os.environ.get("WEIR_STARTED")
    now = datetime.datetime.now(datetime.timezone.utc)
    yield "date", now.strftime("%Y-%m-%d %H:%M UTC")
    yield "commit", commit()
    yield "scale", scale
    if started:
        yield "duration", f"{(now.timestamp() - float(started)) / 60:.0f} minutes"
    yield "processor", processor()
    yield "memory", memory()
    yield "system", f"{platform.system()} {platform.release()}"
    yield "compiler", shell("rustc", "--version") or "unknown"


def guarantee_rows(cases):
    proofs = collections.defaultdict(list)
    for case in cases:
        for number in case.guarantees:
            proofs[number].append(case)
    for number, mine in sorted(proofs.items()):
        yield f"| P{number} | {count(mine, PASSED)} | {count(mine, FAILED)} | {count(mine, SKIPPED)} |"


def part_rows(steps, cases):
    for step in steps:
        mine = [case for case in cases if case.part == step.part]
        numbers = " | ".join(str(count(mine, outcome)) for outcome in (PASSED, FAILED, SKIPPED))
        yield f"| {step.part} | {numbers} | {step.seconds / 60:.1f} |"


def report(cases, given, steps):
    lines = ["# Proof run", "", "| | |", "|---|---|"]
    lines += [f"| {name} | {value} |" for name, value in facts(given.scale)]
    lines += ["", f"**{count(cases, PASSED)} passed, {count(cases, FAILED)} failed, {count(cases, SKIPPED)} skipped.**"]
    lines += ["", "## Parts", ""]
    lines += ["| part | passed | failed | skipped | minutes |", "|---|---:|---:|---:|---:|", *part_rows(steps, cases)]
    lines += ["", f"Did not run: {', '.join(given.not_run)}." if given.not_run else "All parts ran."]
    lines += ["", "## Guarantees", "", "Tests that carry the number of the guarantee in their name.", ""]
    lines += ["| guarantee | passed | failed | skipped |", "|---|---:|---:|---:|", *guarantee_rows(cases)]
    lines += ["", "## Failed", ""]
    lines += [f"- {case.part}: `{case.name}`" for case in cases if case.outcome == FAILED] or ["None."]
    lines += ["", "## Skipped", ""]
    lines += [f"- {case.part}: `{case.name}`: {case.reason}" for case in cases if case.reason] or ["None."]
    lines += ["", "## All tests", ""]
    lines += [f"- {case.outcome}: {case.part}: `{case.name}`" for case in cases]
    return "\n".join(lines) + "\n"


def arguments():
    parser = argparse.ArgumentParser(description="Adds up test results.")
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--step", action="append", default=[], help="NAME=EXIT-CODE[:SECONDS] of a part that ran")
    parser.add_argument("--not-run", action="append", default=[], help="NAME of a part that did not")
    parser.add_argument("--scale", default="1")
    parser.add_argument("--report", type=pathlib.Path)
    return parser.parse_args()


def main():
    given = arguments()
    steps = [Step.parse(text) for text in given.step]
    cases = read_folder(given.folder)
    cases += list(broken_parts(steps, cases))
    print_summary(cases)
    if given.report:
        given.report.write_text(report(cases, given, steps))
        print(f"== report: {given.report}")
    failed = count(cases, FAILED)
    total = f"{count(cases, PASSED)} passed, {failed} failed"
    (given.folder / "total").write_text(total + "\n")
    print(total, flush=True)
    return 1 if failed or not cases else 0


if __name__ == "__main__":
    sys.exit(main())
