"""What is refused is held, survives kill -9, and is stored once a rule was mended: from an exporter's page to the API."""

import http.server
import json
import pathlib
import tempfile
import threading
import time
import unittest

from harness import Program, fetch, free_ports, get_json, run, wait_for

UUID = "GPU-0badcafe-0000-0000-0000-000000000001"
LABELS = f'gpu="0",UUID="{UUID}",pci_bus_id="00000000:18:00.0",device="nvidia0",modelName="NVIDIA H100 80GB HBM3",Hostname="n1"'


class Exporter:
    """Answers every scrape with `lines`: metric to the text of its value."""

    def __init__(self):
        self.lines = {"DCGM_FI_DEV_GPU_TEMP": "41", "DCGM_FI_DEV_POWER_USAGE": "250"}
        exporter = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                body = "".join(f"{name}{{{LABELS}}} {value}\n" for name, value in exporter.lines.items()).encode()
                self.send_response(200)
                self.send_header("Content-Type", "text/plain; version=0.0.4")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", free_ports()), Handler)
        self.address = f"127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


class Quarantine(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="ghm-e2e-"))
        self.exporter = Exporter()
        self.port = free_ports()
        self.url = f"http://127.0.0.1:{self.port}"
        self.server = None
        self.start()

    def tearDown(self):
        self.server.stop()
        self.exporter.stop()

    def start(self, extra=""):
        config = self.folder / "ghm.yaml"
        config.write_text(
            f"listen: 127.0.0.1:{self.port}\ndata_dir: {self.folder}/ghm-data\n"
            f"scrape:\n  interval: 1s\n  targets: ['{self.exporter.address}']\n{extra}"
        )
        self.server = Program(self.folder, "serve", "--config", config)
        wait_for(lambda: fetch(self.url + "/healthz")[0] == 200, what="the server")

    def held(self, query=""):
        return get_json(f"{self.url}/api/v1/quarantine{query}")

    def quarantine(self, *args, code=0):
        done = run("quarantine", *args, "--server", self.url, "--json", cwd=self.folder)
        self.assertEqual(done.returncode, code, done.stderr)
        return json.loads(done.stdout) if code == 0 else done.stderr

    def temperatures(self):
        now = time.time()
        name = "DCGM_FI_DEV_GPU_TEMP"
        answer = get_json(f"{self.url}/api/v1/gpus/{UUID}/metrics?metrics={name}&start={now - 300:.0f}&end={now + 1:.0f}&interval=1s")
        return [v for v in answer["series"][name]["max"] if v is not None]

    def test_a_mended_rule_brings_back_what_it_refused(self):
        wait_for(lambda: get_json(self.url + "/api/v1/fleet/summary")["reporting_gpus"] == 1, what="the GPU")
        # Garbage: a site's liquid-cooled prototype really is at 123 degrees; the fan and the clock are nonsense.
        self.exporter.lines |= {"DCGM_FI_DEV_GPU_TEMP": "123.25", "DCGM_FI_DEV_FAN_SPEED": "9223372036854775794", "DCGM_FI_DEV_SM_CLOCK": "12 34 56"}
        wait_for(lambda: self.held("?reason=out_of_range")["kept"] >= 3, what="three refused temperatures")
        sample = self.held("?reason=out_of_range&limit=1")["samples"][0]
        self.assertEqual((sample["metric"], sample["value"], sample["gpu"]), ("DCGM_FI_DEV_GPU_TEMP", "123.25", UUID))
        self.assertTrue(sample["replayable"])
        sentinel = self.held("?reason=sentinel")["samples"]
        self.assertEqual([(s["value"], s["replayable"]) for s in sentinel], [("9223372036854775794", False)])
        self.assertGreater(sentinel[0]["count"], 1)
        self.exporter.lines = {"DCGM_FI_DEV_GPU_TEMP": "41", "DCGM_FI_DEV_POWER_USAGE": "250"}
        time.sleep(2.5)

        # kill -9 loses neither values nor counts.
        before = self.held()
        self.server.kill()
        self.start()
        after = wait_for(lambda: (h := self.held())["items"] and h, what="the counts, which a view a second old shows")
        key = lambda i: (i["source"], i["metric"], i["reason"])  # noqa: E731
        self.assertEqual({key(i): i["count"] for i in before["items"]}, {key(i): i["count"] for i in after["items"]})
        self.assertEqual(after["refused"], before["refused"])
        self.assertEqual([s["id"] for s in before["samples"]], [s["id"] for s in after["samples"]])
        kept = after["kept"]

        # By today's rules nothing changes.
        self.assertEqual(self.quarantine("replay", "--metric", "DCGM_FI_DEV_GPU_TEMP")["still_refused"], kept)
        self.assertNotIn(123.25, self.temperatures())

        # The site mends the rule.
        self.server.stop()
        self.start("validation:\n  overrides:\n    - {metric: DCGM_FI_DEV_GPU_TEMP, model: NVIDIA H100 80GB HBM3, max: 130, max_per_second: 200}\n")
        wait_for(lambda: get_json(self.url + "/api/v1/fleet/summary")["reporting_gpus"] == 1, what="the GPU")
        self.assertEqual(self.quarantine("replay", "--dry-run")["replayed"], kept)
        self.assertEqual(self.held()["kept"], kept)
        report = self.quarantine("replay", "--reason", "out_of_range")
        self.assertEqual((report["replayed"], report["still_refused"], report["lost"]), (kept, 0, 0))
        self.assertGreaterEqual(self.temperatures().count(123.25), kept - 1)  # two scrapes may share a bucket of a second
        self.assertEqual(self.held()["kept"], 0)
        self.server.kill()
        self.start()
        self.assertGreaterEqual(self.temperatures().count(123.25), kept - 1)  # two scrapes may share a bucket of a second
        self.assertEqual(self.held()["kept"], 0)
        self.assertTrue(self.quarantine("list", "--reason", "sentinel", "--limit", "5")["samples"])

    def test_a_replay_needs_a_key_and_says_so(self):
        status, _, body = fetch(self.url + "/api/v1/quarantine/replay", data=b"{}", method="POST")
        self.assertEqual(status, 403, body)
        token = (self.folder / "ghm-data" / "admin.token").read_text().strip()
        with_key = {"Authorization": "Bearer " + token, "Content-Type": "application/json"}
        for body, want in ((b"", 200), (b"{}", 200), (b'{"dry_run": true}', 200), (b"[]", 400), (b'{"reason": "ugly"}', 400),
                           (b'{"metric": "NO_SUCH"}', 400), (b'{"dryrun": true}', 400)):
            status, _, answer = fetch(self.url + "/api/v1/quarantine/replay", headers=with_key, data=body, method="POST")
            self.assertEqual(status, want, (body, answer))
        self.assertIn("expected one of", self.quarantine("replay", "--reason", "ugly", code=1))


if __name__ == "__main__":
    unittest.main()
