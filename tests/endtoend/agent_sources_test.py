"""What only the host knows → ghm-agent → ghm serve: a made-up NVML, kernel log, /proc and /sys; no exporter."""

import os
import pathlib
import time
import unittest

import agent_test
from harness import BUILD, get_json, wait_for

UUIDS = ["GPU-00000000-0000-4000-8000-0000000000b%d" % i for i in range(8)]
MOST_MEMORY = 16 << 20  # of the agent and its NVML child together


def pss(pid):
    text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
    return next(int(line.split()[1]) * 1024 for line in text.splitlines() if line.startswith("Pss:"))


def children(pid):
    return [int(p) for p in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


class Host(agent_test.Case):
    """A host of eight GPUs whose NVML, kernel log, /proc and /sys are files."""

    def setUp(self):
        super().setUp()
        self.root = pathlib.Path(self.folder)
        self.kmsg = self.root / "kmsg"
        self.kmsg.touch()
        self.script = self.root / "nvml.script"
        os.environ["GHM_FAKE_NVML"] = str(self.script)
        self.play("")
        self.seq = 1
        for name, text in {
            "host/sys/class/dmi/id/product_serial": "S452392X2A01234\n",
            "host/proc/driver/nvidia/version": "NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.104.05  Sat Aug 19\n",
            "host/proc/4711/stat": "4711 (python3) S 1 77 77 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 64 0 123456 789 10\n",
            "host/proc/4711/cgroup": "0::/system.slice/slurmstepd.scope/job_77/step_0/user/task_0\n",
            "host/proc/4711/environ": "SLURM_JOB_ID=77\0SLURM_JOB_USER=ada\0",
        }.items():
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    def play(self, more):
        gpus = "".join(f"gpu uuid={u} serial=165000000000{i} pci=00000000:{0x18 + i:02X}:00.0\n" for i, u in enumerate(UUIDS))
        self.script.write_text("driver 535.104.05\n" + gpus + "set 1 temperature 71\nprocesses 2 4711\n" + more)

    def say(self, text):
        monotonic = int(time.clock_gettime(time.CLOCK_MONOTONIC) * 1e6)
        with self.kmsg.open("a") as log:
            log.write(f"4,{self.seq},{monotonic},-;{text}\n SUBSYSTEM=pci\n")
        self.seq += 1

    def start(self, exporter=False):
        self.start_server()
        self.write_agent_config(
            more=f"sources:\n  root: host\n  kernel_log: {{device: kmsg}}\n  kubelet: {{enabled: false}}\n"
            f"  nvml: {{library: {BUILD}/fake_nvml/new/libnvidia-ml.so.1, call_timeout: 1s}}\n"
        )
        if not exporter:
            self.agent_config.write_text(self.agent_config.read_text().replace("exporter: {", "exporter: {enabled: false, "))
        self.start_agent()
        wait_for(lambda: get_json(self.url + "/api/v1/fleet/summary")["reporting_gpus"] == 8, what="all GPUs, by NVML")

    def events(self, kind):
        return [e for e in get_json(self.url + "/api/v1/events?limit=500")["items"] if e["kind"] == kind]


class Sources(Host):
    def test_a_host_without_exporter(self):
        self.start()
        gpu = get_json(f"{self.url}/api/v1/gpus/{UUIDS[1]}")
        self.assertEqual(gpu["serial"], "1650000000001")
        now = int(time.time())
        series = get_json(f"{self.url}/api/v1/gpus/{UUIDS[1]}/metrics?metrics=DCGM_FI_DEV_GPU_TEMP&start={now - 60}&end={now + 5}&interval=1s")["series"]
        self.assertEqual({v for v in next(iter(series.values()))["last"] if v is not None}, {71})

        began = time.monotonic()
        self.say("NVRM: Xid (PCI:0000:1b:00): 79, pid=4711, name=python3, GPU has fallen off the bus.")
        wait_for(lambda: self.events("xid"), 15, "the Xid as an event")
        incidents = wait_for(lambda: get_json(self.url + "/api/v1/incidents?state=open&gpu=1650000000003")["items"], 15, "the incident of that board")
        took = time.monotonic() - began
        print(f"from the kernel's line to the incident: {took:.1f} s")
        self.assertLess(took, 15)
        self.assertEqual([(i["cause"], i["host"]) for i in incidents], [("off_bus", "h1")])
        self.assertEqual(len(get_json(self.url + "/api/v1/incidents")["items"]), 1, "and of no other")
        self.assertIn("1650000000003", str(self.events("xid")[0]), "of the board at that address")
        self.assertIn("fallen off the bus", str(self.events("xid")[0]))

        self.seq += 5
        self.say("eth0: link up")
        wait_for(lambda: self.events("kernel_gap"), 15, "the gap as an event")

    def test_gauge_and_kernel_line_are_one_event(self):
        self.exporter.gpus = 1
        self.exporter.name = lambda g: (UUIDS[g], f"00000000:{0x18 + g:02X}:00.0")
        self.start(exporter=True)

        def all_read():
            n = self.exporter.last
            wait_for(lambda: self.exporter.last >= n + 3, 15, "pages that say so")
            wait_for(lambda: self.own_metric("ghm_agent_all_delivered") == 1, what="delivery")

        self.say("NVRM: Xid (PCI:0000:18:00): 48, pid=4711, name=python3, DBE")
        wait_for(lambda: self.events("xid"), 15, "the line as an event")
        self.exporter.xid = 48
        all_read()
        self.assertEqual([e["code"] for e in self.events("xid")], [48], "the gauge says nothing new")

        self.exporter.xid = 31
        wait_for(lambda: len(self.events("xid")) == 2, 15, "the gauge as an event")
        self.say("NVRM: Xid (PCI:0000:18:00): 31, pid=4711, name=python3, Ch 00000008")
        wait_for(lambda: all("name=python3" in str(e) for e in self.events("xid")), 15, "the line in its place")
        all_read()
        self.assertEqual(sorted(e["code"] for e in self.events("xid")), [31, 48])

    def test_nvml_that_hangs_costs_a_child_and_the_faults_go_on(self):
        self.play("from 4\nhang 0 nvmlDeviceGetPowerManagementLimit\n")
        self.start()
        wait_for(lambda: self.events("nvml_hang"), 30, "the hang as an event")
        self.say("nvidia-nvswitch0: SXid (PCI:0000:a9:00.0): 20034, Fatal, Link 30 LTSSM Fault Up")
        wait_for(lambda: self.events("sxid"), 15, "a fault while NVML hangs")
        self.assertIsNone(self.agent.process.poll())

    def test_a_restart_tells_no_fault_twice(self):
        self.start()
        self.say("NVRM: Xid (PCI:0000:1b:00): 31, pid=4711, name=python3, Ch 00000008")
        wait_for(lambda: self.events("xid"), 15, "the Xid as an event")
        time.sleep(2)  # the next round has been kept, and with it how far the log was told
        self.agent.kill()
        self.start_agent()
        self.say("NVRM: Xid (PCI:0000:1b:00): 43, pid=4711, name=python3, Ch 00000008")
        wait_for(lambda: len(self.events("xid")) == 2, 15, "the second")
        time.sleep(2)
        self.assertEqual(len(self.events("xid")), 2)

    def test_memory_of_agent_and_child(self):
        self.start()
        time.sleep(5)
        pids = [self.agent.process.pid, *children(self.agent.process.pid)]
        self.assertEqual(len(pids), 2, "the agent and its NVML child")
        used = {pid: pss(pid) for pid in pids}
        print(f"PSS: agent {used[pids[0]] >> 10} KiB, NVML child {used[pids[1]] >> 10} KiB")
        self.assertLessEqual(sum(used.values()), MOST_MEMORY)


if __name__ == "__main__":
    unittest.main()
