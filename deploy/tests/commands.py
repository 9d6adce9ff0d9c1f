"""Command lines in documents and examples, and whether what they name is there."""

import functools
import itertools
import re
import shlex
import subprocess

from places import ROOT

WHERE = ("*.md", "deploy/**/*.md", "bench/README.md", "dashboards/README.md", "plugins/*.md", "admin/*.md", "examples/*.md")
TEXTS = [path for pattern in WHERE for path in sorted(ROOT.glob(pattern))]
EXAMPLES = sorted((ROOT / "examples").glob("*.yaml"))

PROGRAM = r"(?:weir|weir-bench|make|(?:scripts|deploy)/[\w./-]+\.(?:sh|py))"
SPAN = re.compile(rf"`({PROGRAM}(?: [^`]*)?)`")
FENCE = re.compile(r"^ *```(.*)$", re.MULTILINE)
# On a line of its own, or run in a pod.
LINE = re.compile(rf"^\s*(?:[A-Z_]+=\S+ |kubectl .* -- )*({PROGRAM}(?: .*)?)$", re.MULTILINE)


def of_documents():
    """Each as it stands in the text: in a line, or on a line of its own in a block."""
    for path in TEXTS:
        parts = FENCE.split(path.read_text())
        # Text, the fence's words, a block, the fence that ends it, text again, and so on.
        for block, words in zip(parts[2::4], parts[1::4]):
            if words.split()[:1] in ([], ["sh"], ["bash"]):
                yield from (tidy(line) for line in LINE.findall(block.replace("\\\n", " ")))
        for text in parts[0::4]:
            yield from (tidy(span) for span in SPAN.findall(text))


def tidy(command):
    """Without what another program gets, and without remarks."""
    return " ".join(re.split(r" #|\s[|>;&]|\s<|\$\(", f"{command} ")[0].split())


def of_comments():
    """Commands that stand in an example's head, indented: `#   curl …`, over several lines."""
    for path in EXAMPLES:
        lines = [line[4:] for line in path.read_text().splitlines() if re.match(r"#   \S|#     ", line)]
        if lines and lines[0].startswith("curl"):
            yield path, "\n".join(lines).replace("curl ", "curl -sf ", 1) + "\n"


def words_of(command):
    try:
        return shlex.split(command)
    except ValueError:
        return command.split()  # what is quoted goes on in the next line


def known(command, programs):
    first, *rest = words_of(command)
    if first == "make":
        there = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
        return {word for word in rest if "=" not in word and not word.startswith("-")} <= there
    if first not in programs:
        return (ROOT / first).is_file()
    return all(understood(programs[first], words) for words in alternatives(rest))


def alternatives(words):
    """`keys|teams list|info` is four commands."""
    plain = list(itertools.takewhile(lambda word: re.fullmatch(r"[a-z][a-z|-]*", word), words))
    options = [word for word in words[len(plain) :] if re.match(r"\[?--[a-z]", word)]
    for choice in itertools.product(*(word.split("|") for word in plain)):
        yield [*choice, *(re.match(r"\[?(--[\w-]+)", option)[1] for option in options)]


def understood(program, words):
    names = [word for word in words if not word.startswith("--")]
    text = help_of(program, ())
    taken = []
    for name in names:
        commands = text.split("\nOptions:")[0].partition("Commands:")[2]
        if not re.search(rf"^  {re.escape(name)}(?: |$)", commands, re.MULTILINE):
            break  # A value: of an argument, which may be any word.
        taken.append(name)
        text = help_of(program, tuple(taken))
    takes_values = "Arguments:" in text or not names
    return (len(taken) == len(names) or takes_values) and all(
        re.search(rf"(?<!\S){re.escape(word)}\b", text) for word in words if word.startswith("--")
    )


@functools.cache
def help_of(program, names):
    done = subprocess.run([program, *names, "--help"], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout
