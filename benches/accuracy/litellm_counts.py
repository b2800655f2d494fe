"""What litellm's `token_counter` says of media; run by the Python that has litellm.

A line of input is a list of items, each `{"kind", "path", "mime_type", "width", "height"}`; a line of
output is `{"default": …, "high": …}`, the tokens beyond those of an empty message by the image detail
that is asked for, `null` where the counter refuses the parts.
"""

import base64
import json
import struct
import sys
import zlib

import litellm

MODEL = "gemini/gemini-2.5-flash"


def blank(width, height):
    """A PNG of that size, for what is known by its size alone."""
    def chunk(name, data):
        body = name + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    rows = zlib.compress(bytes((width + 1) * height), 1)
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def address(item):
    if item["path"]:
        with open(item["path"], "rb") as file:
            data = file.read()
    else:
        data = blank(item["width"], item["height"])
    mime_type = item["mime_type"] or "image/png"
    return f"data:{mime_type};base64,{base64.b64encode(data).decode()}"


def part(item, detail):
    if item["kind"] == "image":
        image = {"url": address(item)}
        return {"type": "image_url", "image_url": image | ({"detail": detail} if detail else {})}
    if item["kind"] == "document" and item["path"]:
        return {"type": "file", "file": {"file_data": address(item)}}
    raise ValueError("no part for this kind")


def tokens(parts):
    message = {"role": "user", "content": parts}
    return litellm.token_counter(model=MODEL, messages=[message])


def count(items, detail, empty):
    try:
        return tokens([part(item, detail) for item in items]) - empty
    except Exception:  # whatever it cannot read it has no answer to
        return None


def main():
    empty = tokens([{"type": "text", "text": ""}])
    for line in sys.stdin:
        items = json.loads(line)
        said = {"default": count(items, None, empty), "high": count(items, "high", empty)}
        print(json.dumps(said), flush=True)


if __name__ == "__main__":
    main()
