"""Whose number is it: inventory, maintenance and lives of boards, from the command line to the answers after a kill -9."""

import json
import pathlib
import unittest

from harness import Fleet, Program, fetch, run, wait_for


class Ledger(unittest.TestCase):
    def setUp(self):
        self.fleet = Fleet(gpus=16)
        self.fleet.wait_for_gpus(16)
        self.key = ["--server", self.fleet.url, "--data-dir", f"{self.fleet.folder}/data"]

    def tearDown(self):
        self.fleet.stop()

    def command(self, *args, code=0):
        done = run(*args, *self.key)
        self.assertEqual(done.returncode, code, done.stderr)
        return done

    def kinds(self):
        return [e["kind"] for e in self.fleet.api("events?limit=1000")["items"]]

    def test_inventory(self):
        gpus = self.fleet.api("gpus?sort=serial")["items"]
        one, other = gpus[0], gpus[1]
        table = pathlib.Path(self.fleet.folder) / "assets.csv"
        table.write_text(
            "gpu_uuid,serial,model,host,rack,batch,deployed_at,retired_at,warranty_until,purchase_price_usd,attr_cage\n"
            f"{one['uuid']},{one['serial']},{one['model']},{one['host']},{one['rack']},B7,2025-01-01T00:00:00Z,,2028-01-01T00:00:00Z,25000,2\n"
            f"{other['uuid']},{other['serial']},{other['model']},elsewhere,R9,B7,2025-01-01T00:00:00Z,,,,\n"
            f"GPU-00000000-0000-0000-0000-00000000abcd,SPARE1,NVIDIA H200,{one['host']},,,,,,,\n"
            "GPU-00000000-0000-0000-0000-00000000abce,OLD1,NVIDIA H200,gone,,,2020-01-01T00:00:00Z,2024-01-01T00:00:00Z,,,\n"
            ",,no name,h,,,,,,,\n"
        )
        said = json.loads(self.command("assets", "import", table, "--json").stdout)
        self.assertEqual((said["accepted"], said["new_boards"], said["refused"]), (4, 2, 1), said)
        self.assertIn("assets.csv:6", said["refused_rows"][0])
        again = json.loads(self.command("assets", "import", table, "--json").stdout)
        self.assertEqual((again["accepted"], again["new_boards"]), (4, 0))

        def known():
            return {a["serial"]: a for a in self.fleet.api("assets?limit=1000")["items"]}

        wait_for(lambda: "SPARE1" in known(), what="the inventory")
        self.assertEqual(known()[one["serial"]]["inventory"]["batch"], "B7")
        self.assertEqual(self.fleet.api("fleet/summary")["total_gpus"], 17, "the spare counts, the retired one does not")
        wait_for(lambda: "gpu_missing" in self.kinds(), what="the event that the spare is on no page")
        claims = self.fleet.api("fleet/coverage")["conflicts"]
        self.assertEqual([(c["kind"], c["id"]) for c in claims], [("inventory_place", other["serial"])])

        self.fleet.server.kill()
        self.fleet.start()
        self.assertEqual(known()[one["serial"]]["inventory"]["attributes"], {"cage": "2"}, "durable when it was answered")
        life = self.fleet.api(f"gpus/{one['serial']}/ledger")
        self.assertEqual(life["gpu"]["inventory"]["warranty_until"], "2028-01-01T00:00:00Z")
        slot = [i for i in life["items"] if i["kind"] == "slot"]
        self.assertEqual([(i["facts"]["host"], i["from"], i["to"]) for i in slot], [(one["host"], "2025-01-01T00:00:00Z", None)])
        retired = self.fleet.api("gpus/OLD1/ledger")["items"]
        self.assertEqual([(i["from"], i["to"]) for i in retired], [("2020-01-01T00:00:00Z", "2024-01-01T00:00:00Z")])

    def test_maintenance(self):
        host = self.fleet.api("gpus")["items"][0]["host"]
        without = run("maintenance", "start", host, "--server", self.fleet.url, "--data-dir", "/nonexistent")
        self.assertEqual(without.returncode, 1)
        self.assertIn("role operator", without.stderr)
        started = json.loads(self.command("maintenance", "start", host, "--until", "2h", "--reason", "new fans", "--json").stdout)
        self.assertEqual((started["scope"], started["target"], started["active"]), ("host", host, True))
        self.assertIn("already", self.command("maintenance", "start", host, code=1).stderr)

        self.fleet.server.kill()
        self.fleet.start()
        self.fleet.wait_for_gpus(16)
        self.assertIn("new fans", self.command("maintenance", "list", "--active").stdout)
        self.fleet.simulator.kill()
        wait_for(lambda: "source_silent" in self.kinds(), what="the event of the host that is not worked on")
        silent = [e["host"] for e in self.fleet.api("events?limit=1000&kind=source_silent")["items"]]
        self.assertNotIn(host, silent)
        hosts = {h["host"]: h["maintenance"] for h in self.fleet.api("fleet/coverage")["silent_hosts"]}
        self.assertTrue(hosts[host])
        self.command("maintenance", "end", host)
        wait_for(lambda: host in [e["host"] for e in self.fleet.api("events?kind=source_silent")["items"]], what="its silence afterwards")
        self.assertIn("not under maintenance", self.command("maintenance", "end", host, code=1).stderr)

    def test_a_board_that_vanishes_and_the_firmware_of_its_life(self):
        done = run("simulate", "inject", "--port", self.fleet.simulator_port, "0", "gpu_vanish")
        self.assertEqual(done.returncode, 0, done.stderr)
        missing = wait_for(lambda: [e for e in self.fleet.api("events")["items"] if e["kind"] == "gpu_missing"], what="the event")
        life = self.fleet.api(f"gpus/{missing[0]['gpu']}/ledger")
        self.assertLessEqual({"slot", "serial", "uuid", "driver"}, {i["kind"] for i in life["items"]})
        events = self.fleet.api(f"gpus/{missing[0]['gpu']}/events")["items"]
        self.assertEqual({e["gpu"] for e in events}, {missing[0]["gpu"]})


if __name__ == "__main__":
    unittest.main()
