"""The page in a real browser, and the UI's own unit tests: numbers are the API's, faults appear without a reload."""

import os
import pathlib
import subprocess
import sys
import unittest

from harness import SOURCE, Demo, Fleet

WEB = SOURCE / "web"
SPEC = os.environ.get("GHM_SPEC", "live")  # the file of web/e2e; each wants a fleet of its own


def npm(*args, seconds=600, **env):
    done = subprocess.run(["npm", "run", "--silent", *args], cwd=WEB, capture_output=True, text=True, timeout=seconds, env={**os.environ, **env})
    print(done.stdout[-8000:], done.stderr[-4000:], file=sys.stderr)
    return done


class Browser(unittest.TestCase):
    @unittest.skipIf(SPEC != "units", "run alone")
    def test_units(self):
        self.assertEqual(npm("test").returncode, 0)

    @unittest.skipIf(SPEC == "units", "without a browser")
    def test_a_living_fleet(self):
        # The places are looked at in a fleet with an hour behind it and faults in it; the other files break a healthy one.
        fleet = Demo(gpus=96) if SPEC in ("places", "incidents", "everybody") else Fleet(gpus=48, interval="2s")
        try:
            fleet.wait_for_gpus(40)
            shots = pathlib.Path(fleet.folder) / "shots"
            shots.mkdir()
            token = pathlib.Path(fleet.folder) / "data" / "admin.token"
            done = npm(
                "e2e", "--", SPEC, seconds=550, GHM_URL=fleet.url, GHM_INJECT_PORT=str(fleet.simulator_port), GHM_TOKEN_FILE=str(token), GHM_SHOTS=str(shots)
            )
            self.assertEqual(done.returncode, 0, done.stdout[-4000:])
            if SPEC != "past":
                self.assertGreaterEqual(len(list(shots.glob("*.png"))), 3)
        finally:
            fleet.stop()


if __name__ == "__main__":
    unittest.main()
