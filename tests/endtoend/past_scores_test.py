"""Health scores of imported time: there over the whole of it, the same when the import was killed, and worked out by a server that
finds a folder without them."""

import json
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time
import unittest
from datetime import datetime, timedelta, timezone

import harness

DAYS = 3
BOARDS = 8


def stamp(t):
    return t.strftime("%Y-%m-%dT%H:%M:%SZ")


def at(text):
    return datetime.strptime(text[:19], "%Y-%m-%dT%H:%M:%S").replace(tzinfo=timezone.utc)


class PastScoresTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="ghm-e2e-past-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        cls.start = (datetime.now(timezone.utc) - timedelta(days=DAYS + 1)).replace(hour=0, minute=0, second=0, microsecond=0)
        made = harness.run("simulate", "archive", "--out", cls.folder / "archive", "--gpus", BOARDS, "--days", DAYS, "--interval", "60s", "--seed", 5,
                           "--scenario", "pessimistic", "--start", stamp(cls.start))
        assert made.returncode == 0, made.stderr
        done = harness.run("import", cls.folder / "archive", "--data-dir", cls.folder / "bare", "--no-scores", "--json")
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["scores"]["rounds"] == 0
        shutil.copytree(cls.folder / "bare", cls.folder / "whole")
        cls.whole = cls.import_again(cls.folder / "whole")
        cls.want = cls.histories(cls.folder / "whole")

    @classmethod
    def import_again(cls, data):
        done = harness.run("import", cls.folder / "archive", "--data-dir", data, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)["scores"]

    @classmethod
    def serve(cls, data):
        port = harness.free_ports()
        config = cls.folder / f"{data.name}.yaml"
        config.write_text(f"listen: 127.0.0.1:{port}\ndata_dir: {data}\nscrape:\n  interval: 10s\n  targets: [127.0.0.1:9]\n")
        return harness.Program(cls.folder, "serve", "--config", config), f"http://127.0.0.1:{port}/api/v1/"

    @classmethod
    def ask_histories(cls, api):
        """Every board's change points by serial."""
        harness.wait_for(lambda: harness.get_json(api + "fleet/summary")["total_gpus"] == BOARDS, what="the boards")
        span = f"?start={stamp(cls.start)}&end={stamp(cls.start + timedelta(days=DAYS))}"
        serials = [g["serial"] for g in harness.get_json(api + "gpus?limit=100")["items"]]
        return {s: harness.get_json(api + f"gpus/{s}/health/history{span}")["items"] for s in serials}

    @classmethod
    def histories(cls, data):
        server, api = cls.serve(data)
        try:
            return cls.ask_histories(api)
        finally:
            server.stop()

    def test_history_is_there_over_the_whole_time(self):
        self.assertGreaterEqual(self.whole["rounds"], BOARDS * (DAYS * 96 - 24), self.whole)
        self.assertEqual(self.import_again(self.folder / "whole")["rounds"], 0, "nothing is scored twice")
        self.assertEqual(len(self.want), BOARDS)
        for serial, points in self.want.items():
            self.assertLessEqual(at(points[0]["at"]), self.start + timedelta(hours=1), serial)
            self.assertIsNotNone(points[-1]["score"], serial)
        self.assertEqual(self.whole["board_hours"], BOARDS * DAYS * 24)
        self.assertGreater(sum(len(points) for points in self.want.values()), BOARDS, "some score changed on the way")

    def test_killed_anywhere_the_scores_end_the_same(self):
        for share in (0.2, 0.6):
            data = self.folder / f"killed-{share}"
            shutil.copytree(self.folder / "bare", data)
            process = subprocess.Popen([harness.GHM, "import", str(self.folder / "archive"), "--data-dir", str(data)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(max(0.2, share * self.whole["seconds"]))
            process.send_signal(signal.SIGKILL)
            process.wait()
            again = self.import_again(data)
            self.assertLessEqual(again["rounds"], self.whole["rounds"])
            self.assertEqual(self.histories(data), self.want, f"killed after {share}, then {again['rounds']} rounds more")

    def test_a_server_finds_what_lacks_scores(self):
        data = self.folder / "served"
        shutil.copytree(self.folder / "bare", data)
        server, api = self.serve(data)
        self.addCleanup(server.stop)
        self.assertTrue(all(points == [] for points in self.ask_histories(api).values()))
        harness.wait_for(lambda: self.ask_histories(api) == self.want, 100, "the same scores in the background")


if __name__ == "__main__":
    unittest.main()
