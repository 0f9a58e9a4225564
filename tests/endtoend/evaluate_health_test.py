"""`ghm evaluate health` on a small simulated fleet: its figures worked out again from the table of scores and the archive's own files."""

import csv
import datetime
import json
import pathlib
import shutil
import tempfile
import unittest

import harness

DAY = 86400
GPUS, DAYS = 96, 45
PROFILES = ("baseline", "v1")


def seconds(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def table(path):
    with open(path, newline="") as f:
        return list(csv.DictReader(f))


def auc(scores):
    """Share of (bad, good) pairs in which the bad one is lower; ties count half."""
    bad, good = [s for s, is_bad in scores if is_bad], [s for s, is_bad in scores if not is_bad]
    return sum((b < g) + (b == g) / 2 for b in bad for g in good) / (len(bad) * len(good))


def average_precision(scores):
    total, found, called, area = sum(is_bad for _, is_bad in scores), 0, 0, 0.0
    for border in sorted({s for s, _ in scores}):
        here = [is_bad for s, is_bad in scores if s == border]
        called += len(here)
        found += sum(here)
        area += sum(here) * found / called
    return area / total


def evaluate(*args, expect=0):
    done = harness.run("evaluate", "health", *args, timeout=240)
    assert done.returncode == expect, done.stderr
    return done


class EvaluateHealthTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="ghm-e2e-evaluate-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        cls.archive, cls.truth = cls.folder / "a", cls.folder / "truth"
        made = harness.run("simulate", "archive", "--out", cls.archive, "--truth", cls.truth, "--gpus", GPUS, "--days", DAYS, "--interval", "1800s", "--seed", 13,
                           "--scenario", "wearout", "--plain", timeout=120)  # fmt: skip
        assert made.returncode == 0, made.stderr
        cls.scores = cls.folder / "scores.csv"
        done = evaluate("--archive", cls.archive, "--truth", cls.truth, "--scores", cls.scores, "--rules", "--json")
        cls.told = json.loads(done.stdout)
        cls.rows = table(cls.scores)
        cls.failures = table(cls.archive / "failures.csv")
        cls.assets = {a["gpu_uuid"]: a for a in table(cls.archive / "assets.csv")}
        cls.end = seconds(json.loads((cls.archive / "manifest.json").read_text())["end"])

    def target(self, name):
        return next(t for t in self.told["targets"] if t["target"] == name)

    def test_every_board_in_service_is_scored_every_day(self):
        self.assertEqual(len(self.rows), self.told["moments"])
        self.assertEqual(len({(r["at"], r["gpu_uuid"]) for r in self.rows}), len(self.rows))
        self.assertGreater(len(self.rows), GPUS * (DAYS - 3))
        for row in self.rows:
            broken = [f for f in self.failures if f["gpu_uuid"] == row["gpu_uuid"] and f["detected_at"] <= row["at"]
                      and (not f["resolved_at"] or row["at"] < f["resolved_at"])]  # fmt: skip
            self.assertEqual(broken, [])

    def test_outcomes_are_those_of_the_archive(self):
        self.assertGreater(len(self.failures), 3, "another seed is wanted")
        for row in self.rows:
            at = seconds(row["at"])
            times = sorted(seconds(f["detected_at"]) for f in self.failures if f["gpu_uuid"] == row["gpu_uuid"])
            gone = self.assets[row["gpu_uuid"]]["retired_at"]
            for name, horizon in (("failure_30d", 30 * DAY), ("failure_7d", 7 * DAY)):
                want = "1" if any(at < t <= at + horizon for t in times) else "0"
                if at + horizon > self.end or (want == "0" and gone and seconds(gone) < at + horizon):
                    want = ""
                self.assertEqual(row[name], want, row)
            if any(t <= at for t in times):
                self.assertEqual(row["first_failure_30d"], "")

    def test_signs_are_those_of_the_truth(self):
        signs = [(t["gpu_uuid"], seconds(t["sign_from"]), seconds(t["detected_at"])) for t in table(self.truth / "failures.csv") if t["sign_from"]]
        for row in self.rows:
            at = seconds(row["at"])
            self.assertEqual(row["sign_now"], str(int(any(u == row["gpu_uuid"] and a <= at < b for u, a, b in signs))))

    def test_figures_follow_from_the_table(self):
        for target in self.told["targets"]:
            known = [r for r in self.rows if r[target["target"]]]
            self.assertEqual(len(known), target["moments"])
            self.assertEqual(sum(r[target["target"]] == "1" for r in known), target["bad"])
            for profile in target["profiles"]:
                scores = [(float(r[profile["profile"]]), r[target["target"]] == "1") for r in known if r[profile["profile"]]]
                self.assertEqual(len(known) - len(scores), profile["no_score"])
                degraded, confusion = [bad for s, bad in scores if s < 70], profile["degraded"]
                self.assertEqual((sum(degraded), len(degraded) - sum(degraded)), (confusion["bad_called"], confusion["good_called"]))
                if not any(bad for _, bad in scores):
                    self.assertIsNone(profile["auc"])
                    continue
                self.assertAlmostEqual(auc(scores), profile["auc"], 9)
                self.assertAlmostEqual(average_precision(scores), profile["pr_auc"], 9)
                if profile["auc_interval_95"]:
                    low, high = profile["auc_interval_95"]
                    self.assertTrue(0 <= low <= profile["auc"] <= high <= 1)
                try:
                    import sklearn.metrics as peer
                except ImportError:
                    continue
                self.assertAlmostEqual(peer.roc_auc_score([b for _, b in scores], [-s for s, _ in scores]), profile["auc"], 9)
                self.assertAlmostEqual(peer.average_precision_score([b for _, b in scores], [-s for s, _ in scores]), profile["pr_auc"], 9)

    def test_the_same_archive_gives_the_same_answer(self):
        again = evaluate("--archive", self.archive, "--truth", self.truth, "--rules", "--json")
        self.assertEqual(json.loads(again.stdout), self.told)

    # A score of `ghm score case` knows no more than what the evaluation gives it: the same readings, the same score.
    def test_a_board_without_readings_has_no_score(self):
        bare = self.folder / "bare"
        shutil.copytree(self.archive, bare)
        for day in sorted((bare / "telemetry").iterdir())[10:]:
            day.unlink()
        done = evaluate("--archive", bare, "--json")
        told = json.loads(done.stdout)
        target = next(t for t in told["targets"] if t["target"] == "failure_7d")
        self.assertGreater(target["profiles"][0]["no_score"], GPUS * 20)
        self.assertNotIn("sign_now", [t["target"] for t in told["targets"]])

    def test_text_for_people(self):
        done = evaluate("--archive", self.archive, "--profile", "v1")
        self.assertIn("the board fails within 30 days", done.stdout)
        self.assertIn("v1", done.stdout)
        self.assertNotIn("baseline", done.stdout)

    def test_bad_input_is_one_sentence(self):
        bare = self.folder / "no-telemetry"
        bare.mkdir(exist_ok=True)
        for name in ("manifest.json", "assets.csv", "failures.csv"):
            shutil.copy(self.archive / name, bare / name)
        swapped = self.folder / "swapped"
        shutil.copytree(self.archive, swapped)
        days = sorted((swapped / "telemetry").iterdir())
        days[0].rename(swapped / "telemetry" / "z.csv")
        cases = [
            (("--archive", self.folder / "nowhere"), "no such folder"),
            (("--archive", bare), "has no telemetry"),
            (("--archive", swapped), "in order of time"),
            (("--archive", self.archive, "--truth", bare.parent), "no failures.csv"),
            (("--archive", self.archive, "--archive", self.archive, "--truth", self.truth), "one for each"),
            (("--archive", self.archive, "--every", "1m"), "15m or more"),
            (("--archive", self.archive, "--every", "soon"), "--every"),
            (("--archive", self.archive, "--scores", self.folder / "no" / "where.csv"), "cannot be written"),
        ]
        for args, said in cases:
            done = evaluate(*args, expect=1)
            self.assertIn(said, done.stderr)
            self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
            self.assertEqual(done.stdout, "")
        evaluate("--archive", self.archive, "--profile", "v9", expect=2)


if __name__ == "__main__":
    unittest.main()
