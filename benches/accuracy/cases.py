"""What is compared: recorded counts beside the repository, and the worked answers inside it.

A case is a request whose count somebody read off the live service (or, of the worked answers, that
the vendor printed), with what is known of its media.
"""

import csv
import re
import tomllib
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

# The worked answers' words that are not those of the option.
LEVELS = {"ultra": "ultra-high"}
MODALITIES = ("image_tokens", "video_tokens", "audio_tokens", "document_tokens")
MIME_TYPES = {
    "png": "image/png", "jpg": "image/jpeg", "webp": "image/webp", "heic": "image/heic",
    "pdf": "application/pdf", "mp3": "audio/mpeg", "wav": "audio/wav", "aac": "audio/aac",
    "mp4": "video/mp4",
}

# What dims.csv leaves open, by what its column `basis` says.
ASSUMED_PAGES = {"d044": (612, 792), "d045": (612, 792), "d051": (595, 842), "d052": (595, 842)}
ASSUMED_FRAMES = {
    "d074": (640, 480), "d075": (640, 480), "d078": (640, 480), "d080": (640, 480),
    "d083": (1920, 1080),
}
STANDS_FOR = {
    "gemini-3 (not named)": "gemini-3.5-flash-lite",
    "gemini-1.5-pro (preview)": "gemini-1.5-pro-latest",
}
# Measured behind a proxy: neither the service nor the day is known, so no rule can be asked.
NOT_ASKED = {"d081"}


@dataclass(frozen=True)
class Item:
    """One medium of a request: `facts` has the keys that `budget --facts` reads."""

    kind: str
    facts: dict
    path: Path | None = None
    mime_type: str | None = None
    fps: str | None = None
    level: str | None = None
    route: str = "inline"
    in_function_response: bool = False


@dataclass(frozen=True)
class Case:
    """A request and its recorded count; `with_extra` when the count is that of the whole request."""

    id: str
    model: str
    service: str
    meter: str
    date: str
    items: tuple[Item, ...]
    recorded: int
    with_extra: bool = False
    row: str | None = None
    mark: str = "M"
    tags: tuple[str, ...] = field(default=())

    @property
    def kind(self):
        """The kind of its media, or several joined."""
        return " and ".join(sorted({item.kind for item in self.items}))

    @property
    def family(self):
        """The generation of its model."""
        if "embedding" in self.model:
            return "embedding"
        found = re.match(r"gemini-(\d)(?:\.(\d))?", self.model)
        if not found:
            return "1"
        return {"1": "1", "2": f"2.{found[2] or 0}"}.get(found[1], found[1])


def recorded(folder):
    """Every case of a folder such as `shared/measured`."""
    return points(folder) + dimensions(folder)


def table(path):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def points(folder):
    """The recorded requests, equal ones folded, with their files."""
    media = {row["media"]: row for row in table(folder / "media.csv")}
    requests = {row["case_id"]: row for row in table(folder / "cases.csv")}
    found = []
    for row in table(folder / "points.csv"):
        count = sum(int(row[name] or 0) for name in MODALITIES)
        if row["method"] != "generateContent":
            # Embedding requests report a total alone, which holds the text as well.
            request = requests[row["example"]]
            if int(request["text_chars"] or 0) > 0:
                continue
            count = int(request["total_prompt_tokens"])
        found.append(point(row, media, folder, count))
    return found


def point(row, media, folder, count):
    parts = zip(*(row[name].split(";") for name in ("media", "where", "routes", "part_options")))
    items = []
    for name, place, route, options in parts:
        fps = options.removeprefix("fps=") if options.startswith("fps=") else None
        if options != "-" and fps is None:
            raise ValueError(f"{row['example']}: unknown part option {options}")
        items.append(Item(
            kind=kind(media[name]["kind"]), facts=file_facts(media[name]), fps=fps, route=route,
            path=folder / "media" / name, mime_type=MIME_TYPES[name.rsplit(".", 1)[1]],
            in_function_response=place == "functionResponse",
        ))
    # The `-latest` names say only in the answer which model they were.
    model = row["model_version"] if row["model"].endswith("-latest") else row["model"]
    return Case(row["example"], model, row["endpoint"], "billed", row["first"], tuple(items), count)


def kind(name):
    return "document" if name == "pdf" else name


def file_facts(row):
    """What the estimators need to know of a file; ours opens the file itself."""
    facts = {"kind": kind(row["kind"])}
    for name in ("width", "height", "pages"):
        if row[name]:
            facts[name] = int(row[name])
    facts["duration_s"] = row["container_duration_s"] or None
    return facts


def dimensions(folder):
    """Published measurements of which only sizes and lengths are known."""
    return [
        dimension(row) for row in table(folder / "dims.csv") if row["dim_id"] not in NOT_ASKED
    ]


def dimension(row):
    item = Item(
        kind=kind(row["kind"]), facts=dimension_facts(row), fps=row["fps"] or None,
        level=row["media_resolution"].lower() or None,
        # Only the YouTube clip went by address.
        route="uri" if row["dim_id"] == "d083" else "inline",
    )
    parts = sum(int(row[name] or 0) for name in MODALITIES)
    extra = parts > 0 and row["plus_one"] == "yes"
    return Case(
        row["dim_id"], STANDS_FOR.get(row["model"], row["model"]), row["endpoint"],
        {"countTokens": "count-tokens", "generateContent": "billed"}[row["method"]],
        late(row["recorded"]), (item,), parts - extra if parts else int(row["total_tokens"]),
        with_extra=not parts,
    )


def dimension_facts(row):
    facts = {"kind": kind(row["kind"])}
    size = ASSUMED_FRAMES.get(row["dim_id"]) or (row["width"], row["height"])
    if row["kind"] == "pdf":
        size = ASSUMED_PAGES.get(row["dim_id"]) or tuple(row["page_box_pt"].split("x"))
        facts |= {"pages": int(row["pages"])}
        facts |= {"page_width_pt": str(size[0]), "page_height_pt": str(size[1])}
    elif row["kind"] in ("image", "video"):
        facts |= {"width": int(size[0]), "height": int(size[1])}
    if row["duration_s"]:
        facts |= {"duration_s": row["duration_s"]}
    if row["kind"] == "video":
        facts |= {"has_audio": row["has_audio"] == "yes"}
    return facts


def late(date):
    """A date that is given to the month or the year is taken late in it."""
    return {4: f"{date}-06-28", 7: f"{date}-28"}.get(len(date), date)


def worked(root):
    """The worked answers of the repository that are marked measured (M) or printed by the vendor (D)."""
    with open(root / "crates/tokens/data/rules.toml", "rb") as file:
        rows = {row["id"]: row for row in tomllib.load(file)["rule"]}
    found = []
    for line in (root / "crates/tokens/tests/answers.txt").read_text("utf-8").splitlines():
        parts = [part.strip() for part in line.split(" ; ")]
        if not line.startswith("#") and len(parts) > 4 and parts[4] in "MD":
            found.append(answer(parts, rows[parts[1]]))
    return found


def answer(parts, row):
    identifier, _, request, tokens, mark = parts[:5]
    items = tuple(request_item(text) for text in request.split(" + "))
    service = row["service"] if isinstance(row["service"], str) else row["service"][0]
    return Case(
        identifier, row["models"][0], "developer-api" if service == "any" else service,
        row["meter"], str(row["since"]), items, answer_tokens(tokens), row=row["id"], mark=mark,
    )


def answer_tokens(text):
    """`258,258`, `7890/900`, `<=1120`, and `+1` for what the request costs beside its media."""
    parts = re.split("[,/]", text.removeprefix("<="))
    return sum(int(part) for part in parts if not part.startswith("+"))


def request_item(text):
    """An item of the worked answers' grammar, which is explained where they stand."""
    name, *words = text.split()
    facts, other = {"kind": {"page": "document"}.get(name, name)}, {}
    named = dict(word.split("=", 1) for word in words if "=" in word)
    for word in words:
        size = re.fullmatch(r"(\d+)x(\d+)", word)
        if size and name == "page":
            facts |= {"page_width_pt": size[1], "page_height_pt": size[2], "pages": 1}
        elif size:
            facts |= {"width": int(size[1]), "height": int(size[2])}
        elif re.fullmatch(r"x\d+", word):
            facts["pages"] = int(word[1:])
        elif word == "in-function-response":
            other["in_function_response"] = True
        elif "=" not in word:
            other["level"] = LEVELS.get(word, word)
    facts |= lengths(name, named)
    other |= {key: named[key] for key in ("fps", "route") if key in named}
    return Item(kind=facts["kind"], facts=facts, **other)


def lengths(name, named):
    facts = {}
    container = named.get("container") or named.get("decoded") or named.get("track")
    if container:
        facts["duration_s"] = container
    if "decoded" in named:
        facts["decoded_duration_s"] = named["decoded"]
    if name == "video":
        facts["video_duration_s"] = named.get("track", container)
        facts["has_audio"] = named.get("audio", "none") != "none"
        if facts["has_audio"]:
            facts["audio_duration_s"] = named["audio"]
    if "frames" in named:
        count, rate = named["frames"].split("/")
        facts["frame_span_s"] = f"{float(Fraction(count) / Fraction(rate)):.9f}"
    return facts
