"""The server against its own description: schemathesis sends what openapi.yaml allows, and what it does not."""

import os
import pathlib
import subprocess
import sys
import unittest

from harness import SOURCE, Fleet

VENV = pathlib.Path(os.environ.get("GHM_VENV", SOURCE / "build" / "venv"))


class OpenApi(unittest.TestCase):
    def test_every_answer_is_as_described(self):
        fleet = Fleet(gpus=8)
        try:
            fleet.wait_for_gpus(8)
            done = subprocess.run(
                [VENV / "bin" / "schemathesis", "run", fleet.url + "/api/v1/openapi.json", "--url", fleet.url, "--seed", "1",
                 "--max-examples", "25", "--phases", "examples,coverage,fuzzing", "--exclude-path-regex", "stream",
                 "--checks", "all", "--exclude-checks", "unsupported_method,positive_data_acceptance", "--generation-database", "none",
                 "--request-timeout", "10", "--no-color", "--warnings", "off"],
                capture_output=True, text=True, timeout=300, cwd=fleet.folder,
                env={**os.environ, "SCHEMATHESIS_HOOKS": str(SOURCE / "tests" / "endtoend" / "schemathesis_hooks.py")})
            print(done.stdout[-6000:], file=sys.stderr)
            self.assertEqual(done.returncode, 0, done.stdout[-6000:] + done.stderr[-2000:])
        finally:
            fleet.stop()


if __name__ == "__main__":
    unittest.main()
