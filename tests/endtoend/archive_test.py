"""Archives from outside: one made here is imported, killed and imported again, served, exported and imported once more; and
the real lifetimes of Titan's GPUs, where the reference folder is there."""

import csv
import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time
import unittest
from datetime import datetime, timedelta, timezone

import harness

HOURS = 20
BOARDS = 20


def uuid(board):
    return f"GPU-00000000-0000-0000-0000-{board:012}"


def stamp(t):
    return t.strftime("%Y-%m-%dT%H:%M:%SZ")


def write_csv(path, header, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(header)
        writer.writerows(rows)


def make_archive(folder, start, hours=HOURS, simulated=True):
    folder.mkdir()
    manifest = {"format": "fleet-archive", "version": 1, "start": stamp(start), "end": stamp(start + timedelta(hours=hours)), "interval_s": 60, "name": "attic", "simulated": simulated}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    write_csv(folder / "assets.csv", ["gpu_uuid", "serial", "model", "host", "slot", "attr_lot"],
              [[uuid(b), f"16510{b:08}", "NVIDIA H100 80GB HBM3", f"attic-{b // 8}", b % 8, "lot, seven"] for b in range(BOARDS)])
    write_csv(folder / "events.csv", ["time", "kind", "gpu_uuid", "code", "detail"], [[stamp(start), "xid", uuid(3), "79", "=the bus is gone"]])
    write_csv(folder / "failures.csv", ["detected_at", "gpu_uuid", "failure_type", "resolution"], [[stamp(start + timedelta(hours=1)), uuid(3), "pcie", "reseat"]])
    header = ["time", "gpu_uuid", "DCGM_FI_DEV_GPU_TEMP", "DCGM_FI_DEV_POWER_USAGE", "DCGM_FI_DEV_FB_USED", "DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION"]
    header += [f"DCGM_FI_DEV_NVLINK_BANDWIDTH_TOTAL@nvlink{n}" for n in range(18)]
    rows = []
    for minute in range(hours * 60):
        t = stamp(start + timedelta(minutes=minute))
        for b in range(BOARDS):
            rows.append([t, uuid(b), 40 + (minute + b) % 30, f"{300 + minute % 7 + 0.125:.3f}", minute, minute * 1000] + [minute % 100 + n for n in range(18)])
    half = len(rows) // 2
    write_csv(folder / "telemetry" / "a.csv", header, rows[:half])
    write_csv(folder / "telemetry" / "b.csv", header, rows[half:])
    return rows


def import_json(folder, data, **kwargs):
    done = harness.run("import", folder, "--data-dir", data, "--json", **kwargs)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


class ArchiveTest(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="ghm-e2e-archive-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def test_import_serve_export_and_import_again(self):
        start = (datetime.now(timezone.utc) - timedelta(days=2)).replace(minute=0, second=0, microsecond=0)
        rows = make_archive(self.folder / "in", start)
        data = self.folder / "data"
        report = import_json(self.folder / "in", data)
        self.assertEqual((report["rows"], report["cells"]), (len(rows), len(rows) * 22))
        self.assertEqual((report["boards"], report["events"], report["failures"], report["refused"]), (BOARDS, 1, 1, {}))
        self.assertTrue(import_json(self.folder / "in", data)["already_imported"])

        port = harness.free_ports()
        config = self.folder / "ghm.yaml"
        config.write_text(f"listen: 127.0.0.1:{port}\ndata_dir: {data}\nscrape:\n  interval: 10s\n  targets: [127.0.0.1:9]\n")
        server = harness.Program(self.folder, "serve", "--config", config)
        self.addCleanup(server.stop)
        api = f"http://127.0.0.1:{port}/api/v1/"
        harness.wait_for(lambda: harness.fetch(api + "fleet/summary")[0] == 200, what="the server")
        summary = harness.wait_for(lambda: (lambda s: s if s["total_gpus"] == BOARDS else None)(harness.get_json(api + "fleet/summary")), what="the boards")
        self.assertTrue(summary["simulated"])
        gpu = harness.get_json(api + f"gpus/{uuid(3)}")
        self.assertEqual(gpu["serial"], "1651000000003")
        end = stamp(start + timedelta(hours=2))
        told = harness.get_json(api + f"gpus/{uuid(3)}/metrics?metrics=DCGM_FI_DEV_GPU_TEMP,DCGM_FI_DEV_POWER_USAGE&start={stamp(start)}&end={end}")
        text = json.dumps(told)
        self.assertIn("300.125", text)
        self.assertIn("306.125", text)
        busy = harness.run("import", self.folder / "in", "--data-dir", data)
        self.assertEqual(busy.returncode, 1)
        self.assertIn("in use", busy.stderr)
        self.assertEqual(len(busy.stderr.strip().splitlines()), 1)
        busy = harness.run("export", self.folder / "no", "--data-dir", data)
        self.assertEqual(busy.returncode, 1)
        self.assertIn("ghm backup", busy.stderr)
        server.stop()

        out = self.folder / "out"
        done = harness.run("export", out, "--data-dir", data, "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(json.loads(done.stdout)["cells"], report["cells"])
        self.assertTrue(json.loads((out / "manifest.json").read_text())["simulated"])
        events = list(csv.DictReader(open(out / "events.csv", newline="")))
        xid = [e for e in events if e["kind"] == "xid"]
        self.assertEqual([(e["time"], e["gpu_uuid"], e["code"], e["detail"]) for e in xid], [(stamp(start), uuid(3), "79", "'=the bus is gone")])
        exported = []
        for day in sorted((out / "telemetry").glob("*.csv")):
            exported += list(csv.DictReader(open(day, newline="")))
        self.assertEqual(len(exported), len(rows))
        for want, got in zip(rows, exported):
            self.assertEqual((want[0], want[1], float(want[2]), float(want[3])),
                             (got["time"], got["gpu_uuid"], float(got["DCGM_FI_DEV_GPU_TEMP"]), float(got["DCGM_FI_DEV_POWER_USAGE"])))
        self.assertTrue(json.loads(harness.run("export", out, "--data-dir", data, "--json").stdout)["already_exported"])

        again = import_json(out, self.folder / "data2")
        self.assertEqual((again["rows"], again["cells"], again["failures"], again["refused"]), (len(rows), report["cells"], 1, {}))
        done = harness.run("export", self.folder / "out2", "--data-dir", self.folder / "data2")
        self.assertEqual(done.returncode, 0, done.stderr)
        for table in ["assets.csv", "failures.csv", "events.csv"] + [f"telemetry/{p.name}" for p in (out / "telemetry").iterdir()]:
            self.assertEqual((out / table).read_bytes(), (self.folder / "out2" / table).read_bytes(), table)

    def test_killed_anywhere_it_ends_as_if_never_killed(self):
        start = datetime(2026, 2, 9, tzinfo=timezone.utc)
        make_archive(self.folder / "in", start, simulated=False)
        whole = import_json(self.folder / "in", self.folder / "whole")
        begun = time.monotonic()
        for share in (0.1, 0.3, 0.5, 0.7, 0.9):
            data = self.folder / f"killed-{share}"
            process = subprocess.Popen([harness.GHM, "import", str(self.folder / "in"), "--data-dir", str(data)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(max(0.01, share * whole["seconds"]))
            process.send_signal(signal.SIGKILL)
            process.wait()
            report = import_json(self.folder / "in", data)
            for key in ("rows", "cells", "refused", "boards", "events", "failures"):
                self.assertEqual(report[key], whole[key], f"{key}, killed after {share}")
            self.compare_exports(data, self.folder / "whole")
            if time.monotonic() - begun > 30:
                break

    def compare_exports(self, a, b):
        tables = []
        for data in (a, b):
            out = pathlib.Path(str(data) + "-out")
            if not out.exists():
                done = harness.run("export", out, "--data-dir", data)
                self.assertEqual(done.returncode, 0, done.stderr)
            tables.append({str(p.relative_to(out)): p.read_bytes() for p in out.rglob("*.csv")})
        self.assertEqual(tables[0].keys(), tables[1].keys())
        for name in tables[0]:
            self.assertEqual(tables[0][name], tables[1][name], name)

    def test_what_is_no_archive_is_one_sentence(self):
        for prepare, words in ((lambda d: None, "no such folder"), (lambda d: d.mkdir(), "manifest.json is missing")):
            prepare(self.folder / "none")
            done = harness.run("import", self.folder / "none", "--data-dir", self.folder / "data")
            self.assertEqual(done.returncode, 1)
            self.assertIn(words, done.stderr)
            self.assertEqual(len(done.stderr.strip().splitlines()), 1)


TITAN = pathlib.Path(os.environ.get("GHM_SHARED", harness.SOURCE.parent / "shared")) / "reference" / "titan" / "gc_full.csv"


def titan_archive(folder):
    """As the format's last section says; answers how many boards, stays and failures it wrote."""
    folder.mkdir()
    lights_out = "2019-08-01 20:07:33"
    assets, failures, boards = [], [], set()
    time_of = lambda text: text.replace(" ", "T") + "Z" if text else ""
    with open(TITAN, newline="") as table:
        for row in csv.DictReader(table):
            gpu = "GPU-00000000-0000-0000-0000-" + row["SN"][-12:]
            column, rest = row["location"][1:].split("-")
            if row["insert"]:
                gone = "" if row["remove"] == lights_out and row["out"] == "FALSE" else time_of(row["remove"])
                assets.append([gpu, row["SN"], "Tesla K20X", row["location"], f"c{column}-{rest.split('c')[0]}", column, time_of(row["insert"]), gone])
                boards.add(gpu)
            if row["event"]:
                kind = {"DBE": "memory", "OTB": "pcie"}[row["event"]]
                replaced = bool(row["insert"])
                failures.append([time_of(row["remove"]), gpu, kind, row["SN"], "replaced" if replaced else "none", "" if replaced else time_of(row["remove"])])
    manifest = {"format": "fleet-archive", "version": 1, "start": "2013-11-01T00:00:00Z", "end": "2019-08-01T20:07:33Z", "interval_s": 0, "name": "titan"}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    write_csv(folder / "assets.csv", ["gpu_uuid", "serial", "model", "host", "rack", "attr_col", "deployed_at", "retired_at"], assets)
    write_csv(folder / "failures.csv", ["detected_at", "gpu_uuid", "failure_type", "serial", "resolution", "resolved_at"], failures)
    return {f[1] for f in failures} | boards, boards, assets, failures


@unittest.skipUnless(TITAN.exists(), f"{TITAN} is not there (GHM_SHARED names the folder): Titan's lifetimes are not tried")
class TitanTest(unittest.TestCase):
    def test_thirty_thousand_lives_are_kept(self):
        folder = pathlib.Path(tempfile.mkdtemp(prefix="ghm-e2e-titan-"))
        self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
        _, boards, assets, failures = titan_archive(folder / "titan")
        distinct = len({tuple(f) for f in failures if f[1] in boards})
        report = import_json(folder / "titan", folder / "data")
        self.assertEqual(report["boards"], len(boards))
        self.assertGreater(report["boards"], 29000)
        self.assertEqual(report["stays"], len(assets))
        self.assertEqual(report["failures"], distinct)
        self.assertEqual(report["failures"] + report["refused"].get("duplicate", 0) + report["refused"].get("unknown_identity", 0), len(failures))
        done = harness.run("export", folder / "out", "--data-dir", folder / "data", "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        out = json.loads(done.stdout)
        self.assertEqual((out["boards"], out["failures"]), (report["boards"], report["failures"]))
        with open(folder / "out" / "failures.csv", newline="") as table:
            kinds = [row["failure_type"] for row in csv.DictReader(table)]
        want = {tuple(f) for f in failures if f[1] in boards}
        self.assertEqual(kinds.count("memory"), sum(f[2] == "memory" for f in want))


if __name__ == "__main__":
    unittest.main()
