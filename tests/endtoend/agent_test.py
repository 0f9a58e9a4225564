"""ghm-agent → ghm serve: what the exporter served is in the store, each page once, whatever is killed or cut meanwhile."""

import csv
import http.server
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import unittest

from harness import BUILD, GHM, Program, fetch, free_ports, get_json, run, wait_for

AGENT = str(BUILD / "ghm-agent")
UUID = "GPU-00000000-0000-4000-8000-0000000000a%d"
ENERGY = "DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION"


class Exporter:
    """A dcgm-exporter whose every page is another: page n says an energy of n * 100 J."""

    def __init__(self, gpus=2):
        self.name = lambda g: (UUID % g, f"00000000:0{g + 1}:00.0")
        # Pages after which the agent hung up: it was killed, or had waited for longer than a second, which happens on a busy
        # machine. It may have read them or not.
        self.hung_up = set()
        self.gpus, self.served, self.last, self.lock, self.xid = gpus, [], 0, threading.Lock(), 0
        exporter = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            newest = 0  # page of this connection

            def do_GET(self):
                with exporter.lock:
                    n = self.newest = exporter.last = exporter.last + 1
                    exporter.served.append(n)
                body = exporter.page(n).encode()
                self.send_response(200)
                self.send_header("Content-Type", "text/plain")
                self.send_header("Content-Length", str(len(body)))
                try:
                    self.end_headers()
                    self.wfile.write(body)
                except OSError:
                    self.close_connection = True

            def finish(self):
                exporter.hung_up.add(self.newest)
                try:
                    super().finish()
                except OSError:
                    pass

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def page(self, n):
        lines = []
        for metric, value in ((ENERGY, n * 100_000), ("DCGM_FI_DEV_GPU_TEMP", 40 + n % 5), ("DCGM_FI_DEV_POWER_USAGE", 100.5), ("DCGM_FI_DEV_XID_ERRORS", self.xid)):
            for g in range(self.gpus):
                uuid, pci = self.name(g)
                lines.append(f'{metric}{{gpu="{g}",UUID="{uuid}",pci_bus_id="{pci}",device="nvidia{g}",modelName="NVIDIA H100 80GB HBM3",Hostname="pod-7"}} {value}')
        return "\n".join(lines) + "\n"

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


class Link:
    """A wire between agent and server that can be cut: connections die at once, new ones are refused."""

    def __init__(self, to):
        self.to, self.port, self.pairs, self.listener = to, free_ports(), [], None
        self.up = self.down = 0  # bytes to the server and back
        self.mend()

    def mend(self):
        self.listener = socket.socket()
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind(("127.0.0.1", self.port))
        self.listener.listen(16)
        threading.Thread(target=self.accept, args=(self.listener,), daemon=True).start()

    def accept(self, listener):
        while True:
            near = None
            try:
                near, _ = listener.accept()
                far = socket.create_connection(("127.0.0.1", self.to))
            except OSError:
                if near is None:
                    return  # cut
                near.close()
                continue
            self.pairs += [near, far]
            for a, b, direction in ((near, far, "up"), (far, near, "down")):
                threading.Thread(target=self.pump, args=(a, b, direction), daemon=True).start()

    def pump(self, source, sink, direction):
        try:
            while data := source.recv(65536):
                setattr(self, direction, getattr(self, direction) + len(data))
                sink.sendall(data)
        except OSError:
            pass
        for s in (source, sink):
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def cut(self):
        listener, self.listener = self.listener, None
        if listener is None:
            return
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        for s in self.pairs:
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            s.close()
        self.pairs = []


class AgentProgram(Program):
    def __init__(self, folder, *args):
        self.log = pathlib.Path(folder) / f"agent-{time.monotonic_ns()}.log"
        self.out = open(self.log, "wb")
        self.process = subprocess.Popen([AGENT, *map(str, args)], stdout=self.out, stderr=subprocess.STDOUT, cwd=folder)


class Case(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="ghm-agent-")
        self.port = free_ports()
        self.url = f"http://127.0.0.1:{self.port}"
        self.exporter = Exporter()
        self.link = Link(self.port)
        self.own = free_ports()
        self.server = self.agent = None
        self.config = pathlib.Path(self.folder) / "ghm.yaml"
        self.config.write_text(f"listen: 127.0.0.1:{self.port}\ndata_dir: {self.folder}/data\ningest:\n  batch: true\n")
        self.agent_config = pathlib.Path(self.folder) / "agent.yaml"
        self.write_agent_config()

    def write_agent_config(self, server=None, more=""):
        server = server or f"url: http://127.0.0.1:{self.link.port}"
        self.agent_config.write_text(
            f"server: {{{server}, timeout: 5s}}\nhost: h1\nlabels: {{rack: R07}}\ninterval: 1s\n"
            f"exporter: {{address: '127.0.0.1:{self.exporter.port}'}}\nlisten: 127.0.0.1:{self.own}\nspool: {{dir: spool}}\n{more}"
        )

    def tearDown(self):
        for program in (self.agent, self.server):
            if program:
                program.stop()
        self.exporter.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def start_server(self):
        self.server = Program(self.folder, "serve", "--config", self.config)
        wait_for(lambda: fetch(self.url + "/healthz")[0] == 200, what="the server")

    def start_agent(self):
        self.agent = AgentProgram(self.folder, "--config", self.agent_config)

    def own_metric(self, name):
        text = fetch(f"http://127.0.0.1:{self.own}/metrics")[2].decode()
        return float(next(line for line in text.splitlines() if line.startswith(name + " ") or line.startswith(name + "{")).split()[-1])

    def between_pages(self):
        """Waits until a page has just been read, so that none is on its way for a while."""
        n = self.exporter.last
        wait_for(lambda: self.exporter.last > n, 10, "another page")
        time.sleep(0.3)

    def stored(self, gpu=0):
        """The number of the page of every reading that the store holds, in order of time. Ends the server."""
        self.server.stop()
        out = pathlib.Path(self.folder) / f"export-{time.monotonic_ns()}"
        done = run("export", out, "--data-dir", f"{self.folder}/data")
        self.assertEqual(done.returncode, 0, done.stderr)
        pages = []
        for day in sorted((out / "telemetry").glob("*.csv")):
            pages += [float(r[ENERGY]) / 100_000 for r in csv.DictReader(open(day, newline="")) if r["gpu_uuid"] == UUID % gpu and r[ENERGY]]
        return pages


class WholeWay(Case):
    def test_readings_arrive_and_the_agent_is_known(self):
        self.start_server()
        self.start_agent()
        wait_for(lambda: get_json(self.url + "/api/v1/fleet/summary")["reporting_gpus"] == 2, what="both GPUs")
        gpu = get_json(self.url + f"/api/v1/gpus/{UUID % 1}")
        self.assertEqual((gpu["host"], gpu["rack"]), ("h1", "R07"))
        agents = get_json(self.url + "/api/v1/fleet/coverage")["agents"]
        self.assertEqual([a["host"] for a in agents], ["h1"])
        self.assertEqual(agents[0]["clock_behind_seconds"], 0)
        wait_for(lambda: self.own_metric("ghm_agent_all_delivered") == 1, what="delivery")
        self.assertEqual(fetch(f"http://127.0.0.1:{self.own}/healthz")[0], 200)
        self.exporter.xid = 79
        wait_for(lambda: any(e["kind"] == "xid" for e in get_json(self.url + "/api/v1/events")["items"]), 15, "the Xid as an event")

    def test_kills_and_cuts_lose_and_duplicate_nothing(self):
        self.start_server()
        self.start_agent()

        def kill_agent():
            self.agent.kill()
            self.start_agent()

        def kill_server():
            self.server.kill()
            self.start_server()

        time.sleep(2.5)
        kill_agent()
        time.sleep(2.2)
        self.link.cut()
        time.sleep(3.3)
        kill_agent()  # with rounds in its spool
        time.sleep(2.1)
        self.link.mend()
        kill_server()
        time.sleep(1.7)
        kill_server()
        kill_agent()
        time.sleep(1.9)
        kill_server()
        self.between_pages()
        self.assertEqual(self.agent.stop(), 0)
        served = list(self.exporter.served)
        pages = self.stored()
        self.assertEqual(len(pages), len(set(pages)), f"twice: {pages}")
        self.assertEqual(pages, sorted(pages))
        missing, maybe_unread = set(served) - set(pages), self.exporter.hung_up
        self.assertLessEqual(missing, maybe_unread, f"served {served}, in the store {pages}, hung up at {maybe_unread}")
        self.assertLessEqual(set(pages), set(served))
        self.assertGreater(len(pages), 10)
        self.assertEqual(self.stored(gpu=1), pages)

    def test_term_drains_what_waits(self):
        self.start_server()
        self.start_agent()
        self.between_pages()
        self.between_pages()
        began = time.monotonic()
        self.agent.process.send_signal(signal.SIGTERM)
        self.assertEqual(self.agent.process.wait(6), 0)
        self.assertLess(time.monotonic() - began, 5)
        pages = self.stored()
        self.assertEqual(pages, [n for n in self.exporter.served if n in pages or n not in self.exporter.hung_up])
        self.assertEqual(pages[-1:], self.exporter.served[-1:])

    def test_a_server_that_is_away_is_one_line_and_no_reason_to_stay(self):
        self.link.cut()
        self.start_agent()
        wait_for(lambda: self.own_metric("ghm_agent_send_failures_total") >= 2, what="two tries")
        self.assertEqual(self.agent.text().count("server.unreachable"), 1, self.agent.text())
        self.assertEqual(self.own_metric("ghm_agent_server_reachable"), 0)
        self.assertIn("refused", json.loads(fetch(f"http://127.0.0.1:{self.own}/healthz")[2])["server"])
        began = time.monotonic()
        self.assertEqual(self.agent.stop(), 0)
        self.assertLess(time.monotonic() - began, 5)


class Access(Case):
    def test_tls_and_token(self):
        certificate = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", "key.pem", "-out", "cert.pem"]
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", *certificate], cwd=self.folder, check=True, capture_output=True)
        self.config.write_text(self.config.read_text() + "auth: {mode: required}\ntls: {cert_file: cert.pem, key_file: key.pem}\n")
        self.server = Program(self.folder, "serve", "--config", self.config)
        wait_for(lambda: (pathlib.Path(self.folder) / "data/admin.token").exists(), what="the server")
        admin = (pathlib.Path(self.folder) / "data/admin.token").read_text().strip()
        token = pathlib.Path(self.folder) / "agent.token"
        token.write_text("ghm_wrong_token\n")
        self.write_agent_config(f"url: 'https://localhost:{self.link.port}', token_file: agent.token, tls_config: {{ca_file: cert.pem}}")
        self.start_agent()
        wait_for(lambda: "server.unreachable" in self.agent.text(), what="the refusal")
        self.assertIn("401", self.agent.text())
        self.assertIn("token_file", self.agent.text())
        token.write_text(admin + "\n")  # read again without a restart; what waited arrives
        wait_for(lambda: self.own_metric("ghm_agent_all_delivered") == 1, 30, "delivery")
        wait_for(lambda: self.own_metric("ghm_agent_sent_rounds_total") >= 2, what="what waited and what came since")
        self.assertNotIn("round.refused", self.agent.text())
        served = len(self.exporter.served)
        summary = ["curl", "-s", "--cacert", "cert.pem", "-H", f"Authorization: Bearer {admin}", f"https://localhost:{self.port}/api/v1/fleet/summary"]
        ask = lambda: json.loads(subprocess.run(summary, cwd=self.folder, capture_output=True, text=True).stdout)
        wait_for(lambda: ask()["total_gpus"] == 2, what="both GPUs in what people see")
        self.assertGreater(served, 1)


class Commands(Case):
    def agent_run(self, *args):
        return subprocess.run([AGENT, *map(str, args)], capture_output=True, text=True, timeout=20, cwd=self.folder)

    def test_check_config(self):
        good = self.agent_run("check-config", "--config", self.agent_config)
        self.assertEqual((good.returncode, good.stderr), (0, ""))
        self.assertIn("host h1", good.stdout)
        self.agent_config.write_text("server: {url: 'ftp://x'}\ninterval: 0s\nlabels: {shelf: a}\nspol: {}\n")
        bad = self.agent_run("check-config", "--config", self.agent_config)
        self.assertEqual(bad.returncode, 1)
        for line in ("agent.yaml:1: server.url", "agent.yaml:2: interval", "agent.yaml:3: labels", "spool"):
            self.assertIn(line, bad.stderr)
        self.assertEqual(self.agent_run("--no-such").returncode, 2)
        self.assertIn("example:", self.agent_run("--help").stdout)

    def test_two_agents_cannot_share_a_spool(self):
        self.start_agent()
        wait_for(lambda: len(self.exporter.served) > 0, what="the first")
        second = self.agent_run("--config", self.agent_config)
        self.assertEqual(second.returncode, 1)
        self.assertIn("another ghm-agent uses it", second.stderr)

    def test_no_database_and_no_learning_in_the_agent(self):
        libraries = subprocess.run(["ldd", AGENT], capture_output=True, text=True, check=True).stdout.lower()
        for heavy in ("sqlite", "xgboost", "torch", "libpq", "rdkafka", "onnx"):
            self.assertNotIn(heavy, libraries)
        self.assertIn("sqlite", subprocess.run(["ldd", GHM], capture_output=True, text=True, check=True).stdout.lower(), "else this test shows nothing")


    @unittest.skipUnless(shutil.which("dpkg-shlibdeps"), "dpkg-dev is not installed")
    def test_the_package(self):
        script = pathlib.Path(__file__).resolve().parents[2] / "deploy/agent/make_deb.sh"
        subprocess.run(["sh", script, self.folder], check=True, capture_output=True, env={**os.environ, "GHM_BUILD": str(BUILD)})
        package = next(pathlib.Path(self.folder).glob("ghm-agent_*.deb"))
        self.assertIn("libssl3", subprocess.run(["dpkg-deb", "-f", package, "Depends"], capture_output=True, text=True, check=True).stdout)
        listed = subprocess.run(["dpkg-deb", "-c", package], capture_output=True, text=True, check=True).stdout
        modes = {line.split()[-1]: line[:10] for line in listed.splitlines()}
        self.assertEqual(modes["./etc/ghm/agent.yaml"], "-rw-r--r--", "the unit's agent is not root")
        self.assertEqual(modes["./usr/bin/ghm-agent"], "-rwxr-xr-x")
        self.assertIn("./usr/lib/systemd/system/ghm-agent.service", modes)


class NotABatch(Case):
    def test_what_is_no_batch_is_told_in_a_sentence(self):
        self.start_server()
        post = lambda body, headers: fetch(self.url + "/api/v1/ingest/batch", data=body, headers=headers, method="POST")
        kind = {"Content-Type": "application/vnd.ghm.batch"}
        for body, headers, status, sentence in (
            (b"hello", kind, 400, "zstd"),
            (b"hello", {"Content-Type": "text/plain"}, 415, "application/vnd.ghm.batch"),
            (b"hello", {**kind, "X-Ghm-Backfill": "yes"}, 400, "X-Ghm-Backfill"),
        ):
            got = post(body, headers)
            self.assertEqual(got[0], status)
            self.assertIn(sentence, json.loads(got[2])["detail"])


if __name__ == "__main__":
    unittest.main()
