"""The commands as people type them: help, JSON, exit codes, and one clear sentence for what goes wrong."""

import json
import pathlib
import re
import socket
import tempfile
import unittest

from harness import GHM, SOURCE, Fleet, fetch, free_ports, run, wait_for

COMMANDS = ["demo", "serve", "read", "status", "gpus", "gpu", "why", "simulate", "score", "check-config", "assets", "maintenance", "keys", "quarantine", "backup", "restore", "migrate", "import", "export", "evaluate", "incidents", "cases", "rma", "version"]
REASONS = "sentinel not_finite out_of_range impossible_rate future too_old duplicate unknown_identity unparsable conversion_error".split()


def one_sentence(test, done, code=1):
    """Standard error holds one line that starts with the program's name; standard output nothing."""
    test.assertEqual(done.returncode, code, done.stderr)
    test.assertEqual(done.stdout, "")
    lines = [line for line in done.stderr.splitlines() if line.startswith("ghm: ")]
    test.assertEqual(len(lines), 1, done.stderr)
    return lines[0]


class Help(unittest.TestCase):
    def test_every_command_explains_itself_with_an_example(self):
        listed = run("--help").stdout
        for command in COMMANDS:
            self.assertRegex(listed, rf"(?m)^\s+{command}\b")
            done = run(command, "--help")
            self.assertEqual(done.returncode, 0)
            self.assertIn("example: ghm " + command, done.stdout, command)

    def test_wrong_usage_is_2(self):
        for args in ([], ["fly"], ["gpu"], ["gpus", "--limit", "0"], ["simulate", "serve", "--gpus", "many"]):
            self.assertEqual(run(*args).returncode, 2, args)

    def test_readme_commands_exist(self):
        readme = (SOURCE / "README.md").read_text()
        used = set(re.findall(r"\bghm ([a-z][a-z-]*)", "\n".join(re.findall(r"```sh\n(.*?)```", readme, re.S))))
        self.assertTrue(used)
        self.assertLessEqual(used, set(COMMANDS))


class Asking(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.fleet = Fleet(gpus=8)
        cls.fleet.wait_for_gpus(8)

    @classmethod
    def tearDownClass(cls):
        cls.fleet.stop()

    def ask(self, *args):
        done = run(*args, "--server", self.fleet.url)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def test_status_gpus_gpu(self):
        self.assertEqual(json.loads(self.ask("status", "--json"))["total_gpus"], 8)
        gpus = json.loads(self.ask("gpus", "--json"))["items"]
        self.assertEqual(len(gpus), 8)
        one = json.loads(self.ask("gpu", gpus[0]["serial"], "--json"))
        self.assertEqual(one["uuid"], gpus[0]["uuid"])
        self.assertIn("dimensions", one["health"])
        for text in (self.ask("status"), self.ask("gpus"), self.ask("gpu", gpus[0]["uuid"])):
            self.assertNotIn("\t", text)
            self.assertNotIn("null", text)
        self.assertIn(gpus[0]["serial"], self.ask("gpus"))

    def test_a_gpu_by_its_place(self):
        one = json.loads(self.ask("gpus", "--json"))["items"][0]
        for command in ("gpu", "why"):
            named = json.loads(self.ask(command, f"{one['host']}/{one['slot']}", "--json"))
            self.assertEqual((named.get("gpu") or named)["serial"], one["serial"])
        self.assertIn(f"{one['host']}:99", one_sentence(self, run("why", f"{one['host']}/99", "--server", self.fleet.url)))

    def test_a_list_needs_no_word(self):
        for command, fields in (("incidents", {"items", "next", "as_of"}), ("maintenance", {"items"}), ("quarantine", {"items"})):
            short, long = json.loads(self.ask(command, "--json")), json.loads(self.ask(command, "list", "--json"))
            self.assertLessEqual(fields, set(short), command)
            self.assertEqual(short["items"], long["items"], command)
            self.assertTrue(self.ask(command), command)

    def test_an_unknown_gpu_is_one_sentence(self):
        self.assertIn("4711", one_sentence(self, run("gpu", "4711", "--server", self.fleet.url)))

    def test_read_says_what_it_believes(self):
        page = f"http://127.0.0.1:{self.fleet.simulator_port}/metrics"
        document = json.loads(run("read", page, "--json").stdout)
        self.assertEqual(set(document), {"readings", "refused"})
        self.assertGreaterEqual(len(document["readings"]), 8 * 110)
        for reading in document["readings"]:
            self.assertEqual(set(reading), {"gpu", "metric", "value", "unit", "labels"})
        text = run("read", page).stdout
        self.assertIn("DCGM_FI_DEV_GPU_TEMP", text)

    def test_read_refuses_with_the_contracts_reasons(self):
        page = pathlib.Path(tempfile.mkdtemp()) / "page.prom"
        head = 'DCGM_FI_DEV_GPU_TEMP{gpu="0",UUID="GPU-11111111-2222-3333-4444-555555555555",Hostname="h"} '
        for text, reason in [("2147483632", "sentinel"), ("NaN", "not_finite"), ("4000", "out_of_range"), ("hot", "unparsable")]:
            page.write_text(head + text + "\n")
            document = json.loads(run("read", page, "--json").stdout)
            self.assertEqual([r["reason"] for r in document["refused"]], [reason], text)
            self.assertEqual(document["readings"], [])
            self.assertIn(reason, REASONS)

    def test_a_taken_port_is_one_sentence(self):
        self.assertIn(str(self.fleet.port), one_sentence(self, run("serve", "--config", self.same_port_other_folder())))
        port = self.fleet.simulator_port
        self.assertIn(str(port), one_sentence(self, run("simulate", "serve", "--gpus", "8", "--port", port)))

    def same_port_other_folder(self):
        config = pathlib.Path(tempfile.mkdtemp()) / "ghm.yaml"
        config.write_text(self.fleet.config.read_text().replace("/data\n", "/data2\n"))
        return config

    def test_a_folder_has_one_server(self):
        config = pathlib.Path(tempfile.mkdtemp()) / "ghm.yaml"
        config.write_text(self.fleet.config.read_text().replace(f":{self.fleet.port}\n", f":{free_ports()}\n"))
        self.assertIn("data", one_sentence(self, run("serve", "--config", config)))


class WrongConfiguration(unittest.TestCase):
    def check(self, text):
        config = pathlib.Path(tempfile.mkdtemp()) / "ghm.yaml"
        config.write_text(text)
        done = run("check-config", "--config", config)
        self.assertEqual(done.returncode, 1, done.stdout)
        return done.stderr

    def test_all_complaints_at_once_with_their_lines(self):
        said = self.check("listen: 127.0.0.1:9480\nscrape:\n  intervall: 10s\n  targets: [a:9400]\n  timeout: soon\nshape: round\n")
        for place in (":3: ", ":5: ", ":6: "):
            self.assertIn("ghm.yaml" + place, said)
        self.assertIn("interval", said)

    def test_a_good_one_says_what_it_costs(self):
        config = pathlib.Path(tempfile.mkdtemp()) / "ghm.yaml"
        config.write_text("scrape:\n  targets: [gpu-host-1:9400, gpu-host-2:9400]\n")
        done = run("check-config", "--config", config)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("2", done.stdout)
        self.assertEqual(json.loads(run("check-config", "--config", config, "--json").stdout)["targets"], 2)

    def test_an_open_listen_needs_tls_and_a_key(self):
        folder = tempfile.mkdtemp()
        config = pathlib.Path(folder) / "ghm.yaml"
        config.write_text(f"listen: 0.0.0.0:{free_ports()}\ndata_dir: {folder}/data\nscrape:\n  targets: [127.0.0.1:1]\n")
        said = one_sentence(self, run("serve", "--config", config))
        self.assertIn("tls.cert_file", said)
        self.assertIn("ghm keys", said)


if __name__ == "__main__":
    unittest.main()
