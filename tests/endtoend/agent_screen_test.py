"""From a line in a host's kernel log to the screen: ghm-agent with a made-up NVML and kernel log → ghm serve → Chromium, within 15 s."""

import pathlib
import unittest

import agent_sources_test
from browser_test import npm


class Screen(agent_sources_test.Host):
    def test_a_kernel_line_is_on_the_page_within_15_seconds(self):
        self.start()
        shots = pathlib.Path(self.folder) / "shots"
        shots.mkdir()
        done = npm("e2e", "--", "kernel_line", GHM_URL=self.url, GHM_KMSG=str(self.kmsg), GHM_BOARD="1650000000003", GHM_SHOTS=str(shots))
        self.assertEqual(done.returncode, 0, done.stdout[-4000:])


if __name__ == "__main__":
    unittest.main()
