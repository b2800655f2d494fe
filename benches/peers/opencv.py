"""OpenCV, with the filter that it advises for shrinking."""

import cv2
import numpy

import worker

photo, threads = worker.arguments()
run = worker.mapping(threads)
cv2.setNumThreads(threads)
photo = numpy.frombuffer(photo, numpy.uint8)
OPTIONS = [
    cv2.IMWRITE_JPEG_QUALITY, worker.QUALITY,
    cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420,
]


def encoded(image):
    return cv2.imencode(".jpg", image, OPTIONS)[1]


def fitted(flags, width, height):
    return cv2.resize(cv2.imdecode(photo, flags), (width, height), interpolation=cv2.INTER_AREA)


def tiles():
    side = worker.TILE
    whole = fitted(cv2.IMREAD_COLOR, side * worker.ACROSS, side * worker.DOWN)
    return run(lambda at: encoded(whole[at[1] : at[1] + side, at[0] : at[0] + side]), worker.BOXES)


def small():
    return [encoded(fitted(cv2.IMREAD_REDUCED_COLOR_4, worker.TILE, worker.TILE * 3 // 4))]


worker.serve({"tiles": tiles, "small": small})
