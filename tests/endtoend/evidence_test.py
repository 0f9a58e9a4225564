"""What ghm-agent writes down at the first fatal sign is in the bundle of ghm rma, whatever happens to agent, link and host in between."""

import json
import subprocess
import tarfile
import time
import unittest

import agent_sources_test
from harness import fetch, get_json, run, wait_for

SERIAL = "1650000000003"  # of the GPU at 1b:00.0
PCI = "host/sys/bus/pci/devices/0000:1b:00.0/"
BOOT = "host/proc/sys/kernel/random/boot_id"


class Evidence(agent_sources_test.Host):
    def setUp(self):
        super().setUp()
        for name, text in {
            PCI + "vendor": "0x10de\n",
            PCI + "class": "0x030200\n",
            PCI + "config": "\x7f\x10\x30\x23" + 60 * "\0",
            PCI + "current_link_width": "16\n",
            PCI + "max_link_width": "16\n",
            PCI + "aer_dev_fatal": "DLP 0\nTLP 3\nTOTAL_ERR_FATAL 3\n",
            "host/proc/uptime": "1234.56 7890.12\n",
            BOOT: "aaaaaaaa-1111-4222-8333-9a4b5c6d7e8f\n",
        }.items():
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        self.play("processes 3 4711\n")

    def xid(self, code=79, pci="1b"):
        self.say(f"NVRM: Xid (PCI:0000:{pci}:00): {code}, pid=4711, name=python3, GPU has fallen off the bus.")

    def metric(self, name):
        text = fetch(f"http://127.0.0.1:{self.own}/metrics")[2].decode()
        return float(next(line for line in text.splitlines() if line.startswith(name + " ")).split()[-1])

    def evidence(self, serial=SERIAL):
        found = get_json(f"{self.url}/api/v1/incidents?gpu={serial}")["items"]
        return [e for i in found for e in get_json(f"{self.url}/api/v1/incidents/{i['id']}")["evidence"]]

    def bundle(self, name, serial=SERIAL):
        """What ghm rma makes, verified and unpacked: its files by name."""
        out = self.root / f"{name}.tar.zst"
        done = run("rma", serial, "--server", self.url, "--out", out)
        self.assertEqual(done.returncode, 0, done.stderr)
        done = run("rma", "verify", out)
        self.assertEqual(done.returncode, 0, done.stderr)
        subprocess.run(["zstd", "-dqf", out, "-o", self.root / "b.tar"], check=True)
        folder = self.root / name
        with tarfile.open(self.root / "b.tar") as t:
            t.extractall(folder)
        return {p.name: p.read_text() for p in folder.iterdir() if p.suffix != ".sig"}

    def snapshots(self, name):
        files = self.bundle(name)
        return [json.loads(text) for file, text in sorted(files.items()) if file.startswith("snapshot-") and file.endswith(".json")]

    def test_from_the_sign_to_the_bundle(self):
        self.start()
        for n in range(250):
            self.say(f"eth0: an ordinary line {n}")
        self.say("pcieport 0000:17:01.0: AER: Uncorrected (Fatal) error received <script>\\x1b[31m")
        self.assertEqual(self.metric("ghm_agent_snapshots_total"), 0)
        began = time.monotonic()
        self.xid()
        wait_for(lambda: self.metric("ghm_agent_snapshots_total") == 1, 10, "the snapshot")
        print(f"from the kernel's line to the snapshot on disk: under {time.monotonic() - began:.1f} s")
        self.say("NVRM: a line that the driver prints after it")
        evidence = wait_for(self.evidence, 15, "the incident's evidence")
        self.assertEqual([(e["gpu"], e["host"]) for e in evidence], [(SERIAL, "h1")])
        self.assertEqual(len(self.events("evidence_taken")), 1)
        incident = get_json(f"{self.url}/api/v1/incidents?gpu={SERIAL}")["items"][0]["id"]
        shown = run("incidents", "show", incident, "--server", self.url).stdout
        self.assertIn(f"snapshot {evidence[0]['id']}: a reboot loses none of it", shown)

        wait_for(lambda: any(s["later"] for s in self.snapshots(f"b{time.monotonic_ns()}")), 15, "what was read a moment after")
        files = self.bundle("rma")
        (name,) = [n for n in files if n.startswith("snapshot-") and n.endswith(".txt")]
        text = files[name]
        for line in ("an ordinary line 249", "an ordinary line 60", "AER: Uncorrected (Fatal) error received <script>\\x1b[31m", "Xid (PCI:0000:1b:00): 79", "a line that the driver prints after it"):
            self.assertIn(line, text)
        self.assertNotIn("an ordinary line 40\n", text, "200 lines")
        for fact in ("host_facts.aer_fatal: TLP 3", "host_facts.uptime: 1234.56 7890.12", "4711 python3, state S", "reading DCGM_FI_DEV_GPU_TEMP: ", "gpu.serial: " + SERIAL):
            self.assertIn(fact, text)
        document = json.loads(files[name.replace(".txt", ".json")])
        self.assertIn("DCGM_FI_DEV_POWER_USAGE", document["later"]["sources"]["nvml"]["facts"])
        page = files["index.html"]
        self.assertIn("AER: Uncorrected (Fatal) error received &lt;script&gt;", page)
        self.assertNotIn("<script", page)
        told = json.loads(files["evidence.json"])
        self.assertEqual([s["id"] for s in told["snapshots"]], [evidence[0]["id"]])
        self.assertNotIn("Snapshot at the fault", " ".join(told["missing"]))
        self.assertNotIn("jobs", document["gpu_state"], "whose work it was stays inside")

        with self.kmsg.open("a") as log:
            log.write("no head\n")
        wait_for(lambda: self.metric("ghm_agent_kernel_log_malformed_records_total") == 1, 10, "the count of heads that cannot be read")

        pids = [self.agent.process.pid, *agent_sources_test.children(self.agent.process.pid)]
        used = sum(agent_sources_test.pss(pid) for pid in pids)
        print(f"PSS of agent and child after a snapshot: {used >> 10} KiB")
        self.assertLessEqual(used, agent_sources_test.MOST_MEMORY)

    def test_a_kill_between_sign_and_sending(self):
        self.start()
        self.link.cut()
        self.xid()
        wait_for(lambda: self.metric("ghm_agent_snapshots_total") == 1, 10, "the snapshot")
        self.agent.kill()
        self.start_agent()
        time.sleep(3)
        self.assertEqual(self.metric("ghm_agent_snapshots_total"), 0, "it is not taken again")
        self.link.mend()
        wait_for(self.evidence, 70, "the incident's evidence")
        wait_for(lambda: self.own_metric("ghm_agent_all_delivered") == 1, 30, "delivery")
        self.assertEqual(len(self.evidence()), 1)
        self.assertEqual(len(self.events("evidence_taken")), 1)
        self.assertEqual(len(self.snapshots("rma")), 1)

    def test_a_reboot_right_after_the_sign(self):
        self.start()
        self.say("a line of the first boot")
        self.link.cut()
        self.xid()
        wait_for(lambda: self.metric("ghm_agent_snapshots_total") == 1, 10, "the snapshot")
        self.agent.kill()
        (self.root / BOOT).write_text("bbbbbbbb-1111-4222-8333-9a4b5c6d7e8f\n")
        self.kmsg.write_text("")
        self.seq = 1
        self.say("Linux version 6.1.0")
        self.start_agent()
        self.link.mend()
        evidence = wait_for(self.evidence, 70, "what the boot before had written down")
        self.assertTrue(evidence[0]["id"].startswith("aaaaaaaa-"), evidence)
        (first,) = self.snapshots("first")
        self.assertIn("a line of the first boot", json.dumps(first["host_state"]))
        self.xid()
        wait_for(lambda: len(self.evidence()) == 2, 20, "a snapshot of the new boot")
        self.assertIn("Linux version 6.1.0", json.dumps(self.snapshots("second")))

    def test_nvml_that_hangs_is_said_and_not_waited_for(self):
        self.play("from 3\nhang 0 nvmlDeviceGetClockInfo\n")
        self.start(call_timeout="60s")
        time.sleep(4)  # the third round is under way and stays so
        began = time.monotonic()
        self.xid(119)
        wait_for(lambda: self.metric("ghm_agent_snapshots_total") == 1, 5, "the snapshot")
        self.assertLess(time.monotonic() - began, 4)
        wait_for(self.evidence, 15, "the incident's evidence")
        later = wait_for(lambda: [s["later"] for s in self.snapshots(f"b{time.monotonic_ns()}") if s["later"]], 15, "what did not answer")
        self.assertIn("nvmlDeviceGetClockInfo on GPU 0", later[0]["sources"]["nvml"]["missing"])
        told = json.loads(self.bundle("rma")["evidence.json"])
        self.assertIn("nvmlDeviceGetClockInfo", " ".join(told["missing"]))

    def test_a_burst_is_bounded(self):
        self.start()
        for n in range(64):
            self.xid(pci=f"{0x18 + n:x}")
        wait_for(lambda: self.metric("ghm_agent_snapshots_total") == 8, 10, "eight snapshots")
        wait_for(lambda: self.events("snapshot_skipped"), 15, "the word that there were more")
        self.assertEqual(self.metric('ghm_agent_snapshots_skipped_total{reason="too_many"}'), 56)
        self.assertEqual(len(self.events("evidence_taken")), 8)
        self.assertEqual(len(self.snapshots("rma")), 1)

    def test_why_there_is_none(self):
        self.start()
        self.xid(48, "1a")
        wait_for(lambda: self.evidence("1650000000002"), 15, "the evidence of another board")
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 7200))
        out = self.root / "none.tar.zst"
        made = json.loads(run("rma", SERIAL, "--at", now, "--server", self.url, "--out", out, "--json").stdout)
        self.assertIn("the fault came before the agent", " ".join(made["missing"]))


if __name__ == "__main__":
    unittest.main()
