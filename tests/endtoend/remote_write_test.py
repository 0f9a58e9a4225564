"""A real Prometheus scrapes a simulated fleet and writes to a server that scrapes nothing: what the one holds the other
answers, to the last bit, also across a kill -9."""

import pathlib
import random
import re
import resource
import subprocess
import tempfile
import time
import unittest
import urllib.parse

from harness import Program, fetch, free_ports, get_json, wait_for

GPUS, HOSTS = 16, 2
EVENT_LABELS = {"err_code", "xid", "clock_event", "window_size_in_ms"}  # of events, which are no series
PROMETHEUS_CONFIG = """
global:
  scrape_interval: 1s
scrape_configs:
  - job_name: dcgm
    static_configs:
      - targets: [{targets}]
        labels: {{datacenter: fra1}}
remote_write:
  - url: {url}/api/v1/ingest/prometheus
    remote_timeout: 5s
    queue_config: {{batch_send_deadline: 1s, max_samples_per_send: 700, min_shards: 2, max_backoff: 500ms}}
    metadata_config: {{send_interval: 2s}}
    write_relabel_configs:
      - source_labels: [__name__]
        regex: DCGM_.*
        action: keep
"""


class Setup:
    """Simulator, Prometheus, server: each on ports of its own, in a scratch folder."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="ghm-e2e-")
        self.simulator_port, self.port, self.prometheus_port = free_ports(HOSTS), free_ports(), free_ports()
        self.url = f"http://127.0.0.1:{self.port}"
        self.prometheus_url = f"http://127.0.0.1:{self.prometheus_port}"
        folder = pathlib.Path(self.folder)
        (folder / "ghm.yaml").write_text(
            f"listen: 127.0.0.1:{self.port}\ndata_dir: {folder}/data\ningest: {{prometheus: true, simulated: true}}\n")
        targets = ", ".join(f"'127.0.0.1:{self.simulator_port + n}'" for n in range(HOSTS))
        (folder / "prometheus.yml").write_text(PROMETHEUS_CONFIG.format(targets=targets, url=self.url))
        self.simulator = Program(self.folder, "simulate", "serve", "--gpus", GPUS, "--port", self.simulator_port, "--seed", 5)
        wait_for(lambda: fetch(f"http://127.0.0.1:{self.simulator_port}/-/targets")[0] == 200, what="the simulator")
        self.server = None
        self.start_server()
        self.prometheus_log = open(folder / "prometheus.log", "wb")
        self.prometheus = subprocess.Popen(
            ["prometheus", f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/tsdb",
             f"--web.listen-address=127.0.0.1:{self.prometheus_port}"],
            stdout=self.prometheus_log, stderr=subprocess.STDOUT, cwd=self.folder)

    def start_server(self):
        self.server = Program(self.folder, "serve", "--config", "ghm.yaml")
        wait_for(lambda: fetch(self.url + "/healthz")[0] == 200, what="the server")

    def api(self, path):
        return get_json(self.url + "/api/v1/" + path)

    def query(self, query, at):
        answer = get_json(f"{self.prometheus_url}/api/v1/query?" + urllib.parse.urlencode({"query": query, "time": f"{at:.3f}"}))
        return answer["data"]["result"]

    def own_metric(self, name):
        """The sum over the queue's shards, as Prometheus tells it of itself."""
        _, _, body = fetch(self.prometheus_url + "/metrics")
        found = re.findall(rf"(?m)^{name}(?:\{{.*\}})? (\S+)$", body.decode())
        return sum(map(float, found)) if found else None

    def answered_503(self):
        _, _, body = fetch(self.url + "/metrics")
        found = re.search(r'ghm_http_requests_total{route="/api/v1/ingest/prometheus",status="503"} (\d+)', body.decode())
        return int(found[1]) if found else 0

    def stop(self):
        if self.prometheus.poll() is None:
            self.prometheus.terminate()
            self.prometheus.wait(15)
        self.prometheus_log.close()
        for program in (self.server, self.simulator):
            program.stop()


def ours(labels):
    """(GPU UUID, API name) of a series that a board owns; None of the others."""
    uuid = labels.get("UUID") or labels.get("gpu_uuid")
    if not uuid or EVENT_LABELS & labels.keys():
        return None
    return uuid, labels["__name__"] + (f"@nvlink{labels['nvlink']}" if "nvlink" in labels else "")


def in_seconds(samples):
    """Second -> smallest, largest and last value: what the API's finest interval shows."""
    found = {}
    for at, value in samples:
        low, high, _ = found.get(int(at), (value, value, value))
        found[int(at)] = (min(low, value), max(high, value), value)
    return found


class RemoteWrite(unittest.TestCase):
    def test_everything_that_prometheus_holds_is_answered_across_a_kill(self):
        setup = Setup()
        try:
            wait_for(lambda: setup.api("fleet/summary")["reporting_gpus"] == GPUS, 30, "all GPUs")
            started = time.time()
            summary = setup.api("fleet/summary")
            self.assertTrue(summary["simulated"])
            self.assertEqual((summary["total_gpus"], summary["hosts"], summary["silent_hosts"]), (GPUS, HOSTS, 0))
            gpu = setup.api("gpus")["items"][0]
            self.assertEqual(gpu["datacenter"], "fra1")
            self.assertIsNotNone(gpu["temperature"])
            time.sleep(4)
            setup.server.kill()
            setup.server.stop()
            time.sleep(3)
            self.assertGreater(setup.own_metric("prometheus_remote_storage_samples_retried_total"), 0)
            setup.start_server()
            self.catch_up_and_compare(setup, started)
            wait_for(lambda: setup.api("fleet/summary")["reporting_gpus"] == GPUS, 30, "all GPUs again")
        finally:
            setup.stop()

    def test_a_full_disk_is_told_and_nothing_is_lost(self):
        room = 64 << 10  # less than the store's log has grown to by then
        setup = Setup()
        try:
            wait_for(lambda: setup.api("fleet/summary")["reporting_gpus"] == GPUS, 30, "all GPUs")
            log = pathlib.Path(setup.folder) / "data" / "ghm.db-wal"
            wait_for(lambda: log.stat().st_size > 2 * room, 30, "a log that has grown")
            started = time.time()
            resource.prlimit(setup.server.process.pid, resource.RLIMIT_FSIZE, (room, resource.RLIM_INFINITY))
            wait_for(lambda: setup.answered_503() > 2, 20, "answers that it cannot be kept")
            time.sleep(2)
            resource.prlimit(setup.server.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
            self.catch_up_and_compare(setup, started)
        finally:
            setup.stop()

    def catch_up_and_compare(self, setup, started):
        ended = time.time() + 3
        wait_for(lambda: setup.own_metric("prometheus_remote_storage_queue_highest_sent_timestamp_seconds") > ended + 1, 40,
                 "Prometheus to catch up")
        self.assertEqual(setup.own_metric("prometheus_remote_storage_samples_failed_total"), 0, "nothing is given up")
        span = int(ended - started)
        dictionary = {m["name"] for m in setup.api("meta")["metrics"]}
        names = sorted({s["metric"]["__name__"] for s in setup.query('{__name__=~"DCGM_.*"}', ended)} & dictionary)
        self.assertGreater(len(names), 80)
        rng = random.Random(3)
        series = values = 0
        for name in rng.sample(names, 40):
            of_name = [s for s in setup.query(f"{name}[{span}s]", ended) if ours(s["metric"])]
            for one in rng.sample(of_name, min(2, len(of_name))):
                held = in_seconds((float(t), float(v)) for t, v in one["values"])
                self.assertEqual(self.answered(setup, *ours(one["metric"]), held), held, one["metric"])
                series += 1
                values += len(one["values"])
        self.assertGreater(series, 60)
        self.assertGreater(values, series * (span - 2))

    def answered(self, setup, uuid, name, held):
        """The same from the API, over the same time."""
        query = urllib.parse.urlencode({"metrics": name, "start": min(held), "end": max(held) + 1, "interval": "1s"})
        answer = setup.api(f"gpus/{uuid}/metrics?{query}")
        (one,) = answer["series"].values()
        rows = zip(answer["t"], one["min"], one["max"], one["last"])
        return {int(t): (low, high, last) for t, low, high, last in rows if last is not None}


if __name__ == "__main__":
    unittest.main()
