"""A job dies at night: which GPU, why, reset or RMA? Asked by job, host and GPU, of a simulated fleet whose pages name jobs."""

import http.server
import json
import threading
import unittest
import urllib.request

from harness import Fleet, fetch, free_ports, run, wait_for


class JobLabels:
    """Stands between simulator and server and writes the job of each host's GPUs onto its page, as dcgm-exporter does for a batch system."""

    def __init__(self, simulator, hosts):
        self.jobs = {}  # host number -> job
        self.servers = []
        self.port = free_ports(hosts)
        for n in range(hosts):
            server = http.server.ThreadingHTTPServer(("127.0.0.1", self.port + n), self.handler(simulator + n, n))
            threading.Thread(target=server.serve_forever, daemon=True).start()
            self.servers.append(server)

    def handler(self, port, host):
        labels = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                try:
                    with urllib.request.urlopen(f"http://127.0.0.1:{port}{self.path}", timeout=5) as answer:
                        page, simulated = answer.read(), answer.headers.get("Ghm-Simulated")
                except OSError:
                    return self.send_error(502)
                job = labels.jobs.get(host)
                if job:
                    page = page.replace(b'{gpu="', b'{hpc_job="' + job.encode() + b'",gpu="')
                self.send_response(200)
                self.send_header("Content-Type", "text/plain; version=0.0.4")
                self.send_header("Content-Length", str(len(page)))
                if simulated:
                    self.send_header("Ghm-Simulated", simulated)
                self.end_headers()
                self.wfile.write(page)

            def log_message(self, *_):
                pass

        return Handler

    def stop(self):
        for server in self.servers:
            server.shutdown()
            server.server_close()


class Why(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        hosts = 2
        # The simulator's ports are not known before it runs: a first fleet tells nothing but them.
        cls.fleet = Fleet(gpus=8 * hosts)
        cls.fleet.server.stop()
        cls.labels = JobLabels(cls.fleet.simulator_port, hosts)
        cls.labels.jobs = {0: "train-7", 1: "train-7"}
        text = cls.fleet.config.read_text()
        source = text[text.index("  http_sd") : text.index("]", text.index("  http_sd")) + 1]
        targets = ", ".join(f"127.0.0.1:{cls.labels.port + n}" for n in range(hosts))
        cls.fleet.config.write_text(text.replace(source, f"  targets: [{targets}]"))
        cls.fleet.start()
        cls.fleet.wait_for_gpus(8 * hosts)
        wait_for(lambda: cls.fleet.api("why?job=train-7")["job"]["gpus"] == 16, what="the job on all GPUs")

    @classmethod
    def tearDownClass(cls):
        cls.fleet.stop()
        cls.labels.stop()

    def ask(self, *args, code=0):
        done = run("why", *args, "--server", self.fleet.url)
        self.assertEqual(done.returncode, code, done.stderr)
        return done.stdout if code == 0 else done.stderr

    def test_1_a_running_job(self):
        self.assertIn("nothing was heard", self.ask("train-7"))
        self.assertEqual(json.loads(self.ask("train-7", "--json"))["job"]["end"], "running")

    def test_2_it_dies_with_a_board(self):
        gpu = next(g for g in self.fleet.api("gpus?sort=serial")["items"] if g["slot"] == 3)
        serial, host = gpu["id"], gpu["host"]
        done = run("simulate", "inject", "--port", self.fleet.simulator_port, serial, "off_bus")
        self.assertEqual(done.returncode, 0, done.stderr)
        wait_for(lambda: [i for i in self.fleet.api(f"incidents?state=open&gpu={serial}")["items"] if i["cause"] == "off_bus"], 30, "the incident")
        self.labels.jobs = {}  # NCCL gave up
        wait_for(lambda: self.fleet.api("why?job=train-7")["job"]["end"] == "failed", 30, "the job's end")

        for name in ("train-7", host, serial):
            with self.subTest(name=name):
                answer = json.loads(self.ask(name, "--json"))
                answer = answer.get("why", answer)
                self.assertIn(serial, answer["verdict"])
                self.assertIn("off the bus", answer["verdict"])
                self.assertEqual(answer["incidents"][0]["cause"], "off_bus")
                self.assertEqual((answer["next"]["action"], answer["reset_or_rma"]), ("reboot_host", "reboot_host"))
                first = [m for m in answer["timeline"] if m["first"]]
                self.assertEqual(len(first), 1)
                self.assertEqual(first[0]["gpu"], serial)
                self.assertTrue(any("No agent" in u for u in answer["unknown"]))
                self.assertLess(answer["took_ms"], 2000)
                self.assertIn("next: ", self.ask(name))
        job = json.loads(self.ask("--job", "train-7", "--json"))
        self.assertIn("Job train-7 ended at", job["verdict"])
        self.assertIn("16 GPUs of 2 hosts", job["verdict"])
        self.assertIn("job_ended_with_fault", [m["kind"] for m in job["timeline"]])

        at = job["about"]["at"]
        then = json.loads(self.ask(serial, "--at", at, "--json"))
        self.assertIn("off the bus", then["verdict"])
        self.assertEqual(then["ran_there"][0]["job"], "train-7")
        self.assertEqual(then["ran_there"][0]["gpus"], 16)
        before = json.loads(self.ask(host, "--at", str(int(__import__("time").time()) - 3 * 86400), "--json"))
        self.assertEqual(before["incidents"], [])

        # What a kill leaves is the same answer.
        self.fleet.server.kill()
        self.fleet.start()
        again = wait_for(lambda: self.fleet.api("why?job=train-7"), what="the answer behind the kill")
        self.assertEqual((again["verdict"], again["job"]["end"]), (job["verdict"], "failed"))

    def test_3_unknown_names_are_one_sentence(self):
        self.assertIn("no host or job of that name: the newest jobs are train-7", self.ask("nobody", code=1))
        self.assertIn("hosts are", self.ask("--host", "nobody", code=1))
        self.assertEqual(len(self.ask("nobody", code=1).strip().splitlines()), 1)
        for query in ("", "gpu=a&job=b", "job=", "job=train-7&days=0", "job=train-7&at=3000-01-01T00:00:00Z", "job=train-7&at=soon"):
            self.assertEqual(fetch(f"{self.fleet.url}/api/v1/why?{query}")[0], 400, query)


if __name__ == "__main__":
    unittest.main()
