"""From a fault on a simulated board to an incident with a cause, through a kill -9, to an operator's word."""

import json
import unittest

from harness import OnAFleet, run, wait_for


class Incidents(OnAFleet):
    def open_ones(self, gpu):
        return self.fleet.api(f"incidents?state=open&gpu={gpu}")["items"]

    def test_a_life(self):
        serial = self.fleet.api("gpus?sort=serial")["items"][3]["id"]
        self.inject(serial, "off_bus")
        wait_for(lambda: self.open_ones(serial), seconds=15, what="the incident")
        wait_for(lambda: self.fleet.api(f"incidents/{self.open_ones(serial)[0]['id']}")["cause"] == "off_bus", what="its cause")
        one = self.open_ones(serial)[0]
        self.assertTrue(one["simulated"])
        detail = self.fleet.api(f"incidents/{one['id']}")
        self.assertEqual(detail["causes"][0]["cause"], "off_bus")
        self.assertTrue(detail["causes"][0]["evidence_for"])
        self.assertEqual(detail["history"][0]["what"], "opened")
        steps = [i for i in self.fleet.api(f"gpus/{serial}/timeline")["items"] if i["what"] == "incident"]
        self.assertIn("opened", [s["kind"] for s in steps])

        self.fleet.server.kill()
        self.fleet.start()
        again = wait_for(lambda: self.open_ones(serial), what="the same incident behind the kill")
        self.assertEqual([i["id"] for i in again], [one["id"]])

        self.command("incidents", "feedback", one["id"], "gremlins", code=1)
        said = json.loads(self.command("incidents", "feedback", one["id"], "board_power", "--note", "loose cable", "--json").stdout)
        self.assertEqual(said["confirmed_cause"], "board_power")
        self.assertIn("off_bus", self.command("incidents", "show", one["id"]).stdout)
        cleared = json.loads(self.command("incidents", "clear", one["id"], "--reason", "seated again", "--json").stdout)
        self.assertEqual(cleared["state"], "cleared")
        self.assertIn("is cleared", self.command("incidents", "clear", one["id"], "--reason", "again", code=1).stderr)

        self.fleet.server.kill()
        self.fleet.start()
        self.assertEqual(self.fleet.api(f"incidents/{one['id']}")["history"][-1]["why"], "seated again", "durable when it was answered")

    def test_a_program_is_no_hardware(self):
        serial = self.fleet.api("gpus?sort=serial")["items"][5]["id"]
        self.inject(serial, "app_xid31")
        wait_for(lambda: self.open_ones(serial), seconds=15, what="the incident")
        self.assertEqual(self.open_ones(serial)[0]["side"], "application")

    def test_evaluation(self):
        done = run("evaluate", "causes", "--seed", "3", "--incidents", "300", "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        report = json.loads(done.stdout)
        self.assertGreater(report["tellable"]["top1"], 0.8)
        self.assertEqual(run("evaluate", "causes", "--incidents", "0").returncode, 2)


if __name__ == "__main__":
    unittest.main()
