"""What the README says of speed: a row for each job, read back from the blocks of docs/benchmarks.md.

So a part that is run alone changes its own rows, and the others keep what was measured before.
"""

import re
from dataclasses import dataclass

# In the order of the page.
PARTS = ("whole", "images", "film", "pdf", "folder", "send")
RUN = re.compile(
    r"^`(?P<command>.+?)`, (?P<day>\d{4}-\d\d-\d\d), (?P<machine>.+? cores), .*"
    r"cores busy before: (?P<busy>\d+\.\d+)"
)
# With more cores at work before the start, the machine did other work.
BUSY = 0.2
NUMBER = r"([\d.]+)"
PAIR = rf"{NUMBER} / {NUMBER}"


@dataclass(frozen=True)
class Row:
    """A tool at a job: times its CPU time and its wall time are ours, and its memory in MB."""

    name: str
    cpu: float | None
    wall: float | None
    memory: str | None = None

    def __str__(self):
        ratios = " / ".join("–" if ratio is None else shown(ratio) for ratio in (self.cpu, self.wall))
        return f"{self.name} {ratios}" + (f" ({self.memory} MB)" if self.memory else "")


@dataclass(frozen=True)
class Job:
    """A job, what it takes us, and the others at it."""

    title: str
    ours: str
    others: tuple

    def __str__(self):
        return f"| {self.title} | {self.ours} | {'; '.join(map(str, self.others))} |"


def shown(number):
    """With three digits at most, and two decimals."""
    return f"{number:.2f}" if number < 10 else f"{number:.1f}" if number < 100 else f"{number:,.0f}"


def ratio(theirs, ours):
    """`None` where ours is too little to be divided by."""
    return theirs / ours if ours else None


def block(page, part):
    """The lines between a part's markers."""
    begin, end = f"<!-- {part}:begin -->", f"<!-- {part}:end -->"
    if page.count(begin) != 1 or page.count(end) != 1:
        raise ValueError(f"the page of the benchmarks has no pair of markers named {part}")
    return page.split(begin)[1].split(end)[0].strip("\n").splitlines()


def tables(lines, head, row):
    """The tables of a text: for each heading that `head` matches its match, and those of its rows."""
    found = []
    for line in lines:
        if titled := re.match(head, line):
            found.append((titled, []))
        elif found and (cells := re.match(row, line)):
            found[-1][1].append(cells.groups())
    return [(titled, rows) for titled, rows in found if rows]


# What `whole_job.py` is.
SCRIPT = "the script by google-genai, Pillow, PyAV and pypdfium2"


def whole(lines):
    head = r"^(?P<held>.+); rounds: \d+"
    row = r"^\| (?!tool |goal |---)([^|]+?) \|" + rf" {NUMBER} \|" * 4 + r" (\d+) \| (\d+) \|$"
    for titled, rows in tables(lines, head, row):
        (_, _, _, wall, _, _, memory), *others = rows
        # Shared pages of processes count once in the last column.
        peers = tuple(
            Row(name, float(cpu), float(by_wall), most)
            for name, by_wall, cpu, _, _, _, most in others if not is_ours(name)
        )
        title = f"the whole job: {titled['held']}; ours on 2 threads, {SCRIPT}"
        yield Job(title, f"{wall} s, {memory} MB", peers)


IMAGE_TOOLS = {"vips": "libvips", "opencv": "OpenCV", "pillow": "Pillow", "image": "crate `image`"}


def images(lines):
    head = r"^(?P<job>\S.*); threads: (?P<threads>\d+)$"
    row = rf"^ (\S+)\s+{PAIR}\s+{PAIR}\s+{PAIR}\s+{PAIR}\s+\d+\s+\S+\s+(\d+|-)$"
    for titled, (first, *others) in tables(lines, head, row):
        peers = tuple(
            Row(IMAGE_TOOLS.get(cells[0], cells[0]), float(cells[1]), float(cells[3]),
                cells[9].strip("-"))
            for cells in others
        )
        title = f"a JPEG of 12 megapixels: {titled['job']}; {threads_of(titled['threads'])}"
        yield Job(title, f"{first[7]} ms, {first[9]} MB", peers)


def threads_of(count):
    return "1 thread" if count == "1" else f"{count} threads"


def rates(lines):
    """The tables of films and PDFs: for each the title, what ours does in a second, and the others."""
    head = r"^(?P<title>\S.*?)\s+x its CPU\s+x its wall\s"
    row = r"^  (\S.*?)" + rf"\s+{NUMBER}" * 4 + "$"
    for titled, (first, *others) in tables(lines, head, row):
        peers = tuple(Row(cells[0], float(cells[1]), float(cells[2])) for cells in others
                      if not is_ours(cells[0]))
        yield titled["title"], float(first[4]), peers


FILMS = {
    "sound": "ten minutes of MP3 to FLAC of 16 kHz",
    "speech": "ten minutes of MP3 to Opus for speech",
    "1 kbit/s": "ten minutes of MP3 to 1 kbit/s",
}


def film(lines):
    for title, rate, peers in rates(lines):
        name = title.removesuffix(": s")
        shorter = FILMS.get(name, f"a minute of 1080p to a JPEG a second, {name}")
        yield Job(shorter, f"{shown(rate)} × real time", peers)


PAGES = {"text": "dense text", "mixed": "text, photographs and curves", "scan": "scans"}


def pdf(lines):
    for title, rate, peers in rates(lines):
        name, _, what = title.partition(": ")
        if what == "files":
            yield Job("facts of 1,000 PDFs", f"{rate:,.0f} files/s", peers)
        elif what == "pages as JPEG":
            title = f"PDF pages of {PAGES.get(name, name)} to JPEG of 3072 pixels, 1 process"
            yield Job(title, f"{shown(rate)} pages/s", peers)


def folder(lines):
    row = r"^ (\S.*?)\s+[\d.]+x\s+(\d+)\s+([\d.]+)\s+([\d.]+)$"
    for titled, rows in tables(lines, r"^(?P<files>\d+) pictures, ", row):
        files = int(titled["files"])
        # Ours on as many threads as the others; of them some get fewer files, which their name says.
        for threads in ("1", "2"):
            group = [cells for cells in rows if processes(cells[0]) == threads]
            (_, rate, cpu, memory), = (cells for cells in group if is_ours(cells[0]))
            peers = tuple(
                Row(name.split(",")[0], ratio(float(their_cpu) / files_of(name, files),
                                              float(cpu) / files),
                    ratio(int(rate), int(their_rate)), f"{float(most):.0f}")
                for name, their_rate, their_cpu, most in group if not is_ours(name)
            )
            title = f"sizes of {files:,} pictures, ours with tokens and cost; {threads_of(threads)}"
            yield Job(title, f"{int(rate):,} files/s, {float(memory):.0f} MB", peers)


def processes(name):
    found = re.search(r", (\d+) (?:thread|process)", name)
    return found[1] if found else "1"


def files_of(name, files):
    found = re.search(r", (\d+) files", name)
    return int(found[1]) if found else files


# A job whose others are clients; base64 alone stands on the page.
SENT = ("a request with", "an upload of")
# What is no client but the least that any could take.
FLOOR = "a bare socket"


def send(lines):
    head = r"^(?P<title>\S.*?)\s+CPU\s+GB/CPU-s\s+GB/s\s+first is\s+memory$"
    row = rf"^  (\S.*?)\s+(\d+) ms\s+{NUMBER}\s+{NUMBER}\s+{NUMBER}x\s+(\d+) MB$"
    for titled, (first, *others) in tables(lines, head, row):
        if not titled["title"].startswith(SENT):
            continue
        peers = tuple(
            Row(name, float(by_cpu), ratio(float(first[3]), float(speed)), memory)
            for name, _, _, speed, by_cpu, memory in others
            if not is_ours(name) and not name.startswith(FLOOR)
        )
        yield Job(titled["title"], f"{first[1]} ms of CPU, {first[5]} MB", peers)


def is_ours(name):
    return name.startswith("mediaprep")


READERS = {
    "whole": whole, "images": images, "film": film, "pdf": pdf, "folder": folder, "send": send,
}


def jobs(page, part):
    """The jobs of a part; none where it has not been run."""
    lines = block(page, part)
    found = list(READERS[part](lines))
    if lines and not found:
        raise ValueError(f"the part {part} of the page has no table that is known")
    return found


def summary(page):
    """The lines of the README, from the whole page of the benchmarks."""
    rows = [str(job) for part in PARTS for job in jobs(page, part) if job.others]
    lines = ["What the others take, ours being 1: CPU time / time on the clock (and peak memory).", ""]
    if rows:
        lines += ["| job | ours | others |", "| --- | --- | --- |", *rows, ""]
    return lines + [runs(page)]


def runs(page):
    """When the parts were run, on what, and how busy it was."""
    done, absent, machines = [], [], []
    for part in PARTS:
        said = next(filter(None, map(RUN.match, block(page, part))), None)
        if said is None:
            absent.append(f"`{part}`")
            continue
        notes = ["one quick round"] if "--quick" in said["command"] else []
        notes += [f"beside {said['busy']} busy cores"] if float(said["busy"]) > BUSY else []
        done.append(f"`{part}` {said['day']}" + (f" ({', '.join(notes)})" if notes else ""))
        machines.append(said["machine"])
    text = f"Run: {', '.join(done) or 'none'}"
    text += "".join(f"; {machine}" for machine in dict.fromkeys(machines)) + "."
    text += " Beside other work trust the CPU times." if "busy cores" in text else ""
    return text + (f" Not run: {', '.join(absent)}." if absent else "")
