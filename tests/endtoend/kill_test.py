"""kill -9 of the whole program at random instants: what the API had answered is there after the restart, and once.

GHM_KILLS says how often (20), GHM_TEST_SEED tells another story."""

import os
import random
import shutil
import time
import unittest

from harness import Fleet, get_json, wait_for

KILLS = int(os.environ.get("GHM_KILLS", "20"))
SEED = int(os.environ.get("GHM_TEST_SEED", "9"))
METRICS = "DCGM_FI_DEV_POWER_USAGE,DCGM_FI_DEV_GPU_TEMP,DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION"


class Kill(unittest.TestCase):
    def setUp(self):
        self.fleet = Fleet(gpus=32)
        self.fleet.wait_for_gpus(32)
        self.serials = [g["serial"] for g in self.fleet.api("gpus?sort=serial")["items"]]

    def tearDown(self):
        self.fleet.stop()
        shutil.rmtree(self.fleet.folder, ignore_errors=True)

    def history(self, serial, start, end):
        """Seconds with readings: (metric, second) → what the API says of it."""
        answer = get_json(f"{self.fleet.url}/api/v1/gpus/{serial}/metrics?metrics={METRICS}&start={start}&end={end}&interval=1s")
        seen = {}
        for metric, columns in answer["series"].items():
            for i, last in enumerate(columns["last"]):
                if last is not None:
                    seen[metric, answer["t"][i]] = tuple(columns[name][i] for name in sorted(columns) if isinstance(columns[name], list))
        return seen

    def events(self):
        events = [tuple(sorted((k, str(v)) for k, v in e.items())) for e in self.fleet.api("events?limit=1000")["items"]]
        self.assertEqual(len(events), len(set(events)), "an event stands twice")
        return set(events)

    def test_what_was_answered_is_there_afterwards(self):
        choose = random.Random(SEED)
        compared = 0
        for kill in range(KILLS):
            serials = choose.sample(self.serials, 3)
            now = int(time.time())
            time.sleep(choose.uniform(0.05, 1.0))
            shown = {s: self.history(s, now - 30, now + 2) for s in serials}
            events = self.events()
            self.fleet.server.kill()
            self.fleet.start()
            for serial in serials:
                after = self.history(serial, now - 30, now + 2)
                for place, values in shown[serial].items():
                    self.assertIn(place, after, f"kill {kill}: {serial}: lost")
                    if place[1] < now - 2:  # that second is over and kept: not one reading more, not one less
                        self.assertEqual(after[place], values, f"kill {kill}: {serial} {place}")
                        compared += 1
            self.assertLessEqual(events, self.events(), f"kill {kill}: an event is lost")
            boards = [g["serial"] for g in self.fleet.api("gpus?sort=serial")["items"]]
            self.assertEqual(boards, self.serials, f"kill {kill}")
        self.assertGreater(compared, KILLS * 10, "too little was compared")
        wait_for(lambda: self.fleet.api("fleet/summary")["reporting_gpus"] == 32, 20, "all GPUs after the last start")


if __name__ == "__main__":
    unittest.main()
