"""Tests of the README's rows of speed; `python3 -m unittest discover -s benches/peers`."""

import unittest

import speed

RUN = (
    "`cargo bench --locked -p mediaprep-benches --bench {part}{quick}`, 2026-11-20, Some Processor, "
    "2 cores, Linux 6; cores busy before: {busy}."
)
# As the harnesses print; the whole job prints Markdown.
WHOLE = """\
6 photographs, 1 PDFs of 20 pages; rounds: 3, the least of each.

| tool | × our wall | × our CPU | wall s | CPU s | largest process MB | all processes MB |
| --- | --- | --- | --- | --- | --- | --- |
| mediaprep, 2 threads | 1.00 | 1.00 | 15.9 | 10.0 | 132 | 230 |
| mediaprep, 1 thread | 1.30 | 0.97 | 20.7 | 9.7 | 90 | 131 |
| script | 4.03 | 1.75 | 64.1 | 17.4 | 268 | 260 |

| goal | measured | wanted | |
| --- | --- | --- | --- |
| script's wall ÷ ours at 2 threads | 4.03 | ≥ 4 | met |
"""
IMAGES = """\
4000x3000 JPEG, 4:2:0, 3.46 MB; least and middle of 9 interleaved runs

fitted to 3072x2304, 12 tiles of 768x768, JPEG 90; threads: 1
 tool         x our CPU    x our wall          CPU ms         wall ms     kB    dB  peak MB
 ours       1.00 / 1.00   1.00 / 1.00   136.0 / 140.1   137.5 / 141.0   1850     -       95
 vips       1.54 / 1.50   1.61 / 1.60   209.4 / 210.0   221.4 / 230.0   1846  41.2      135
 pillow     3.13 / 3.20   3.20 / 3.30   425.7 / 440.0   440.0 / 450.0   1846  same        -

 passed through (read and hashed): 1000 / 900 MB/s, 1000 / 900 MB per second of CPU time
"""
FILM = """\
a keyframe each 250 frames: s      x its CPU x its wall per CPU-s     per s
  mediaprep --video frames              1.00       1.00      20.0      21.5
  ffmpeg -vf fps=1                      2.00       2.10      10.0      10.2

frames: 60 ours, 60 of ffmpeg

1 kbit/s: s                        x its CPU x its wall per CPU-s     per s
  mediaprep, 1kbps                      1.00       1.00     100.0     101.0
  ffmpeg, Codec2 of 700 bit/s           0.90       0.95     111.1     106.3

1 minute on 1 threads: 71 MB
"""
PDF = """\
facts: files                       x its CPU x its wall per CPU-s     per s
  mediaprep probe                       1.00       1.00    2000.0    3000.0
  pypdf                                 6.80      10.20     294.1     294.1

text: pages drawn                  x its CPU x its wall per CPU-s     per s
  hayro                                 1.00       1.00      20.0      20.0
  PDFium                                0.90       0.90      22.2      22.2

text: pages as JPEG                x its CPU x its wall per CPU-s     per s
  mediaprep, PDFium, 1 worker           1.00       1.00       7.5       7.5
  mediaprep, hayro, 1 worker            1.06       1.06       7.1       7.1
  pdftoppm -jpeg                        0.54       0.54      13.8      13.8
"""
FOLDER = """\
10000 pictures, warm cache, medians of interleaved runs
 tool                          ours is    files/s     CPU s   peak MB
 mediaprep budget, 2 threads      1.0x     115078      0.12      40.3
 mediaprep budget, 1 thread       1.1x     106786      0.10      38.5
 imagesize crate, 1 thread        0.6x     189508      0.04       2.8
 Pillow, 2 processes             53.5x       2151      9.00      21.3
 exiftool -fast2, 500 files     220.6x        500      0.95      43.8
 1000000 facts as ndjson, gemini-3.5-flash: 424718 facts/s, peak 38.0 MB
"""
SEND = """\
a request with 64 MB inside             CPU  GB/CPU-s    GB/s  first is   memory
  mediaprep                           41 ms      1.57    1.50     1.00x     1 MB
  google-genai                       971 ms      0.07    0.05    23.81x   320 MB
  a bare socket, no base64            20 ms      3.10    3.00     0.50x     0 MB

base64 of 64 MB in memory               CPU  GB/CPU-s    GB/s  first is   memory
  mediaprep's Body::reader            17 ms      3.80    3.80     1.00x     1 MB
  base64 crate, STANDARD              30 ms      2.10    2.10     1.80x    90 MB
"""
TEXTS = {
    "whole": WHOLE, "images": IMAGES, "film": FILM, "pdf": PDF, "folder": FOLDER, "send": SEND,
}


def page(quick="", busy="0.1", **changed):
    """A page with every part; a part that is changed to nothing was never run."""
    blocks = []
    for part, text in (TEXTS | changed).items():
        said = f"\n{RUN.format(part=part, quick=quick, busy=busy)}\n\n```text\n{text}```" if text else ""
        blocks.append(f"<!-- {part}:begin -->\n{said}\n<!-- {part}:end -->")
    return "\n\n".join(blocks)


def rows(part):
    return [str(job) for job in speed.jobs(page(), part)]


class Parts(unittest.TestCase):
    def test_the_whole_job_leaves_our_other_threads_and_the_goals_out(self):
        self.assertEqual(rows("whole"), [
            "| the whole job: 6 photographs, 1 PDFs of 20 pages; ours on 2 threads, "
            "the script by google-genai, Pillow, PyAV and pypdfium2 | 15.9 s, 230 MB "
            "| script 1.75 / 4.03 (260 MB) |",
        ])

    def test_pictures_by_their_least_runs(self):
        self.assertEqual(rows("images"), [
            "| a JPEG of 12 megapixels: fitted to 3072x2304, 12 tiles of 768x768, JPEG 90; 1 thread "
            "| 137.5 ms, 95 MB | libvips 1.54 / 1.61 (135 MB); Pillow 3.13 / 3.20 |",
        ])

    def test_films_and_sounds(self):
        self.assertEqual(rows("film"), [
            "| a minute of 1080p to a JPEG a second, a keyframe each 250 frames | 21.5 × real time "
            "| ffmpeg -vf fps=1 2.00 / 2.10 |",
            "| ten minutes of MP3 to 1 kbit/s | 101 × real time | ffmpeg, Codec2 of 700 bit/s "
            "0.90 / 0.95 |",
        ])

    def test_pages_as_jpeg_and_not_those_thrown_away(self):
        self.assertEqual(rows("pdf"), [
            "| facts of 1,000 PDFs | 3,000 files/s | pypdf 6.80 / 10.2 |",
            "| PDF pages of dense text to JPEG of 3072 pixels, 1 process | 7.50 pages/s "
            "| pdftoppm -jpeg 0.54 / 0.54 |",
        ])

    def test_headers_on_as_many_threads_and_for_each_file(self):
        self.assertEqual(rows("folder"), [
            "| sizes of 10,000 pictures, ours with tokens and cost; 1 thread | 106,786 files/s, 38 MB "
            "| imagesize crate 0.40 / 0.56 (3 MB); exiftool -fast2 190 / 214 (44 MB) |",
            "| sizes of 10,000 pictures, ours with tokens and cost; 2 threads | 115,078 files/s, 40 MB "
            "| Pillow 75.0 / 53.5 (21 MB) |",
        ])

    def test_no_ratio_to_what_is_too_little(self):
        text = FOLDER.replace(" 0.10 ", " 0.00 ")
        first = str(speed.jobs(page(folder=text), "folder")[0])
        self.assertIn("imagesize crate – / 0.56 (3 MB)", first)

    def test_clients_and_neither_the_floor_nor_base64(self):
        self.assertEqual(rows("send"), [
            "| a request with 64 MB inside | 41 ms of CPU, 1 MB | google-genai 23.8 / 30.0 (320 MB) |",
        ])


class Summary(unittest.TestCase):
    def test_it_has_every_part_once_and_in_order(self):
        text = "\n".join(speed.summary(page()))
        marks = ("whole job", "12 megapixels", "1080p", "PDFs |", "sizes of", "a request")
        places = [text.index(mark) for mark in marks]
        self.assertEqual(places, sorted(places))
        self.assertIn("`send` 2026-11-20; Some Processor, 2 cores.", text)
        self.assertNotIn("Not run", text)

    def test_a_part_that_was_never_run_is_named(self):
        text = speed.summary(page(film="", send=""))[-1]
        self.assertTrue(text.endswith("Not run: `film`, `send`."), text)
        none = speed.summary(page(**dict.fromkeys(TEXTS, "")))
        self.assertTrue(none[-1].startswith("Run: none."), none)
        self.assertEqual(len(none), 3)

    def test_a_quick_run_on_a_busy_machine_says_so(self):
        text = speed.summary(page(quick=" -- --quick", busy="1.9"))[-1]
        self.assertIn("`film` 2026-11-20 (one quick round, beside 1.9 busy cores)", text)
        self.assertIn("trust the CPU times", text)
        self.assertNotIn("trust", speed.summary(page())[-1])

    def test_a_table_of_another_form_is_an_error(self):
        for part in TEXTS:
            with self.assertRaisesRegex(ValueError, part):
                speed.jobs(page(**{part: "something else\n"}), part)

    def test_markers_are_needed(self):
        with self.assertRaises(ValueError):
            speed.summary("nothing")


if __name__ == "__main__":
    unittest.main()
