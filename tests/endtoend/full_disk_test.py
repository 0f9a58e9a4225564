"""A full disk: the server says so, shows on, loses nothing that it had answered, and goes on by itself when there is room.

The disk is full for the server alone: its files may not grow any more (RLIMIT_FSIZE), which needs no privileges."""

import json
import pathlib
import resource
import shutil
import subprocess
import time
import unittest

from harness import GHM, Fleet, fetch, run, wait_for

ROOM = 64 << 10  # less than the store's log has grown to by then
POWER = "DCGM_FI_DEV_POWER_USAGE"


class FullDisk(unittest.TestCase):
    def setUp(self):
        self.fleet = Fleet(gpus=16)
        self.fleet.wait_for_gpus(16)
        self.serial = self.fleet.api("gpus?sort=serial")["items"][0]["serial"]

    def tearDown(self):
        self.fleet.stop()
        shutil.rmtree(self.fleet.folder, ignore_errors=True)

    def limit_files(self, size):
        resource.prlimit(self.fleet.server.process.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

    def history(self, start, end):
        answer = self.fleet.api(f"gpus/{self.serial}/metrics?metrics={POWER}&start={start}&end={end}&interval=1s")
        return {t: v for t, v in zip(answer["t"], answer["series"][POWER]["last"]) if v is not None}

    def ready(self):
        status, _, body = fetch(self.fleet.url + "/readyz")
        return status, body.decode()

    def test_says_so_loses_nothing_and_goes_on(self):
        data = pathlib.Path(self.fleet.folder) / "data"
        wait_for(lambda: (data / "ghm.db-wal").stat().st_size > 2 * ROOM, 30, "a log that has grown")
        wait_for(lambda: len(self.history(int(time.time()) - 20, int(time.time()))) >= 5, 30, "some history")
        begin = int(time.time()) - 20
        self.limit_files(ROOM)
        full_from = int(time.time())
        wait_for(lambda: self.ready()[0] == 503, 20, "readyz 503")
        self.assertRegex(json.loads(self.ready()[1])["reasons"][0], r"readings cannot be kept: .*; (free some space|look at the volume)")
        before = self.history(begin, full_from - 1)
        self.assertGreater(len(before), 3)
        time.sleep(6)
        self.assertEqual(self.fleet.api("fleet/summary")["reporting_gpus"], 16, "the live view goes on")
        self.assertEqual(self.ready()[0], 503)

        self.limit_files(resource.RLIM_INFINITY)
        full_until = int(time.time())
        wait_for(lambda: self.ready()[0] == 200, 30, "readyz 200 after there is room again")
        self.assertIn("store.recovered", self.fleet.server.text())
        waited = range(full_from + 1, full_until - 1)

        def all_of_it():
            whole = self.history(begin, full_until)
            return whole if sum(t in whole for t in waited) >= len(waited) * 2 // 3 else None  # a scrape may miss a second

        whole = wait_for(all_of_it, 20, "the readings of the time in which the disk was full")
        self.assertEqual({t: whole.get(t) for t in before}, before)

        self.fleet.server.kill()
        self.fleet.start()
        after = self.history(begin, full_until)
        self.assertEqual({t: after.get(t) for t in whole}, whole)

    def test_a_start_and_a_backup_without_room_are_one_sentence(self):
        def no_room():
            resource.setrlimit(resource.RLIMIT_FSIZE, (2048, 2048))

        config = pathlib.Path(self.fleet.folder) / "full.yaml"
        config.write_text(f"listen: 127.0.0.1:1\ndata_dir: {self.fleet.folder}/full\nscrape:\n  targets: [127.0.0.1:1]\n")
        for args in (["serve", "--config", config], ["backup", "--config", self.fleet.config, "--to", f"{self.fleet.folder}/backup"]):
            done = subprocess.run([GHM, *map(str, args)], capture_output=True, text=True, timeout=30, preexec_fn=no_room)
            self.assertEqual(done.returncode, 1, (args, done.stderr))
            self.assertRegex(done.stderr, r"ghm: .*(free some space|look at the volume)", args)
        self.assertEqual(run("backup", "--config", self.fleet.config, "--to", f"{self.fleet.folder}/backup").returncode, 0, "then there is room")


if __name__ == "__main__":
    unittest.main()
