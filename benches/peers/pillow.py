"""Pillow."""

import io

from PIL import Image

import worker

photo, threads = worker.arguments()
run = worker.mapping(threads)


def encoded(image):
    out = io.BytesIO()
    image.save(out, "JPEG", quality=worker.QUALITY, subsampling=2)
    return out.getbuffer()


def tiles():
    side = worker.TILE
    size = (side * worker.ACROSS, side * worker.DOWN)
    whole = Image.open(io.BytesIO(photo)).resize(size, Image.Resampling.LANCZOS)
    return run(lambda at: encoded(whole.crop((*at, at[0] + side, at[1] + side))), worker.BOXES)


def small():
    size = (worker.TILE, worker.TILE * 3 // 4)
    image = Image.open(io.BytesIO(photo))
    image.draft("RGB", size)  # lets JPEG's transform do part of the shrinking
    return [encoded(image.resize(size, Image.Resampling.LANCZOS))]


worker.serve({"tiles": tiles, "small": small})
