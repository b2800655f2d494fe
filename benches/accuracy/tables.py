"""Statistics over cases, and the Markdown that is written between markers."""

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Score:
    """How an estimator did at one kind."""

    cases: int
    exact: int
    mean_error: float | None
    worst: float | None

    @classmethod
    def of(cls, pairs):
        """Of pairs of estimate and recorded count; pairs without an estimate are left out."""
        pairs = [(said, count) for said, count in pairs if said is not None]
        # Of nothing there is no share.
        errors = [abs(said - count) / count for said, count in pairs if count]
        factors = [factor(said, count) for said, count in pairs if count]
        return cls(
            len(pairs), sum(said == count for said, count in pairs),
            sum(errors) / len(errors) if errors else None, max(factors, default=None),
        )


def factor(said, count):
    """How many times too much or too little of what is not nothing; 1 is right."""
    return max(said, count) / min(said, count) if said else math.inf


def row(kind, name, total, score):
    """A line of the table; `–` where the estimator has no answer to this kind."""
    if not score.cases:
        return f"| {kind} | {name} | – | – | – | – | – |"
    asked = str(score.cases) if score.cases == total else f"{score.cases} of {total}"
    error = "–" if score.mean_error is None else percent(score.mean_error)
    worst = "–" if score.worst is None else f"{score.worst:,.2f}".replace("inf", "∞")
    rate = percent(score.exact / score.cases)
    return f"| {kind} | {name} | {asked} | {score.exact} | {rate} | {error} | {worst} |"


def percent(share):
    """Rounded down where it would read 100 % and is not."""
    text = f"{share * 100:,.1f}"
    return "99.9 %" if text == "100.0" and share < 1 else f"{text} %"


HEAD = [
    "| kind | estimator | cases | exact | hit rate | mean error | worst factor |",
    "| --- | --- | --- | --- | --- | --- | --- |",
]


def kinds(cases):
    """The kinds of all cases, pictures first and what is mixed last."""
    order = ["image", "video", "audio", "document"]
    found = {case.kind for case in cases}
    return [kind for kind in order if kind in found] + sorted(found - set(order))


def by_kind(cases, answers):
    """The table: for each kind every estimator. `answers` has a list of estimates by name."""
    lines = list(HEAD)
    for kind in kinds(cases):
        chosen = [at for at, case in enumerate(cases) if case.kind == kind]
        for name, said in answers.items():
            pairs = [(said[at], cases[at].recorded) for at in chosen]
            lines.append(row(kind, name, len(chosen), Score.of(pairs)))
    return lines


def by_family(cases, answers, kind):
    """Hit rates at one kind, for each generation of models."""
    families = sorted({case.family for case in cases if case.kind == kind})
    lines = [
        f"| {kind} | " + " | ".join(f"{family}" for family in families) + " |",
        "| --- " * (len(families) + 1) + "|",
    ]
    for name, said in answers.items():
        cells = [hits_of(cases, said, kind, family) for family in families]
        if any(cell != "–" for cell in cells):
            lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return lines


def score_of(cases, said, kind, family=None):
    """The score at the cases of a kind, and of a family where one is given."""
    return Score.of(
        (count, case.recorded) for count, case in zip(said, cases)
        if case.kind == kind and family in (None, case.family)
    )


def hits_of(cases, said, kind, family=None):
    """`3 of 5`, or a dash."""
    score = score_of(cases, said, kind, family)
    return f"{score.exact} of {score.cases}" if score.cases else "–"


def hits_and_error(cases, said, kind):
    """`3 of 5 (1.2 %)`: exact hits, and the mean error."""
    error = score_of(cases, said, kind).mean_error
    return hits_of(cases, said, kind) + (f" ({percent(error)})" if error is not None else "")


def write_between(path, name, lines):
    """Replaces what stands between the markers `<!-- name:begin -->` and `<!-- name:end -->`."""
    begin, end = f"<!-- {name}:begin -->", f"<!-- {name}:end -->"
    text = path.read_text("utf-8")
    if text.count(begin) != 1 or text.count(end) != 1:
        raise ValueError(f"{path} has no pair of markers named {name}")
    before, rest = text.split(begin)
    after = rest.split(end)[1]
    made = f"{before}{begin}\n" + "\n".join(lines) + f"\n{end}{after}"
    partial = path.with_name(path.name + ".partial")
    partial.write_text(made, "utf-8")
    partial.replace(path)
