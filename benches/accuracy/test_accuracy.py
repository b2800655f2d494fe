"""Tests of the accuracy tables; `python3 -m unittest discover -s benches/accuracy`."""

import tempfile
import unittest
from pathlib import Path

import cases
import estimators
import tables


def case(*items, model="gemini-2.5-pro", recorded=258):
    return cases.Case("x", model, "developer-api", "billed", "2026-01-01", items, recorded)


def image(width, height):
    return cases.Item("image", {"kind": "image", "width": width, "height": height})


class Estimators(unittest.TestCase):
    def test_the_snippet_rounds_both_sides_up(self):
        self.assertEqual(estimators.tile_snippet(case(image(768, 768))), 258)
        self.assertEqual(estimators.tile_snippet(case(image(769, 768))), 516)
        self.assertEqual(estimators.tile_snippet(case(image(1, 1), image(1, 1))), 516)

    def test_the_snippet_has_no_answer_to_pages(self):
        self.assertIsNone(estimators.tile_snippet(case(cases.Item("document", {"pages": 1}))))

    def test_gemini_cli_is_fixed_for_images_and_pdfs(self):
        both = case(image(10, 10), cases.Item("document", {"pages": 1}))
        self.assertEqual(estimators.gemini_cli(both), 28_800)

    def test_gemini_cli_takes_a_quarter_of_what_is_sent(self):
        with tempfile.NamedTemporaryFile() as file:
            file.write(bytes(3000))
            file.flush()
            sound = cases.Item("audio", {}, path=Path(file.name), mime_type="audio/mpeg")
            # 4,000 characters of base64 and 50 around them.
            self.assertEqual(estimators.gemini_cli(case(sound)), 1012)
        self.assertIsNone(estimators.gemini_cli(case(cases.Item("audio", {}))))


class Statistics(unittest.TestCase):
    def test_scores(self):
        score = tables.Score.of([(258, 258), (516, 258), (None, 1), (129, 258)])
        self.assertEqual((score.cases, score.exact, score.worst), (3, 1, 2.0))
        self.assertAlmostEqual(score.mean_error, 0.5)

    def test_nothing_against_something_is_infinitely_wrong(self):
        score = tables.Score.of([(0, 258), (258, 258)])
        self.assertEqual((score.worst, score.mean_error), (float("inf"), 0.5))
        # What is recorded as nothing has no share and no factor, but is a miss.
        score = tables.Score.of([(5, 0)])
        self.assertEqual((score.cases, score.exact, score.worst), (1, 0, None))
        self.assertEqual(tables.Score.of([(0, 0)]).exact, 1)

    def test_no_answer_is_a_dash(self):
        line = tables.row("video", "x", 3, tables.Score.of([(None, 1)] * 3))
        self.assertEqual(line, "| video | x | – | – | – | – | – |")

    def test_one_miss_is_never_a_hundred_percent(self):
        self.assertEqual(tables.percent(9999 / 10000), "99.9 %")
        self.assertEqual(tables.percent(1), "100.0 %")

    def test_only_what_is_between_markers_changes(self):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "page.md"
            path.write_text("a\n<!-- x:begin -->\nold\n<!-- x:end -->\nb\n")
            tables.write_between(path, "x", ["new"])
            self.assertEqual(path.read_text(), "a\n<!-- x:begin -->\nnew\n<!-- x:end -->\nb\n")
            with self.assertRaises(ValueError):
                tables.write_between(path, "y", [])


class WorkedAnswers(unittest.TestCase):
    def test_the_repository_has_them(self):
        found = cases.worked(Path(__file__).resolve().parents[2])
        self.assertGreater(len(found), 100)
        self.assertEqual({case.mark for case in found}, {"M", "D"})
        self.assertEqual(
            {item.kind for case in found for item in case.items},
            {"image", "video", "audio", "document"},
        )

    def test_tokens(self):
        wanted = {"258,258": 516, "7890/900": 8790, "1089,+1": 1089, "<=4200/1500": 5700}
        for text, tokens in wanted.items():
            self.assertEqual(cases.answer_tokens(text), tokens)

    def test_items(self):
        video = cases.request_item("video 640x360 container=5 track=4 frames=120/24 audio=none fps=2")
        self.assertEqual(video.fps, "2")
        self.assertEqual(video.facts["frame_span_s"], "5.000000000")
        self.assertEqual((video.facts["has_audio"], video.facts["video_duration_s"]), (False, "4"))
        pages = cases.request_item("page 612x792 x17 low in-function-response")
        self.assertEqual((pages.kind, pages.facts["pages"], pages.level), ("document", 17, "low"))
        self.assertTrue(pages.in_function_response)

    def test_families(self):
        for model, family in [
            ("gemini-2.5-pro", "2.5"), ("gemini-3-pro-preview", "3"), ("gemini-3.5-flash", "3"),
            ("gemini-pro-vision", "1"), ("gemini-embedding-2", "embedding"),
        ]:
            self.assertEqual(case(model=model).family, family)

    def test_dates_are_taken_late(self):
        self.assertEqual(cases.late("2025"), "2025-06-28")
        self.assertEqual(cases.late("2025-03"), "2025-03-28")
        self.assertEqual(cases.late("2025-03-01"), "2025-03-01")


if __name__ == "__main__":
    unittest.main()
