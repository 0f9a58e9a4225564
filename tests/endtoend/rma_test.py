"""A board falls off the bus; its bundle is made, checked by us and by openssl, tampered with, and made again from the folder alone."""

import hashlib
import json
import os
import pathlib
import stat
import subprocess
import tarfile
import unittest

from harness import Fleet, fetch, run, wait_for


class Rma(unittest.TestCase):
    def setUp(self):
        self.fleet = Fleet(gpus=8)
        self.fleet.wait_for_gpus(8)
        self.folder = pathlib.Path(self.fleet.folder)

    def tearDown(self):
        self.fleet.stop()

    def ghm(self, *args, code=0):
        done = run(*args)
        self.assertEqual(done.returncode, code, done.stderr)
        return done

    def unpack(self, bundle, name):
        out = self.folder / name
        out.mkdir()
        tar = self.folder / (name + ".tar")
        subprocess.run(["zstd", "-dqf", bundle, "-o", tar], check=True)
        with tarfile.open(tar) as t:
            t.extractall(out)
        return out

    def test_a_bundle(self):
        serial = self.fleet.api("gpus?sort=serial")["items"][3]["id"]
        self.ghm("simulate", "inject", "--port", self.fleet.simulator_port, serial, "off_bus")
        wait_for(lambda: self.fleet.api(f"incidents?gpu={serial}")["items"], seconds=20, what="the incident")

        bundle = self.folder / "rma.tar.zst"
        made = json.loads(self.ghm("rma", serial, "--server", self.fleet.url, "--out", bundle, "--json").stdout)
        self.assertEqual(made["bytes"], bundle.stat().st_size)
        self.assertIn("nvidia-bug-report", " ".join(made["missing"]))
        self.assertEqual(stat.S_IMODE((self.folder / "data" / "rma.key").stat().st_mode), 0o600)

        site = self.folder / "site.pem"
        site.write_text(self.ghm("rma", "key", "--server", self.fleet.url).stdout)
        told = json.loads(self.ghm("rma", "verify", bundle, "--key", site, "--json").stdout)
        self.assertTrue(told["intact"] and told["key_given"])
        self.assertEqual(told["manifest"]["gpu"], serial)
        self.assertTrue(told["manifest"]["simulated"])
        self.assertIn("not who made it", self.ghm("rma", "verify", bundle).stdout)

        self.by_others(bundle, site, serial)
        self.broken(bundle, site)

        self.fleet.server.stop()  # and from the folder alone
        again = self.folder / "again.tar.zst"
        self.ghm("rma", serial, "--data", self.folder / "data", "--out", again)
        self.ghm("rma", "verify", again, "--key", site)

    def by_others(self, bundle, site, serial):
        """What ghm signed, openssl and hashlib find good."""
        out = self.unpack(bundle, "unpacked")
        subprocess.run(["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", site, "-rawin", "-in", out / "manifest.json",
                        "-sigfile", out / "manifest.sig"], check=True, capture_output=True)
        for m in json.loads((out / "manifest.json").read_text())["members"]:
            self.assertEqual(hashlib.sha256((out / m["name"]).read_bytes()).hexdigest(), m["sha256"], m["name"])
        evidence = json.loads((out / "evidence.json").read_text())
        self.assertEqual(evidence["board"]["serial"], serial)
        self.assertEqual(evidence["incidents"][0]["causes"][0]["cause"], "off_bus")
        self.assertIn("This board is simulated", (out / "index.html").read_text())
        self.assertIn("DCGM_FI_DEV_GPU_TEMP", (out / "readings.csv").read_text())

    def broken(self, bundle, site):
        whole = bundle.read_bytes()
        bad = self.folder / "bad.tar.zst"
        for bytes_, word in ((whole[:-5], "cut off"), (whole + b"x", "added behind"), (b"hello", "no .tar.zst")):
            bad.write_bytes(bytes_)
            self.assertIn(word, self.ghm("rma", "verify", bad, "--key", site, code=1).stderr)
        out = self.folder / "unpacked"
        with open(out / "events.csv", "a") as f:
            f.write("one more line\n")
        names = sorted(os.listdir(out))
        subprocess.run(["tar", "-C", out, "-cf", self.folder / "bad.tar", *names], check=True)
        subprocess.run(["zstd", "-qf", self.folder / "bad.tar", "-o", bad], check=True)
        self.assertIn("events.csv was changed", self.ghm("rma", "verify", bad, "--key", site, code=1).stderr)

        other = self.folder / "other.pem"
        subprocess.run(f"openssl genpkey -algorithm ed25519 | openssl pkey -pubout -out {other}", shell=True, check=True, capture_output=True)
        self.assertIn("another key", self.ghm("rma", "verify", bundle, "--key", other, code=1).stderr)

    def test_trouble_is_a_sentence(self):
        self.assertIn("no GPU", self.ghm("rma", "nobody", "--server", self.fleet.url, code=1).stderr)
        self.assertIn("which GPU", self.ghm("rma", code=2).stderr)
        self.assertIn("no such file", self.ghm("rma", "verify", self.folder / "nothing", code=1).stderr)
        self.assertIn("server", self.ghm("rma", "x", "--data", self.folder / "data", code=1).stderr)
        serial = self.fleet.api("gpus")["items"][0]["id"]
        self.assertIn("before: 'soon'", self.ghm("rma", serial, "--before", "soon", "--server", self.fleet.url, code=1).stderr)
        status, headers, body = fetch(f"{self.fleet.url}/api/v1/gpus/{serial}/rma")
        self.assertEqual((status, headers["Content-Type"]), (200, "application/zstd"))
        self.assertGreater(len(body), 1000)


if __name__ == "__main__":
    unittest.main()
