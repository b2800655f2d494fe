"""Our counts and today's estimators beside recorded ones: `make accuracy`.

    python benches/accuracy BINARY [--peers FOLDER] [--recorded FOLDER] [--check]

Writes its tables between markers into docs/accuracy.md and README.md. Without recorded counts it
writes the worked answers of the repository alone. `--check` writes nothing.
"""

import argparse
import datetime
import json
import platform
import subprocess
import sys
from pathlib import Path

import cases
import estimators
import ours
import tables

ROOT = Path(__file__).resolve().parents[2]
# The largest budget of Gemma 4, which is that of an image on Gemini 3, and the default one.
GEMMA_BUDGETS = (1120, 280)
EDIT_LIST = (
    "a silent clip with an edit list, billed for sound by its frames: the index has 33, ours counts them, "
    "and 32 decode"
)
# Misses whose cause is known.
REASONS = {
    "d056": "one day's countTokens gave 83,528 for the sound that is 83,520 on other days",
    "d066": "the length is stated as 120 s; FLAC of it was 3,841 where WAV was 3,840",
    "d067": "the length is stated as 120 s; AAC of it was 3,841 where WAV was 3,840",
    "d071": "a silent clip with an edit list, billed a frame and a token less than the rule says",
    "d080": "the length is stated as 60 s; 6,000 holds for any just below",
    "m55a092712e": EDIT_LIST, "m6d73a1cfc7": EDIT_LIST,
}
IN_RESPONSE = (
    "inside a function response, which the command line cannot say; the library's rule has it right"
)


def main():
    options = parsed()
    program = ours.Program(str(options.binary))
    peers = Peers(options.peers)
    sections = [heading(program, peers)]
    summary = None
    if (options.recorded / "points.csv").exists():
        found = cases.recorded(options.recorded)
        answers = asked(found, program, peers)
        sections.append(compared("Recorded counts", found, answers))
        summary = short(found, answers)
        if not options.check:
            tables.write_between(ROOT / "docs/accuracy.md", "accuracy", lines_of(sections))
            tables.write_between(ROOT / "README.md", "accuracy", summary)
    else:
        print(f"no recorded counts at {options.recorded}; the worked answers alone", file=sys.stderr)
    worked = cases.worked(ROOT)
    said = compared("Worked answers", worked, asked(worked, program, peers))
    if not options.check:
        tables.write_between(ROOT / "docs/accuracy.md", "worked", said)
    print("\n".join(lines_of(sections) + said))
    return 0


def parsed():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("binary", type=Path)
    parser.add_argument("--peers", type=Path, default=ROOT / "target/peers")
    parser.add_argument("--recorded", type=Path, default=ROOT / "../shared/measured")
    parser.add_argument("--check", action="store_true")
    return parser.parse_args()


def lines_of(sections):
    return [line for section in sections for line in section]


class Peers:
    """The estimators that are programs of others."""

    def __init__(self, folder):
        self.python = folder / "bin/python"
        self.gemma = folder / "bin/llm-multimodal-peer"
        self.litellm = self.version()

    def version(self):
        """litellm's version, or `None` where it is not installed."""
        code = "from importlib.metadata import version; print(version('litellm'))"
        try:
            done = subprocess.run([self.python, "-c", code], capture_output=True, text=True)
        except FileNotFoundError:
            return None
        return done.stdout.strip() or None if done.returncode == 0 else None

    def litellm_counts(self, found):
        """For each case what litellm says by its default and by the detail `high`."""
        if not self.litellm:
            return []
        lines = []
        for case in found:
            keys = ("width", "height")
            items = [
                {"kind": item.kind, "path": item.path and str(item.path),
                 "mime_type": item.mime_type} | {key: item.facts.get(key) for key in keys}
                for item in case.items
            ]
            lines.append(json.dumps(items))
        script = Path(__file__).with_name("litellm_counts.py")
        done = subprocess.run(
            [self.python, "-B", script], input="\n".join(lines), text=True, capture_output=True,
            check=True, env={"LITELLM_LOCAL_MODEL_COST_MAP": "True", "PATH": "/usr/bin:/bin"},
        )
        return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]

    def gemma_counts(self, found, budget):
        """For each case of images what llm-multimodal says, by a budget of so many tokens."""
        lines = [
            f"{item.facts['width']} {item.facts['height']} {budget}"
            for case in found if case.kind == "image" for item in case.items
        ]
        done = subprocess.run(
            [self.gemma, "tokens"], input="\n".join(lines), text=True, capture_output=True, check=True
        )
        numbers = iter(done.stdout.split())
        said = []
        for case in found:
            parts = [next(numbers) for _ in case.items] if case.kind == "image" else ["-"]
            said.append(None if "-" in parts else sum(map(int, parts)))
        return said


def asked(found, program, peers):
    """What every estimator says of every case, by name; ours comes first."""
    answers = {
        "mediaprep": [program.count(case) for case in found],
        "Google's documents": [program.count(case, "documented") for case in found],
        "gemini-cli": [estimators.gemini_cli(case) for case in found],
        "768-pixel tiles": [estimators.tile_snippet(case) for case in found],
    }
    by_detail = peers.litellm_counts(found)
    if by_detail:
        answers["litellm"] = [said["default"] for said in by_detail]
        answers["litellm, high"] = [said["high"] for said in by_detail]
    if peers.gemma.exists():
        for budget in GEMMA_BUDGETS:
            answers[f"llm-multimodal, {budget}"] = peers.gemma_counts(found, budget)
    return answers


def heading(program, peers):
    day = datetime.date.today().isoformat()
    litellm = f"litellm {peers.litellm}" if peers.litellm else "without litellm, not installed"
    gemma = "llm-multimodal 1.14.0" if peers.gemma.exists() else "without llm-multimodal, not built"
    return [
        f"Written by `make accuracy` on {day}: {program.version}, {litellm}, {gemma}, gemini-cli's "
        f"constants at commit 04fbf507, Python {platform.python_version()}.", "",
    ]


def compared(title, found, answers):
    """A section: the table, hit rates by family of models, and what we miss."""
    if not found:
        raise ValueError(f"{title}: there are no cases")
    lines = [f"### {title}", "", f"{len(found)} cases.", ""]
    lines += tables.by_kind(found, answers) + [""]
    lines += ["Exact hits, by generation of the model:", ""]
    for kind in tables.kinds(found):
        lines += tables.by_family(found, answers, kind) + [""]
    return lines + misses(found, answers["mediaprep"])


def misses(found, said):
    lines = []
    for case, count in zip(found, said):
        if count != case.recorded:
            shown = "no answer" if count is None else f"{count:,}"
            cells = (case.id, case.model, case.kind, f"{case.recorded:,}", shown, why(case))
            lines.append(f"| {' | '.join(cells)} |")
    if not lines:
        return ["mediaprep misses none.", ""]
    head = ["Missed by mediaprep:", "", "| case | model | kind | recorded | ours | why |"]
    return head + ["| --- | --- | --- | --- | --- | --- |", *lines, ""]


def why(case):
    if any(item.in_function_response for item in case.items):
        return IN_RESPONSE
    return REASONS.get(case.id, "not known")


def short(found, answers):
    """For the README: hits and mean errors by kind."""
    kinds = tables.kinds(found)[:4]
    lines = ["| estimator | " + " | ".join(kinds) + " |", "| --- " * (len(kinds) + 1) + "|"]
    for name, said in answers.items():
        cells = [tables.hits_and_error(found, said, kind) for kind in kinds]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    day = datetime.date.today().isoformat()
    title = f"Exact hits (and mean error) among {len(found)} recorded counts, `make accuracy`, {day}:"
    return [title, "", *lines]


if __name__ == "__main__":
    raise SystemExit(main())
