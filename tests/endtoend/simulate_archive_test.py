"""A simulated archive: made, counted, imported without a refusal, made again to the same bytes, its truth apart from it."""

import csv
import hashlib
import json
import pathlib
import shutil
import tempfile
import unittest

import harness

GPUS, DAYS, STEP = 64, 4, 120


def simulate(out, *more, expect=0, seed=11):
    done = harness.run("simulate", "archive", "--out", out, "--gpus", GPUS, "--days", DAYS, "--interval", f"{STEP}s", "--seed", seed, *more, timeout=120)
    assert done.returncode == expect, done.stderr
    return json.loads(done.stdout) if "--json" in more and expect == 0 else done


def digests(folder):
    return {str(f.relative_to(folder)): hashlib.sha256(f.read_bytes()).hexdigest() for f in folder.rglob("*") if f.is_file()}


def table(path):
    with open(path, newline="") as f:
        return list(csv.DictReader(f))


class SimulateArchiveTest(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="ghm-e2e-simulate-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def test_what_is_made_is_imported_whole(self):
        out, truth = self.folder / "a", self.folder / "truth"
        report = simulate(out, "--scenario", "shifted", "--plain", "--truth", truth, "--json")
        manifest = json.loads((out / "manifest.json").read_text())
        self.assertEqual((manifest["format"], manifest["version"], manifest["simulated"], manifest["interval_s"]), ("fleet-archive", 1, True, STEP))

        days = sorted((out / "telemetry").iterdir())
        self.assertEqual(len(days), DAYS)
        rows = cells = 0
        last = ""
        for day in days:
            with open(day, newline="") as f:
                reader = csv.reader(f)
                header = next(reader)
                self.assertEqual((len(header), len(set(header)), header[:2]), (42, 42, ["time", "gpu_uuid"]))
                for row in reader:
                    self.assertGreaterEqual(row[0], last)
                    last = row[0]
                    rows += 1
                    cells += sum(cell != "" for cell in row[2:])
        assets, failures, events = (table(out / f"{name}.csv") for name in ("assets", "failures", "events"))
        self.assertEqual((report["rows"], report["stays"], report["failures"], report["events"]), (rows, len(assets), len(failures), len(events)))
        lost = report["rows_missing"] / (rows + report["rows_missing"])
        self.assertTrue(0.05 < lost < 0.10, lost)

        done = harness.run("import", out, "--data-dir", self.folder / "data", "--json", timeout=60)
        self.assertEqual(done.returncode, 0, done.stderr)
        seen = json.loads(done.stdout)
        self.assertEqual((seen["refused"], seen["warnings"]), ({}, []))
        self.assertEqual((seen["rows"], seen["cells"], seen["stays"], seen["failures"]), (rows, cells, len(assets), len(failures)))
        self.assertEqual({b["gpu_uuid"] for b in table(truth / "boards.csv")}, {a["gpu_uuid"] for a in assets})

    def test_the_same_seed_gives_the_same_bytes_and_the_truth_changes_none(self):
        simulate(self.folder / "a")
        simulate(self.folder / "b", "--truth", self.folder / "truth")
        simulate(self.folder / "c", seed=12)
        a, b, c = (digests(self.folder / name) for name in "abc")
        self.assertEqual(a, b)
        self.assertNotEqual(a, c)
        self.assertTrue(all(name.endswith(".csv.zst") or name == "manifest.json" for name in a), a)
        self.assertEqual(sorted(f.name for f in (self.folder / "truth").iterdir()), ["boards.csv", "failures.csv", "regimes.csv"])

    def test_a_healthy_fleet_has_no_failures_and_wrong_options_are_a_sentence(self):
        report = simulate(self.folder / "h", "--scenario", "healthy", "--json")
        self.assertEqual(report["failures"], 0)
        again = simulate(self.folder / "h", expect=1)
        self.assertIn("not empty", again.stderr)
        inside = simulate(self.folder / "i", "--truth", self.folder / "i" / "truth", expect=1)
        self.assertIn("must not hold the truth", inside.stderr)
        simulate(self.folder / "j", "--scenario", "sunny", expect=2)
        self.assertIn("example", harness.run("simulate", "archive", "--help").stdout)


if __name__ == "__main__":
    unittest.main()
