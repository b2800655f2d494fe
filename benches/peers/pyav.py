"""Takes the frame of each second of a video by PyAV, decoding everything, and writes it as JPEG."""

import io
import sys

import av

with av.open(sys.argv[1]) as container:
    stream = container.streams.video[0]
    stream.thread_type, stream.codec_context.thread_count = "NONE", 1
    wanted, last, taken = 0, None, 0

    def keep(frame):
        frame.reformat(768, 432).to_image().save(io.BytesIO(), "JPEG", quality=90)

    for frame in container.decode(stream):
        while frame.time > wanted:
            keep(last)
            wanted, taken = wanted + 1, taken + 1
        last = frame
    while wanted <= last.time:
        keep(last)
        wanted, taken = wanted + 1, taken + 1
assert taken > 50, f"{taken} frames"
