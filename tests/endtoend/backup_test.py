"""A backup taken beside a running server, restored elsewhere, answers what the server answered."""

import json
import os
import pathlib
import shutil
import stat
import time
import unittest

from harness import Fleet, Program, fetch, free_ports, get_json, run, wait_for

SERIES = "DCGM_FI_DEV_POWER_USAGE,DCGM_FI_DEV_GPU_TEMP"


def history(url, serial, end):
    return get_json(f"{url}/api/v1/gpus/{serial}/metrics?metrics={SERIES}&start={end - 60:.0f}&end={end:.0f}&interval=1s")["series"]


class Backup(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.fleet = Fleet(gpus=16)
        cls.fleet.wait_for_gpus(16)
        cls.data = pathlib.Path(cls.fleet.folder) / "data"
        cls.to = pathlib.Path(cls.fleet.folder) / "backup"

    @classmethod
    def tearDownClass(cls):
        cls.fleet.stop()
        shutil.rmtree(cls.fleet.folder, ignore_errors=True)

    def backup(self, *more):
        done = run("backup", "--config", self.fleet.config, "--to", self.to, "--json", *more)
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def test_1_beside_the_running_server_and_back(self):
        wait_for(lambda: any(history(self.fleet.url, g["serial"], time.time())[SERIES.split(",")[0]]["last"] for g in self.fleet.api("gpus")["items"]), 20)
        time.sleep(3)
        end = time.time() - 1
        serials = [g["serial"] for g in self.fleet.api("gpus")["items"]]
        before = {s: history(self.fleet.url, s, end) for s in serials}
        said = self.backup()
        self.assertIn("ghm.db", said["copied"])
        self.assertFalse((self.to / "admin.token").exists())
        self.assertEqual(fetch(self.fleet.url + "/readyz")[0], 200, "the server runs on")
        self.assertIn("ghm.db", self.backup("--verify")["copied"], "and again into the same folder")

        restored = pathlib.Path(self.fleet.folder) / "restored"
        done = run("restore", "--from", self.to, "--data-dir", restored, "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(json.loads(done.stdout)["damaged"], [])
        port = free_ports()
        config = pathlib.Path(self.fleet.folder) / "restored.yaml"
        config.write_text(f"listen: 127.0.0.1:{port}\ndata_dir: {restored}\nscrape:\n  targets: [127.0.0.1:1]\n")
        server = Program(self.fleet.folder, "serve", "--config", config)
        try:
            url = f"http://127.0.0.1:{port}"
            wait_for(lambda: fetch(url + "/healthz")[0] == 200, what="the restored server")
            for serial in serials:
                self.assertEqual(history(url, serial, end), before[serial], serial)
            self.assertEqual({g["serial"] for g in get_json(url + "/api/v1/gpus")["items"]}, set(serials))
            token = restored / "admin.token"
            self.assertEqual(stat.S_IMODE(os.stat(token).st_mode), 0o600)
            self.assertNotEqual(token.read_text(), (self.data / "admin.token").read_text())
        finally:
            server.stop()

    def test_2_every_refusal_is_one_sentence(self):
        self.backup()
        folder = pathlib.Path(self.fleet.folder)
        cases = [
            ("is no data folder", 1, "backup", "--data-dir", folder, "--to", folder / "x"),
            ("no such folder", 1, "backup", "--data-dir", folder / "nowhere", "--to", folder / "x"),
            ("is the data folder itself", 1, "backup", "--data-dir", self.data, "--to", self.data),
            ("holds no backup of ghm", 1, "backup", "--data-dir", self.data, "--to", folder),
            ("is not empty", 1, "restore", "--from", self.to, "--data-dir", self.data),
            ("holds no backup", 1, "restore", "--from", self.data, "--data-dir", folder / "y"),
            ("in use by process", 1, "migrate", "--data-dir", self.data),
            ("is no data folder", 1, "migrate", "--data-dir", folder / "nowhere"),
            ("--to is required", 2, "backup", "--data-dir", self.data),
            ("excludes", 2, "backup", "--data-dir", self.data, "--config", self.fleet.config, "--to", folder / "x"),
        ]
        for words, code, *args in cases:
            done = run(*args)
            self.assertEqual(done.returncode, code, (args, done.stderr))
            self.assertIn(words, done.stderr, args)
            self.assertEqual(done.stdout, "", args)
            if code == 1:
                self.assertEqual(done.stderr.count("\n"), 1, done.stderr)

    def test_3_a_rotten_day_is_named_and_costs_that_day(self):
        self.backup()
        rotten = pathlib.Path(self.fleet.folder) / "rotten"
        shutil.copytree(self.to, rotten)
        manifest = json.loads((rotten / "manifest.json").read_text())
        manifest["files"].append(dict(manifest["files"][0], name="raw-2026-01-05.db"))
        (rotten / "manifest.json").write_text(json.dumps(manifest))
        (rotten / "raw-2026-01-05.db").write_bytes(b"rotten" * 1000)
        into = pathlib.Path(self.fleet.folder) / "from-rotten"
        done = run("restore", "--from", rotten, "--data-dir", into, "--json")
        self.assertEqual(done.returncode, 1)
        self.assertEqual([d["file"] for d in json.loads(done.stdout)["damaged"]], ["raw-2026-01-05.db"])
        self.assertIn("raw-2026-01-05.db", done.stderr)
        self.assertTrue((into / "ghm.db").exists())
        self.assertTrue((into / "raw-2026-01-05.db.damaged").exists())

    def test_4_migrate_says_what_there_is_to_do(self):
        self.backup()
        into = pathlib.Path(self.fleet.folder) / "to-migrate"
        self.assertEqual(run("restore", "--from", self.to, "--data-dir", into).returncode, 0)
        done = run("migrate", "--data-dir", into, "--dry-run", "--json")
        said = json.loads(done.stdout)
        self.assertEqual((done.returncode, said["migrated"], said["from"]), (0, False, said["to"]))


if __name__ == "__main__":
    unittest.main()
