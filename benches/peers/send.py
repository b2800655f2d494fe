"""The Python client of the benchmark `send`: `send.py WHAT FILE BASE` prints what WHAT cost.

That is one line: CPU time, wall time, both in nanoseconds, and the bytes by which the resident set
grew. Imports, the client's making and a small request come before.
"""

import base64
import sys
import time

WHAT, PATH, BASE = sys.argv[1:]
MODEL = "gemini-3.5-flash"
TIMES = 3


def memory(name):
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith(name))


def measured(work, times=1):
    with open("/proc/self/clear_refs", "w") as clear:
        clear.write("5")
    idle, wall, cpu = memory("VmRSS:"), time.perf_counter_ns(), time.process_time_ns()
    for _ in range(times):
        work()
    cpu, wall = time.process_time_ns() - cpu, time.perf_counter_ns() - wall
    print(cpu // times, wall // times, max(memory("VmHWM:") - idle, 0))


def client():
    from google import genai

    made = genai.Client(api_key="key", http_options={"base_url": BASE})
    made.models.generate_content(model=MODEL, contents="hello")
    return made


if WHAT == "generate":
    from google.genai import types

    sender = client()

    def work():
        with open(PATH, "rb") as file:
            data = file.read()
        part = types.Part.from_bytes(data=data, mime_type="video/mp4")
        answer = sender.models.generate_content(model=MODEL, contents=[part, "What is this?"])
        assert int(answer.text) > len(data) * 4 // 3, answer.text

    measured(work)
elif WHAT == "upload":
    sender = client()
    measured(lambda: sender.files.upload(file=PATH, config={"mime_type": "video/mp4"}))
else:
    with open(PATH, "rb") as file:
        data = file.read()
    measured(lambda: base64.b64encode(data), TIMES)
