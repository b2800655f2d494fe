"""A mixed folder made ready for Gemini as it is done today: google-genai, Pillow, PyAV, pypdfium2.

    whole_job.py FOLDER OUT [PROCESSES]

What `mediaprep prepare FOLDER --out OUT --video frames --pdf pages --model gemini-2.5-pro` makes:
images upright and within 3072 pixels, JPEG 90, or passed on where nothing changes; of videos the
frame of each second within 768 pixels behind its time, and the sound; of PDFs each page within 3072
pixels and 300 an inch behind its number; sounds as they are. With the tokens by the documented
formulas, a hash of every file, a manifest, and the request's parts as google-genai builds them.
"""

import hashlib
import io
import json
import math
import multiprocessing
import sys
from pathlib import Path

import av
import pypdfium2
from google.genai import types
from PIL import Image, ImageOps

LONG_SIDE, FRAME_SIDE, QUALITY, PAGE_DPI = 3072, 768, 90, 300
OPUS_RATE = 24_000
IMAGES = {".jpg": "image/jpeg", ".png": "image/png", ".webp": "image/webp"}
SOUNDS = {".mp3": "audio/mpeg", ".wav": "audio/wav"}
# Bytes that a request may hold before base64; what is beyond is uploaded first.
INLINE = 15_000_000


def tile_tokens(width, height):
    """The documented rule of Gemini 2.5: 258 for each tile, or for all of a small picture."""
    if width <= 384 and height <= 384:
        return 258
    if max(width, height) > LONG_SIDE:
        scale = LONG_SIDE / max(width, height)
        width, height = int(width * scale), int(height * scale)
    unit = min(max(int(min(width, height) / 1.5), 256), 768)
    return 258 * math.ceil(width / unit) * math.ceil(height / unit)


def jpeg(image):
    out = io.BytesIO()
    image.convert("RGB").save(out, "JPEG", quality=QUALITY)
    return out.getvalue()


def fitted(width, height, side):
    """The size within a square of `side`, never enlarged."""
    scale = min(1, side / max(width, height))
    return max(1, round(width * scale)), max(1, round(height * scale))


class Output:
    """The parts of one source, written as they come."""

    def __init__(self, folder, source):
        self.folder, self.source, self.parts = folder, source, []
        self.source_hash = hashlib.sha256(source.read_bytes()).hexdigest()

    def add(self, suffix, data, mime_type, tokens, label=None, **facts):
        name = f"media/{self.source.stem}{suffix}"
        (self.folder / name).write_bytes(data)
        self.parts.append({
            "file": name, "source": str(self.source), "source_sha256": self.source_hash,
            "sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data), "label": label,
            "mime_type": mime_type, "tokens": tokens, **facts,
        })


def image(output):
    data = output.source.read_bytes()
    with Image.open(io.BytesIO(data)) as opened:
        size = fitted(*opened.size, LONG_SIDE)
        upright = opened.getexif().get(0x0112, 1) == 1
        if size == opened.size and upright:
            mime_type = IMAGES[output.source.suffix]
            output.add(output.source.suffix, data, mime_type, tile_tokens(*size), size=size)
            return
        picture = ImageOps.exif_transpose(opened)
        picture = picture.resize(fitted(*picture.size, LONG_SIDE), Image.Resampling.LANCZOS)
    output.add(".jpg", jpeg(picture), "image/jpeg", tile_tokens(*picture.size), size=picture.size)


def video(output):
    with av.open(str(output.source)) as container:
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        size = fitted(stream.width, stream.height, FRAME_SIDE)
        shown, taken = None, 0

        def keep(frame):
            # Swscale makes it small before it becomes RGB, which is the quick way.
            data = jpeg(frame.reformat(*size, format="rgb24").to_image())
            label = f"{taken // 60:02}:{taken % 60:02}"
            tokens = tile_tokens(*size)
            output.add(f"-f{taken + 1:06}.jpg", data, "image/jpeg", tokens, label, size=size)

        for frame in container.decode(stream):
            while frame.time > taken:
                keep(shown or frame)
                taken += 1
            shown = frame
        # The service counts the frame at the very end as well.
        while taken <= stream.duration * stream.time_base:
            keep(shown)
            taken += 1
        if container.streams.audio:
            soundtrack(output)


def soundtrack(output):
    """The sound as mono of 16 kHz, Opus."""
    out = io.BytesIO()
    with av.open(str(output.source)) as container, av.open(out, "w", format="ogg") as written:
        stream = written.add_stream("libopus", rate=16000, layout="mono", bit_rate=OPUS_RATE)
        resampler = av.AudioResampler(format="s16", layout="mono", rate=16000)
        samples = 0
        for frame in container.decode(audio=0):
            for resampled in resampler.resample(frame):
                samples += resampled.samples
                written.mux(stream.encode(resampled))
        written.mux(stream.encode(None))
    output.add(".opus", out.getvalue(), "audio/ogg", 32 * math.ceil(samples / 16000))


def document(output):
    pages = pypdfium2.PdfDocument(output.source)
    for number, page in enumerate(pages, 1):
        scale = min(LONG_SIDE / max(page.get_size()), PAGE_DPI / 72)
        picture = page.render(scale=scale).to_pil()
        output.add(f"-p{number:04}.jpg", jpeg(picture), "image/jpeg", tile_tokens(*picture.size),
                   f"page {number}", size=picture.size)


def sound(output):
    with av.open(str(output.source)) as container:
        seconds = container.duration / av.time_base
    data, suffix = output.source.read_bytes(), output.source.suffix
    output.add(suffix, data, SOUNDS[suffix], 32 * math.ceil(seconds))


KINDS = {**dict.fromkeys(IMAGES, image), **dict.fromkeys(SOUNDS, sound), ".mp4": video,
         ".pdf": document}


def prepare(work):
    source, folder = work
    output = Output(folder, source)
    KINDS[source.suffix](output)
    return output.parts


def request(parts, folder):
    """The parts of the request: with their bytes as far as they go inside, else by address."""
    contents, inside = [], 0
    for part in parts:
        if part["label"]:
            contents.append(types.Part.from_text(text=part["label"]))
        if inside + part["bytes"] <= INLINE:
            inside += part["bytes"]
            data = (folder / part["file"]).read_bytes()
            contents.append(types.Part.from_bytes(data=data, mime_type=part["mime_type"]))
        else:
            contents.append(types.Part.from_uri(file_uri=part["file"], mime_type=part["mime_type"]))
    return types.Content(role="user", parts=contents)


def main():
    root, folder = Path(sys.argv[1]), Path(sys.argv[2])
    processes = int(sys.argv[3]) if len(sys.argv) > 3 else 1
    (folder / "media").mkdir(parents=True)
    sources = sorted(path for path in root.rglob("*") if path.suffix in KINDS)
    work = [(source, folder) for source in sources]
    if processes == 1:
        done = list(map(prepare, work))
    else:
        with multiprocessing.Pool(processes) as pool:
            done = pool.map(prepare, work, chunksize=1)
    parts = [part for one in done for part in one]
    tokens = sum(part["tokens"] for part in parts)
    (folder / "manifest.json").write_text(json.dumps({"tokens": tokens, "parts": parts}, indent=1))
    content = request(parts, folder).model_dump_json(by_alias=True, exclude_none=True)
    (folder / "request.json").write_text(f'{{"contents":[{content}]}}')


if __name__ == "__main__":
    main()
