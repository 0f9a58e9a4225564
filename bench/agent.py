"""What ghm-agent costs its host: the rows of `./dev bench agent`, beside Debian's prometheus-node-exporter on the same machine."""

import json
import os
import pathlib
import re
import shutil
import ssl
import subprocess
import tempfile
import time
import urllib.request

from agent_test import AgentProgram, Link
from harness import BUILD, Program, fetch, free_ports, wait_for

INTERVAL = 10
SPOOLED = 60  # rounds that wait before the memory is measured


def cpu(pids):
    """CPU seconds of processes, to the nanosecond: ticks of 10 ms would be the whole of a round."""
    tasks = [task for pid in pids for task in pathlib.Path(f"/proc/{pid}/task").iterdir()]
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e9


def pss(pid):
    text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
    return int(re.search(r"^Pss:\s+(\d+)", text, re.M)[1]) / 1024


def family(pid):
    """A process and its children: the agent and its NVML reader."""
    return [pid, *map(int, pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split())]


class NodeExporter:
    def __init__(self):
        port = free_ports()
        self.url = f"http://127.0.0.1:{port}/metrics"
        self.process = subprocess.Popen(["prometheus-node-exporter", f"--web.listen-address=127.0.0.1:{port}"], stderr=subprocess.DEVNULL)
        wait_for(lambda: fetch(self.url)[0] == 200, 30, "prometheus-node-exporter")

    def stop(self):
        self.process.terminate()
        self.process.wait(30)


class Server:
    """`ghm serve` over TLS, with keys."""

    def __init__(self, folder):
        self.folder, self.port = folder, free_ports()
        names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", *names,
                        "-keyout", folder / "key.pem", "-out", folder / "cert.pem"], check=True, capture_output=True)
        config = folder / "ghm.yaml"
        config.write_text(f"listen: 127.0.0.1:{self.port}\ndata_dir: {folder}/data\ningest: {{batch: true}}\n"
                          "auth: {mode: required}\ntls: {cert_file: cert.pem, key_file: key.pem}\n")
        self.program = Program(folder, "serve", "--config", config)
        wait_for(lambda: (folder / "data/admin.token").exists(), 30, "the server")

    def gpus(self):
        token = (self.folder / "data/admin.token").read_text().strip()
        request = urllib.request.Request(f"https://localhost:{self.port}/api/v1/fleet/summary", headers={"Authorization": f"Bearer {token}"})
        with urllib.request.urlopen(request, context=ssl.create_default_context(cafile=self.folder / "cert.pem")) as answer:
            return json.load(answer)["reporting_gpus"]


def lay_out_host(root, gpus):
    """`proc` and `sys` as they are on a host with these GPUs (UUID to PCI address): what the agent reads of them each round."""
    for uuid, address in gpus.items():
        name = address.lower()[-12:]
        device = root / "sys/bus/pci/devices" / name
        device.mkdir(parents=True)
        for file, text in (("vendor", "0x10de\n"), ("class", "0x030200\n"), ("config", "\xde\x10" * 32), ("current_link_speed", "32.0 GT/s PCIe\n"),
                           ("current_link_width", "16\n"), ("max_link_speed", "32.0 GT/s PCIe\n"), ("max_link_width", "16\n"),
                           *((f"aer_dev_{kind}", "RxErr 0\nTOTAL_ERR 0\n") for kind in ("correctable", "nonfatal", "fatal"))):
            (device / file).write_text(text, encoding="latin-1")
        driver = root / "proc/driver/nvidia/gpus" / name
        driver.mkdir(parents=True)
        (driver / "information").write_text(f"Model: \t\t NVIDIA H100 80GB HBM3\nGPU UUID: \t {uuid}\nVideo BIOS: \t 96.00.74.00.01\n")
    (root / "proc/driver/nvidia/version").write_text("NVRM version: NVIDIA UNIX x86_64 Kernel Module  570.86.15  Sat Jan  1 00:00:00 UTC 2026\n")


class Host:
    """One agent with all its sources: a simulated exporter's page of 8 GPUs, the same GPUs by a made-up NVML and in a made-up /sys, and a
    kernel log in which nothing happens."""

    def __init__(self, folder, server, exporter_port, name, interval):
        self.link, self.own = Link(server.port), free_ports()
        page = fetch(f"http://127.0.0.1:{exporter_port}/metrics")[2].decode()
        self.series = sum(not line.startswith("#") for line in page.splitlines())
        gpus = dict(re.findall(r'UUID="(GPU-[^"]+)",pci_bus_id="([^"]+)"', page))
        script = folder / f"{name}.nvml"
        script.write_text("driver 570.86.15\n" + "".join(f"gpu uuid={uuid} pci={pci}\n" for uuid, pci in gpus.items()))
        lay_out_host(folder / f"{name}.root", gpus)
        os.mkfifo(folder / f"{name}.kmsg")
        self.kernel = os.open(folder / f"{name}.kmsg", os.O_RDWR)  # the kernel never closes its log
        config = folder / f"{name}.yaml"
        config.write_text(
            f"server: {{url: 'https://localhost:{self.link.port}', token_file: data/admin.token, tls_config: {{ca_file: cert.pem}}}}\n"
            f"host: {name}\ninterval: {interval}s\nexporter: {{address: '127.0.0.1:{exporter_port}'}}\nlisten: 127.0.0.1:{self.own}\n"
            f"spool: {{dir: {name}.spool}}\nsources:\n  root: {name}.root\n  kernel_log: {{device: {name}.kmsg}}\n"
            f"  nvml: {{library: {BUILD}/fake_nvml/new/libnvidia-ml.so.1}}\n")
        os.environ["GHM_FAKE_NVML"] = str(script)
        self.agent = AgentProgram(folder, "--config", config)
        self.pid = self.agent.process.pid

    def own_metric(self, name):
        text = fetch(f"http://127.0.0.1:{self.own}/metrics")[2].decode()
        return float(re.search(rf"^{name}(?:\{{[^}}]*\}})? (\S+)$", text, re.M)[1])

    def stop(self):
        self.agent.stop()
        self.link.cut()
        if self.kernel is not None:
            os.close(self.kernel)
            self.kernel = None


def cost_of_rounds(host, minutes):
    """CPU per round and per scrape of the peer, bytes per second to and from the server: side by side, a scrape per round."""
    peer = NodeExporter()
    try:
        rounds = max(6, round(minutes * 60 / INTERVAL))
        state = lambda: (cpu(family(host.pid)), cpu([peer.process.pid]), host.link.up, host.link.down, host.own_metric("ghm_agent_rounds_total"))
        before, began = state(), time.monotonic()
        for n in range(rounds):
            time.sleep(max(0, began + (n + 1) * INTERVAL - time.monotonic()))
            fetch(peer.url)
        ours, theirs, up, down, done = (b - a for a, b in zip(before, state()))
        seconds = time.monotonic() - began
        return ours / done, theirs / rounds, up / seconds, down / seconds, rounds
    finally:
        peer.stop()


def memory_after_drain(host):
    """MiB of the agent and of its child, after it sent what had waited for a minute."""
    wait_for(lambda: host.own_metric("ghm_agent_all_delivered") == 1, 60, "the first rounds")
    host.link.cut()
    before = host.own_metric("ghm_agent_rounds_total")
    wait_for(lambda: host.own_metric("ghm_agent_rounds_total") >= before + SPOOLED, 3 * SPOOLED, "a full spool")
    host.link.mend()
    wait_for(lambda: host.own_metric("ghm_agent_all_delivered") == 1, 120, "the drain")
    time.sleep(3)
    return [pss(pid) for pid in family(host.pid)]


def rows(minutes):
    folder = pathlib.Path(tempfile.mkdtemp(prefix="ghm-bench-"))
    ports = free_ports(2)
    programs = [Program(folder, "simulate", "serve", "--gpus", 16, "--port", ports, "--seed", 1, "--scenario", "healthy")]
    try:
        for port in (ports, ports + 1):
            wait_for(lambda: fetch(f"http://127.0.0.1:{port}/metrics")[0] == 200, 60, "the simulator")
        server = Server(folder)
        programs.append(server.program)
        drained = Host(folder, server, ports + 1, "drained", 1)
        programs.append(drained)
        memory = memory_after_drain(drained)
        drained.stop()
        host = Host(folder, server, ports, "measured", INTERVAL)
        programs.append(host)
        wait_for(lambda: host.own_metric("ghm_agent_rounds_total") >= 3 and server.gpus() >= 8, 60, "three rounds")
        ours, theirs, up, down, n = cost_of_rounds(host, minutes)
    finally:
        for program in reversed(programs):
            program.stop()
        shutil.rmtree(folder, ignore_errors=True)
    what = f"8 GPUs, {host.series} series on the page and NVML, every {INTERVAL} s"
    return [("agent and NVML child, CPU per round against prometheus-node-exporter's per scrape", f"1/{theirs / ours:.1f}", "≤ 1/5", ours <= theirs / 5,
             f"{1e3 * ours:.2f} against {1e3 * theirs:.2f} ms, {n} of each; {what}"),
            ("the same, sent over the wire", f"{up:.0f} bytes/s", "≤ 200 bytes/s", up <= 200, f"with HTTP and TLS; {down:.0f} bytes/s come back"),
            ("the same, PSS with TLS after a spool drain", f"{sum(memory):.1f} MiB", "≤ 16 MiB", sum(memory) <= 16,
             f"agent {memory[0]:.1f}, child {sum(memory[1:]):.1f}; {SPOOLED} rounds had waited")]
