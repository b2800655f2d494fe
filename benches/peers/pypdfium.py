"""Draws every page of a PDF by pypdfium2, the long side 3072: `draw` drops it, `jpeg` encodes it."""

import io
import sys

import pypdfium2

what, path = sys.argv[1:]
document = pypdfium2.PdfDocument(path)
for page in document:
    bitmap = page.render(scale=3072 / max(page.get_size()))
    if what == "jpeg":
        bitmap.to_pil().convert("RGB").save(io.BytesIO(), "JPEG", quality=90)
