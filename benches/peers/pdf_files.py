"""Writes text.pdf, mixed.pdf and scan.pdf into a folder: the files that the PDF benchmark draws."""

import io
import random
import sys
from pathlib import Path

from PIL import Image, ImageFilter
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen import canvas

A4 = (595.2756, 841.8898)
WORDS = "the quick brown fox jumps over a lazy dog while many pages of dense text go by".split()


def photo(width, height, seed):
    """A picture with edges, gradients and grain, as JPEG."""
    grain = random.Random(seed)
    small = Image.new("RGB", (width // 16, height // 16))
    small.putdata([tuple(grain.randrange(256) for _ in range(3)) for _ in range(small.width * small.height)])
    large = small.resize((width, height), Image.Resampling.BICUBIC)
    noise = Image.effect_noise((width, height), 20).convert("RGB")
    out = io.BytesIO()
    Image.blend(large, noise, 0.15).filter(ImageFilter.SHARPEN).save(out, "JPEG", quality=88)
    out.seek(0)
    return ImageReader(out)


def lines(page, grain, count, top):
    text = page.beginText(50, top)
    text.setFont("Helvetica", 9)
    for _ in range(count):
        text.textLine(" ".join(grain.choice(WORDS) for _ in range(18)))
    page.drawText(text)


def write(path, pages, fill):
    page = canvas.Canvas(str(path), pagesize=A4, invariant=1)
    for number in range(pages):
        fill(page, random.Random(number))
        page.showPage()
    page.save()


def mixed(page, grain):
    lines(page, grain, 25, 790)
    page.drawImage(PHOTO, 50, 250, 400, 220)
    for _ in range(200):
        points = [grain.uniform(50, 550) if at % 2 == 0 else grain.uniform(40, 240) for at in range(8)]
        page.setStrokeColorRGB(*(grain.random() for _ in range(3)))
        page.bezier(*points)


folder = Path(sys.argv[1])
PHOTO, SCAN = photo(1600, 1200, 1), photo(1654, 2339, 2)
write(folder / "text.pdf", 40, lambda page, grain: lines(page, grain, 68, 800))
write(folder / "mixed.pdf", 20, mixed)
write(folder / "scan.pdf", 12, lambda page, _: page.drawImage(SCAN, 0, 0, *A4))
