"""What the README promises is run as it stands: only host names, ports and the wait for Ctrl-C are the test's own."""

import os
import pathlib
import re
import subprocess
import tempfile
import unittest

from harness import GHM, SOURCE, Program, fetch, free_ports, get_json, run, wait_for

README = (SOURCE / "README.md").read_text()
BLOCKS = re.findall(r"```sh\n(.*?)```", README, re.S)


class Readme(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="ghm-readme-")
        self.port, self.hosts = free_ports(), free_ports(2)
        self.simulator = Program(self.folder, "simulate", "serve", "--gpus", 16, "--port", self.hosts)
        wait_for(lambda: fetch(f"http://127.0.0.1:{self.hosts}/metrics")[0] == 200, what="the simulator")
        self.server = None

    def tearDown(self):
        self.simulator.stop()
        if self.server:
            self.server.terminate()
            self.server.wait(15)

    def here(self, text):
        """The README's addresses become the test's."""
        text = text.replace("127.0.0.1:9480", f"127.0.0.1:{self.port}")
        text = text.replace("gpu-host-1/", f"{get_json(f'http://127.0.0.1:{self.port}/api/v1/gpus')['items'][0]['host']}/") if "gpu-host-1/" in text else text
        return re.sub(r"gpu-host-(\d):9400", lambda m: f"127.0.0.1:{self.hosts + int(m[1]) - 1}", text)

    def shell(self, text, **kwargs):
        env = {**os.environ, "PATH": f"{pathlib.Path(GHM).parent}:{os.environ['PATH']}", "GHM_SERVER": f"http://127.0.0.1:{self.port}"}
        return subprocess.Popen(["bash", "-euc", self.here(text)], cwd=self.folder, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **kwargs)

    def test_a_real_fleet_in_three_lines_and_the_questions_after_it(self):
        fleet = next(b for b in BLOCKS if "ghm serve" in b)
        self.assertEqual(len(fleet.strip().splitlines()), 3)
        self.server = self.shell(re.sub(r"(?m)^(.*)ghm serve", r"\1exec ghm serve", fleet))
        wait_for(lambda: get_json(f"http://127.0.0.1:{self.port}/api/v1/fleet/summary")["reporting_gpus"] == 16, 40, "16 GPUs")
        asked = [line.partition("#")[0] for b in BLOCKS if "ghm status" in b for line in b.splitlines() if line.startswith("ghm ")]
        self.assertGreaterEqual(len(asked), 3)
        for line in asked:
            done = self.shell(line)
            out, err = done.communicate(timeout=30)
            self.assertEqual(done.returncode, 0, f"{line}: {err}")
            self.assertTrue(out.strip(), line)

    def test_the_two_commands_are_devs(self):
        commands = re.findall(r"\./dev ([a-z]+)", "\n".join(BLOCKS))
        self.assertEqual(commands[:2], ["demo", "test"])
        listed = subprocess.run([SOURCE / "dev", "--help"], capture_output=True, text=True).stdout
        for command in commands:
            self.assertRegex(listed, rf"(?m)^  {command}\b")

    def test_links_lead_somewhere(self):
        for link in re.findall(r"\]\(([^)#]+)\)", README):
            self.assertTrue((SOURCE / link).exists(), link)


class Demo(unittest.TestCase):
    def test_a_populated_page_within_a_minute_and_nothing_left_behind(self):
        folder = pathlib.Path(tempfile.mkdtemp(prefix="ghm-demo-test-"))
        port, simulator = free_ports(), free_ports(12)
        demo = Program(folder, "demo", "--simulate", "--port", port, "--simulator-port", simulator, env={**os.environ, "TMPDIR": str(folder)})
        try:
            url = f"http://127.0.0.1:{port}"
            summary = wait_for(lambda: (s := get_json(url + "/api/v1/fleet/summary"))["index"] is not None and s["need_action"] > 0 and s, 60, "scores")
            self.assertTrue(summary["simulated"])
            self.assertEqual(summary["total_gpus"], 96)
            self.assertIn("<title>", fetch(url + "/", {"Accept": "text/html"})[2].decode())
            self.assertEqual(run("simulate", "inject", "--port", simulator, 25, "hbm_ue").returncode, 0)
        finally:
            self.assertEqual(demo.stop(), 0)
        self.assertEqual([p.name for p in folder.iterdir() if p.is_dir()], [])

    def test_a_folder_that_it_did_not_make_is_never_removed(self):
        folder = pathlib.Path(tempfile.mkdtemp(prefix="ghm-demo-test-"))
        (folder / "ghm-demo").mkdir()
        (folder / "ghm-demo" / "precious").write_text("mine")
        port, simulator = free_ports(), free_ports(1)
        nowhere = {**os.environ, "TMPDIR": "/proc"}  # a folder in which nobody can make one
        demo = Program(folder, "demo", "--simulate", "--gpus", 8, "--port", port, "--simulator-port", simulator, env=nowhere)
        try:
            wait_for(lambda: fetch(f"http://127.0.0.1:{port}/healthz")[0] == 200, 30, "the demo")
        finally:
            self.assertEqual(demo.stop(), 0, demo.text())
        self.assertEqual((folder / "ghm-demo" / "precious").read_text(), "mine")


if __name__ == "__main__":
    unittest.main()
