"""From a page to a number on a screen: what the simulator printed is what the API answers, to the last bit."""

import http.server
import random
import re
import threading
import time
import unittest
import urllib.parse
import urllib.request

from harness import Fleet, fetch, free_ports, get_json, wait_for, Program


class Recorder:
    """Stands between scraper and simulator and remembers every page that went by, with the time it left."""

    def __init__(self, upstream):
        self.pages = []
        recorder = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                with urllib.request.urlopen(upstream) as answer:
                    body, simulated = answer.read(), answer.headers["Ghm-Simulated"]
                self.send_response(200)
                self.send_header("Content-Type", "text/plain; version=0.0.4")
                self.send_header("Content-Length", str(len(body)))
                self.send_header("Ghm-Simulated", simulated)
                recorder.pages.append((time.time(), body.decode()))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


LINE = re.compile(r'^(DCGM_FI_\w+)\{(.*)\} (\S+)$')
LABEL = re.compile(r'(\w+)="([^"]*)"')


def gauges(page):
    """(GPU UUID, API name, value) of every plain card-level or link reading, read by Python alone."""
    for line in page.splitlines():
        match = LINE.match(line)
        if not match:
            continue
        name, labels, value = match[1], dict(LABEL.findall(match[2])), match[3]
        uuid = labels.get("UUID") or labels.get("gpu_uuid")  # the exporter's link families spell it so
        if not uuid:  # a switch's or a CPU's row, which no board owns
            continue
        if "err_code" in labels:  # one of several columns of a name: an event, not a series
            continue
        entity = f"@nvlink{labels['nvlink']}" if "nvlink" in labels else ""
        yield uuid, name + entity, float(value)


class PagesBecomeNumbers(unittest.TestCase):
    def test_a_thousand_values_are_the_stored_doubles(self):
        simulator_port = free_ports(1)
        recorder = Recorder(f"http://127.0.0.1:{simulator_port}/metrics")
        # The recorder needs a simulator before the fleet's own: a fleet of one host, read through the recorder.
        fleet = Fleet(gpus=8, interval="2s", targets=recorder.address)
        simulator = Program(fleet.folder, "simulate", "serve", "--gpus", 8, "--port", simulator_port, "--seed", 11)
        try:
            fleet.wait_for_gpus(8)
            wait_for(lambda: len(recorder.pages) >= 6, 40, "six pages")
            time.sleep(1)  # the last page's transaction
            self.compare(fleet, recorder.pages[:])
        finally:
            simulator.stop()
            fleet.stop()

    def compare(self, fleet, pages):
        pages = pages[1:-1]
        rng = random.Random(1)
        wanted = []
        for at, page in pages:
            rows = list(gauges(page))
            self.assertGreaterEqual(len(rows), 8 * 110)
            wanted += [(at, *row) for row in rng.sample(rows, 1 + 1000 // len(pages))]
        self.assertGreaterEqual(len(wanted), 1000)
        dictionary = {m["name"] for m in fleet.api("meta")["metrics"]}
        checked = 0
        for at, uuid, name, value in wanted:
            if name.split("@")[0] not in dictionary:
                continue
            stored = self.stored(fleet, uuid, name, at)
            self.assertEqual(stored, value, f"{uuid} {name} at {at}")
            checked += 1
        self.assertGreaterEqual(checked, 1000)

    def stored(self, fleet, uuid, name, at):
        """The one reading in the second around `at`: pages come every two."""
        query = urllib.parse.urlencode({"metrics": name, "start": f"{at - 0.9:.3f}", "end": f"{at + 0.9:.3f}", "interval": "1s"})
        series = fleet.api(f"gpus/{uuid}/metrics?{query}")["series"]
        self.assertEqual(len(series), 1, f"{name}: {list(series)}")
        (one,) = series.values()
        values = {v for v in one["last"] if v is not None}
        self.assertEqual(len(values), 1, f"{uuid} {name} at {at}: {one}")
        return values.pop()


if __name__ == "__main__":
    unittest.main()
