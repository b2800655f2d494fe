"""Pages and sizes of every PDF in a list, by pypdf."""

import logging
import sys

import pypdf

logging.disable()
read = 0
for path in open(sys.argv[1]).read().split("\n"):
    if path:
        try:
            pages = pypdf.PdfReader(path).pages
            read += bool([(page.cropbox, page.rotation) for page in pages])
        except Exception:
            pass
assert read > 900, f"pypdf read {read} files"
