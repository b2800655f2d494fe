"""Writes a mixed folder: photographs, videos of a minute, PDFs, sounds; no two files are copies.

    mixed_folder.py FOLDER PHOTO PHOTOS VIDEOS DOCUMENTS SOUNDS

The photographs are PHOTO, shifted, with the grain of a small sensor; every fourth lies on its side.
Videos are FFmpeg's moving test picture with noise in 720p, three tenths of a second short of a minute:
at a whole minute the service's frame at the very end depends on how the video is sent. PDFs have 20
pages of text, each fifth with a picture; sounds are half a minute of noise and a tone as MP3.
"""

import io
import random
import subprocess
import sys
from pathlib import Path

import numpy
from PIL import Image
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen import canvas

A4 = (595.2756, 841.8898)
WORDS = "the quick brown fox jumps over a lazy dog while many pages of dense text go by".split()
PAGES = 20
# Seconds.
VIDEO = 59.7


def photographs(folder, photo, count):
    base = numpy.asarray(Image.open(photo).convert("RGB"), numpy.int16)
    grain = numpy.random.default_rng(1).normal(0, 5, base.shape).astype(numpy.int8)
    for at in range(count):
        shifted = numpy.roll(base, (at * 131, at * 89), (0, 1))
        shifted = shifted + numpy.roll(grain, (at * 17, at * 53), (0, 1))
        picture = Image.fromarray(shifted.clip(0, 255).astype(numpy.uint8))
        exif = Image.Exif()
        exif[0x0112] = 6 if at % 4 == 3 else 1
        picture.save(folder / f"photo-{at:03}.jpg", quality=92, exif=exif)


def ffmpeg(*args):
    subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-y", *args], check=True)


def videos(folder, count):
    for at in range(count):
        picture = f"testsrc2=size=1280x720:rate=30:duration={VIDEO},hue=h={at * 40},noise=alls=12:allf=t"
        ffmpeg("-f", "lavfi", "-i", picture,
               "-f", "lavfi", "-i", f"sine=frequency={200 + at * 50}:duration={VIDEO}",
               "-pix_fmt", "yuv420p", "-c:v", "libx264", "-preset", "veryfast", "-crf", "28",
               "-c:a", "aac", "-shortest", folder / f"video-{at:03}.mp4")


def documents(folder, count):
    for at in range(count):
        words = random.Random(at)
        page = canvas.Canvas(str(folder / f"document-{at:03}.pdf"), pagesize=A4, invariant=1)
        for number in range(PAGES):
            text = page.beginText(50, 800)
            text.setFont("Helvetica", 9)
            for _ in range(35 if number % 5 == 0 else 68):
                text.textLine(" ".join(words.choice(WORDS) for _ in range(18)))
            page.drawText(text)
            if number % 5 == 0:
                page.drawImage(picture(at * PAGES + number), 50, 60, 400, 300)
            page.showPage()
        page.save()


def picture(seed):
    small = numpy.random.default_rng(seed).integers(0, 255, (60, 80, 3), numpy.uint8)
    out = io.BytesIO()
    large = Image.fromarray(small).resize((1600, 1200), Image.Resampling.BICUBIC)
    large.save(out, "JPEG", quality=88)
    out.seek(0)
    return ImageReader(out)


def sounds(folder, count):
    for at in range(count):
        ffmpeg("-f", "lavfi", "-i", f"sine=frequency={220 + at * 20}:sample_rate=44100:duration=30",
               "-f", "lavfi", "-i", f"anoisesrc=color=pink:seed={at}:duration=30:amplitude=0.3",
               "-filter_complex", "amix", "-b:a", "128k", folder / f"sound-{at:03}.mp3")


def main():
    folder, photo = Path(sys.argv[1]), Path(sys.argv[2])
    counts = [int(count) for count in sys.argv[3:]]
    folder.mkdir(parents=True)
    photographs(folder, photo, counts[0])
    for write, count in zip((videos, documents, sounds), counts[1:]):
        write(folder, count)


if __name__ == "__main__":
    main()
