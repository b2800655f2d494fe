"""The benchmark's side of a Python peer: jobs come in line by line, times go out.

A line is `JOB FOLDER`; the answer is `ok WALL CPU`, in nanoseconds. With a folder other than `-`
the outputs are written there afterwards, so that they can be looked at.
"""

import concurrent.futures
import os
import sys
import time

TILE, ACROSS, DOWN, QUALITY = 768, 4, 3, 90
BOXES = [(x * TILE, y * TILE) for y in range(DOWN) for x in range(ACROSS)]


def arguments():
    """The picture's bytes, and on how many threads to work."""
    with open(sys.argv[1], "rb") as file:
        return file.read(), int(sys.argv[2])


def mapping(threads):
    """`map` on so many threads; the libraries let go of Python's lock while they work."""
    if threads == 1:
        return map
    return concurrent.futures.ThreadPoolExecutor(threads).map


def serve(jobs):
    for line in sys.stdin:
        job, folder = line.rstrip("\n").split(" ", 1)
        wall, cpu = time.perf_counter_ns(), time.process_time_ns()
        outputs = [bytes(part) for part in jobs[job]()]
        wall, cpu = time.perf_counter_ns() - wall, time.process_time_ns() - cpu
        if folder != "-":
            for at, data in enumerate(outputs):
                with open(os.path.join(folder, f"{at:02}.jpg"), "wb") as file:
                    file.write(data)
        print("ok", wall, cpu, flush=True)
