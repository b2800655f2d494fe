"""The whole job on a mixed folder, ours beside `whole_job.py`; run by scripts/bench-peers.

    whole.py BINARY SCRATCH [--quick] [--rounds N] [--memory SIZE]

Makes the folder once (SCRATCH/mixed or SCRATCH/mixed-quick), runs every tool in turn, and prints
Markdown: wall, CPU, and the largest memory, of the largest process by the system (wait4) and of all
together as sampled. What the tools made is compared before anything is printed: the same parts by
name, of the same sizes within two pixels, some of them seen to be the same pictures. Below the table
stand the goals.
"""

import argparse
import os
import shutil
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import numpy
from PIL import Image

HERE = Path(__file__).resolve().parent
PHOTO = HERE.parents[1] / "fixtures/images/photo-landscape-12mp.jpg"
FULL, QUICK = (60, 4, 6, 20), (6, 1, 1, 4)
OPTIONS = ["--video", "frames", "--pdf", "pages", "--model", "gemini-2.5-pro", "--quiet"]
# Sums over a tree of processes are sampled so often, in seconds.
SAMPLE = 0.02
# Pictures nearer than this, in dB, are the same; filters and chroma make more than 30.
SAME = 24


@dataclass
class Run:
    """One run: seconds, and bytes."""

    wall: float
    cpu: float
    peak: int
    tree: int


def tree_memory(process):
    """Resident bytes of a process and its children, shared pages once (PSS)."""
    total, waiting = 0, [process]
    while waiting:
        at = waiting.pop()
        try:
            for line in Path(f"/proc/{at}/smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    total += int(line.split()[1]) * 1024
            for task in Path(f"/proc/{at}/task").iterdir():
                waiting += map(int, (task / "children").read_text().split())
        except OSError:
            continue
    return total


def run(command, sampled=True):
    """Runs a command to its end; fails when it does."""
    largest, over = [0], threading.Event()

    def watch():
        while not over.wait(SAMPLE):
            largest[0] = max(largest[0], tree_memory(process.pid))

    begun = time.monotonic()
    process = subprocess.Popen(
        list(map(str, command)), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    watcher = threading.Thread(target=watch)
    if sampled:
        watcher.start()
    said = process.stderr.read().decode()
    _, status, used = os.wait4(process.pid, 0)
    wall = time.monotonic() - begun
    process.returncode = os.waitstatus_to_exitcode(status)
    over.set()
    if sampled:
        watcher.join()
    if process.returncode:
        raise SystemExit(f"{command[0]} ended with {process.returncode}: {said[-500:]}")
    return Run(wall, used.ru_utime + used.ru_stime, used.ru_maxrss * 1024, largest[0])


def folder(scratch, quick):
    """The mixed folder, made once."""
    made = scratch / ("mixed-quick" if quick else "mixed")
    if not made.exists():
        partial = scratch / "mixed.partial"
        shutil.rmtree(partial, ignore_errors=True)
        counts = map(str, QUICK if quick else FULL)
        script = HERE / "mixed_folder.py"
        subprocess.run([sys.executable, script, partial, PHOTO, *counts], check=True)
        partial.rename(made)
    return made


def parts(out):
    """The files of a result by name, with the size of what is a picture."""
    found = {}
    for path in sorted((out / "media").iterdir()):
        size = None
        if path.suffix == ".jpg":
            with Image.open(path) as opened:
                size = opened.size
        found[path.name] = size
    return found


def compare(ours, theirs):
    """In words why two results are not the same work; empty when they are."""
    one, other = parts(ours), parts(theirs)
    if one.keys() != other.keys():
        return f"other parts: {sorted(one.keys() ^ other.keys())[:6]}"
    for name, size in one.items():
        if size and any(abs(a - b) > 2 for a, b in zip(size, other[name])):
            return f"{name} is {size} and {other[name]}"
    pictures = [name for name, size in one.items() if size]
    for name in pictures[:: max(1, len(pictures) // 24)]:
        nearness = psnr(ours / "media" / name, theirs / "media" / name)
        if nearness < SAME:
            return f"{name} is another picture: {nearness:.1f} dB"
    return ""


def psnr(one, other):
    size = (512, 512)
    opened = [Image.open(path).convert("RGB").resize(size) for path in (one, other)]
    first, second = (numpy.asarray(picture, float) for picture in opened)
    return 10 * numpy.log10(255**2 / max(((first - second) ** 2).mean(), 1e-9))


def tools(binary, source, scratch, memory):
    def ours(threads):
        return [binary, "prepare", source, "--out", scratch / f"ours-{threads}",
                "--threads", str(threads), "--memory", memory, *OPTIONS]

    def theirs(processes):
        script = HERE / "whole_job.py"
        out = scratch / f"script-{processes}"
        return [sys.executable, "-B", script, source, out, str(processes)]

    return {
        "mediaprep, 2 threads": ours(2), "mediaprep, 1 thread": ours(1),
        "script": theirs(1), "script, 2 processes": theirs(2),
    }


def output(command):
    return Path(command[4])


def measured(commands, rounds):
    """The runs of every tool, in turn, each into an empty folder. The memory of all its processes is
    looked at in the first round alone: looking takes a fifth of a core from them."""
    runs = {name: [] for name in commands}
    for number in range(rounds):
        for name, command in commands.items():
            shutil.rmtree(output(command), ignore_errors=True)
            runs[name].append(run(command, sampled=number == 0))
    return runs


def alone(binary, source, scratch):
    """The CPU time of every file by itself, one after the other, and of the whole: (sum, whole)."""
    def command(path, out):
        shutil.rmtree(out, ignore_errors=True)
        return [binary, "prepare", path, "--out", out, "--threads", "1", *OPTIONS]

    out = scratch / "alone"
    total = sum(run(command(path, out), False).cpu for path in sorted(source.iterdir()))
    return total, run(command(source, out), False).cpu


def best(runs):
    """The least wall and CPU time, and the largest memory."""
    return Run(min(r.wall for r in runs), min(r.cpu for r in runs),
               max(r.peak for r in runs), max(r.tree for r in runs))


def contents(source):
    """What the folder holds, in words."""
    kinds = (("photo", "photographs of 12 megapixels"), ("video", "videos of a minute"),
             ("document", "PDFs of 20 pages"), ("sound", "sounds of half a minute"))
    return ", ".join(f"{len(list(source.glob(f'{name}-*')))} {kind}" for name, kind in kinds)


def report(runs, held, memory, sums):
    least = {name: best(found) for name, found in runs.items()}
    base = next(iter(least.values()))
    head = "| tool | × our wall | × our CPU | wall s | CPU s | largest process MB | all processes MB |"
    lines = [f"{held}; rounds: {len(next(iter(runs.values())))}, the least of each.", ""]
    lines += [head, "| --- " * 7 + "|"]
    for name, found in least.items():
        cells = (name, f"{found.wall / base.wall:.2f}", f"{found.cpu / base.cpu:.2f}",
                 f"{found.wall:.1f}", f"{found.cpu:.1f}", f"{found.peak / 1e6:.0f}",
                 f"{found.tree / 1e6:.0f}")
        lines.append(f"| {' | '.join(cells)} |")
    lines += ["", "| goal | measured | wanted | |", "| --- | --- | --- | --- |"]
    for what, was, wanted, is_met in goals(least, memory, sums):
        lines.append(f"| {what} | {was} | {wanted} | {'met' if is_met else 'missed'} |")
    return lines


def goals(least, memory, sums):
    """What is wanted of us: in words, what was measured, what is wanted, and whether it is so."""
    two, one = least["mediaprep, 2 threads"], least["mediaprep, 1 thread"]
    faster, threads = least["script"].wall / two.wall, one.wall / two.wall
    over = (max(two.tree, one.tree) - size(memory)) / 1e6
    share = sums[1] / sums[0] - 1
    return [
        ("script's wall ÷ ours at 2 threads", f"{faster:.2f}", "≥ 4", faster >= 4),
        ("our wall at 1 thread ÷ at 2", f"{threads:.2f}", "≥ 1.8", threads >= 1.8),
        (f"memory of all our processes beyond `--memory {memory}`", f"{over:.0f} MB", "≤ 100 MB",
         over <= 100),
        ("our CPU for the folder against its files one by one", f"{share:+.1%}", "≤ +10 %",
         share <= 0.1),
    ]


def size(text):
    return int(text[:-1]) * {"M": 1 << 20, "G": 1 << 30}[text[-1]]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("binary", type=Path)
    parser.add_argument("scratch", type=Path)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--memory", default="512M")
    options = parser.parse_args()
    rounds = options.rounds or (1 if options.quick else 3)
    options.scratch.mkdir(parents=True, exist_ok=True)
    source = folder(options.scratch, options.quick)
    commands = tools(options.binary, source, options.scratch, options.memory)
    runs = measured(commands, rounds)
    results = [output(command) for command in commands.values()]
    for name, result in zip(list(commands)[1:], results[1:]):
        if trouble := compare(results[0], result):
            raise SystemExit(f"{name} does not do the same work: {trouble}")
    made = parts(results[0])
    sums = alone(options.binary, source, options.scratch)
    print("\n".join(report(runs, contents(source), options.memory, sums)))
    print(f"\nEvery tool made the same {len(made)} parts, by name, size and look.")
    for result in results:
        shutil.rmtree(result)


if __name__ == "__main__":
    main()
