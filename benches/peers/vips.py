"""libvips. Its number of threads comes from VIPS_CONCURRENCY."""

import pyvips

import worker

photo, threads = worker.arguments()
run = worker.mapping(threads)
pyvips.cache_set_max(0)  # or it would remember the answer


def encoded(image):
    # At quality 90 it would keep every colour sample, unless told not to.
    return image.jpegsave_buffer(Q=worker.QUALITY, subsample_mode="on", keep="none")


def tiles():
    whole = pyvips.Image.thumbnail_buffer(photo, worker.TILE * worker.ACROSS).copy_memory()
    return run(lambda at: encoded(whole.crop(*at, worker.TILE, worker.TILE)), worker.BOXES)


def small():
    return [encoded(pyvips.Image.thumbnail_buffer(photo, worker.TILE))]


worker.serve({"tiles": tiles, "small": small})
