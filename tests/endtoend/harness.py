"""What the end-to-end tests share: real programs on free loopback ports in a scratch folder, stopped by their pid."""

import json
import os
import pathlib
import signal
import socket
import subprocess
import tempfile
import time
import unittest
import urllib.error
import urllib.request

SOURCE = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("GHM_BUILD", SOURCE / "build" / "release"))
GHM = str(BUILD / "ghm")


# Below the kernel's ephemeral ports; handed out once. Tests that start together have neighbouring process numbers: not so their ports.
_next_port = 20000 + os.getpid() * 97 % 10000


def free_ports(count=1):
    """`count` consecutive free ports, as the simulator wants them."""
    global _next_port
    for base in range(_next_port, 32000 - count):
        _next_port = base + count
        sockets = []
        try:
            for n in range(count):
                s = socket.socket()
                sockets.append(s)
                s.bind(("127.0.0.1", base + n))
            return base
        except OSError:
            continue
        finally:
            for s in sockets:
                s.close()
    raise RuntimeError("no free ports")


def run(*args, **kwargs):
    """A command to its end: exit code, standard output, standard error."""
    return subprocess.run([GHM, *map(str, args)], capture_output=True, text=True, timeout=kwargs.pop("timeout", 60), **kwargs)


def fetch(url, headers=None, data=None, method=None, timeout=10):
    """Status, headers, body; HTTP errors are answers, not exceptions."""
    request = urllib.request.Request(url, headers=headers or {}, data=data, method=method)
    try:
        with urllib.request.urlopen(request, timeout=timeout) as answer:
            return answer.status, dict(answer.headers), answer.read()
    except urllib.error.HTTPError as error:
        return error.code, dict(error.headers), error.read()


def get_json(url, **kwargs):
    status, _, body = fetch(url, **kwargs)
    assert status == 200, f"{url}: {status} {body[:300]}"
    return json.loads(body)


def wait_for(condition, seconds=30, what="the condition"):
    """Polls until `condition` gives something true; errors of the network mean "not yet"."""
    end = time.monotonic() + seconds
    last = None
    while time.monotonic() < end:
        try:
            value = condition()
            if value:
                return value
        except (OSError, AssertionError) as error:
            last = error
        time.sleep(0.1)
    raise AssertionError(f"{what} did not come within {seconds} s ({last})")


class Program:
    """A ghm process that runs until the test ends; its log is in `log`."""

    def __init__(self, folder, *args, **kwargs):
        self.log = pathlib.Path(folder) / f"{args[0]}-{time.monotonic_ns()}.log"
        self.out = open(self.log, "wb")
        self.process = subprocess.Popen([GHM, *map(str, args)], stdout=self.out, stderr=subprocess.STDOUT, cwd=folder, **kwargs)

    def text(self):
        return self.log.read_text(errors="replace")

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(15)
            except subprocess.TimeoutExpired:
                self.kill()
        self.out.close()
        return self.process.returncode


class Fleet:
    """A simulated fleet and a server that reads it."""

    def __init__(self, gpus=16, interval="1s", seed=7, scenario="healthy", extra="", targets=None):
        self.folder = tempfile.mkdtemp(prefix="ghm-e2e-")
        self.hosts = (gpus + 7) // 8
        self.simulator_port = free_ports(self.hosts)
        self.port = free_ports()
        self.url = f"http://127.0.0.1:{self.port}"
        self.config = pathlib.Path(self.folder) / "ghm.yaml"
        sources = f"targets: [{targets}]" if targets else f"http_sd: ['http://127.0.0.1:{self.simulator_port}/-/targets']"
        self.config.write_text(
            f"listen: 127.0.0.1:{self.port}\ndata_dir: {self.folder}/data\nscrape:\n  interval: {interval}\n  {sources}\n{extra}"
        )
        self.simulator = Program(self.folder, "simulate", "serve", "--gpus", gpus, "--port", self.simulator_port, "--seed", seed, "--scenario", scenario)
        wait_for(lambda: fetch(f"http://127.0.0.1:{self.simulator_port}/-/targets")[0] == 200, what="the simulator")
        self.server = None
        self.start()

    def start(self):
        self.server = Program(self.folder, "serve", "--config", self.config)
        try:
            wait_for(lambda: fetch(self.url + "/healthz")[0] == 200, what="the server")
        except AssertionError as late:
            self.stop()
            raise AssertionError(f"{late}\n{self.server.text()}") from late

    def api(self, path):
        return get_json(self.url + "/api/v1/" + path)

    def wait_for_gpus(self, count, seconds=30):
        return wait_for(lambda: self.api("fleet/summary")["reporting_gpus"] >= count, seconds, f"{count} reporting GPUs")

    def stop(self):
        for program in (self.server, self.simulator):
            if program:
                program.stop()


class Demo:
    """`ghm demo`: a simulated fleet with an hour behind it and faults in it, and its server."""

    def __init__(self, gpus=96):
        self.folder = tempfile.mkdtemp(prefix="ghm-e2e-demo-")
        self.simulator_port = free_ports((gpus + 7) // 8)
        self.port = free_ports()
        self.url = f"http://127.0.0.1:{self.port}"
        self.program = Program(
            self.folder, "demo", "--simulate", "--gpus", gpus, "--port", self.port, "--simulator-port", self.simulator_port, "--data-dir", f"{self.folder}/data"
        )
        try:
            wait_for(lambda: fetch(self.url + "/healthz")[0] == 200, 90, what="the demo")
        except AssertionError as late:
            self.program.stop()
            raise AssertionError(f"{late}\n{self.program.text()}") from late

    def api(self, path):
        return get_json(self.url + "/api/v1/" + path)

    def wait_for_gpus(self, count, seconds=150):  # it writes an hour of history first
        return wait_for(lambda: self.api("fleet/summary")["reporting_gpus"] >= count, seconds, f"{count} reporting GPUs")

    def stop(self):
        self.program.stop()


class OnAFleet(unittest.TestCase):
    """Each test has a small simulated fleet and a server of its own, and the administrator's key."""

    def setUp(self):
        self.fleet = Fleet(gpus=16)
        self.fleet.wait_for_gpus(16)
        self.key = ["--server", self.fleet.url, "--data-dir", f"{self.fleet.folder}/data"]

    def tearDown(self):
        self.fleet.stop()

    def inject(self, gpu, fault):
        done = run("simulate", "inject", "--port", self.fleet.simulator_port, gpu, fault)
        self.assertEqual(done.returncode, 0, done.stderr)

    def command(self, *args, code=0):
        done = run(*args, *self.key)
        self.assertEqual(done.returncode, code, done.stderr)
        return done
