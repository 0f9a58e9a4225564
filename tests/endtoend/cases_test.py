"""A repair from the incident to the watch and back, through a kill -9 at each step."""

import json
import unittest

from harness import OnAFleet, fetch, run, wait_for


class Cases(OnAFleet):
    def case(self, *args):
        return json.loads(self.command("cases", *args, "--json").stdout)

    def kill(self):
        """The server dies, and comes back; what was answered must be there."""
        self.fleet.server.kill()
        self.fleet.start()

    def open_incidents(self, gpu):
        return self.fleet.api(f"incidents?state=open&gpu={gpu}")["items"]

    def test_a_repair(self):
        serial = self.fleet.api("gpus?sort=serial")["items"][3]["id"]
        self.inject(serial, "hbm_ue")
        incident = wait_for(lambda: self.open_incidents(serial), seconds=20, what="the incident")[0]["id"]
        opened = self.case("open", "--incident", incident, "--action", "reset_gpu", "--watch-days", "1", "--due", "2d")
        number = opened["id"]
        self.assertEqual((opened["state"], opened["gpu"], opened["fault"], opened["incident"]), ("open", serial, "memory", incident))
        self.assertTrue(opened["simulated"])
        self.assertIsNone(opened["after"])
        self.assertIn("is open already", self.command("cases", "open", "--incident", incident, "--action", "reset_gpu", code=1).stderr)

        self.kill()
        self.assertEqual(self.fleet.api(f"cases/{number}")["steps"], opened["steps"])
        self.assertIn("cannot go on to watching", self.command("cases", "advance", number, "watching", code=1).stderr)
        self.case("advance", number, "acting", "--note", "drained")
        self.command("incidents", "clear", incident, "--reason", "reset")
        wait_for(lambda: self.fleet.api(f"cases/{number}")["steps"][-1]["what"] == "note", what="the cleared incident as a note")
        failed = self.case("advance", number, "testing", "--test", "dcgmi diag -r 3", "--failed", "--detail", "memory test failed")
        self.assertEqual((failed["state"], failed["tests"][0]["passed"]), ("acting", False))
        self.case("advance", number, "testing")
        watched = self.case("advance", number, "watching", "--test", "dcgmi diag -r 3", "--cost", "120.5")
        self.assertEqual((watched["state"], watched["cost"]), ("watching", 120.5))
        self.assertTrue(watched["watch_until"])
        self.assertIn("lasts until", watched["why_not_closed"])
        self.assertIn("lasts until", self.command("cases", "close", number, code=1).stderr)

        self.kill()
        self.assertEqual(self.fleet.api(f"cases/{number}")["steps"], watched["steps"])
        self.assertEqual(self.fleet.api(f"gpus/{serial}")["case"], {"id": number, "state": "watching"})

        self.inject(serial, "hbm_ue")
        wait_for(lambda: self.fleet.api(f"cases/{number}")["state"] == "acting", seconds=20, what="the relapse")
        self.kill()
        relapsed = self.fleet.api(f"cases/{number}")
        self.assertEqual([s["what"] for s in relapsed["steps"]][-1], "relapsed")
        self.assertEqual(relapsed["steps"][-1]["by"], "ghm")
        self.assertEqual(relapsed["relapses"], 1)
        self.assertGreaterEqual(relapsed["after"]["signs"], 1)

        closed = self.case("close", number, "--outcome", "did_not_help", "--reason", "it came back within the watch")
        self.assertEqual((closed["state"], closed["outcome"], closed["next"]), ("closed", "did_not_help", []))
        self.kill()
        self.assertEqual(self.fleet.api(f"cases/{number}")["outcome"], "did_not_help")
        self.assertEqual(self.fleet.api("cases")["items"], [])
        self.assertEqual([c["id"] for c in self.fleet.api(f"cases?state=all&gpu={serial}")["items"]], [number])
        self.assertIsNone(self.fleet.api(f"gpus/{serial}")["case"])

        stats = self.fleet.api("cases/stats?by=action,fault")["items"]
        self.assertEqual([(s["action"], s["fault"], s["model"], s["helped"], s["did_not_help"]) for s in stats], [("reset_gpu", "memory", None, 0, 2)])
        self.assertEqual((stats[0]["low"], stats[0]["share"]), (0, 0))
        helped = self.fleet.api(f"incidents/{incident}")["what_helped"]
        self.assertEqual([(h["action"], h["helped"], h["of"]) for h in helped], [("reset_gpu", 0, 2)])
        worst = self.fleet.api("cases/offenders?by=serial&days=7")["items"]
        self.assertEqual([o["name"] for o in worst], [serial])
        steps = [i["kind"] for i in self.fleet.api(f"gpus/{serial}/timeline")["items"] if i["what"] == "case"]
        self.assertEqual(steps[0], "closed")
        self.assertEqual(steps[-1], "opened")

    def test_commands_and_their_help(self):
        self.assertEqual(self.command("cases").stdout, "no repair cases\n")
        self.assertIn("no repair has been tried", self.command("cases", "stats").stdout)
        self.assertIn("nobody failed twice in 30 days", self.command("cases", "offenders", "--by", "slot").stdout)
        serial = self.fleet.api("gpus?sort=serial")["items"][5]["id"]
        one = self.case("open", "--gpu", serial, "--action", "replace_board", "--fault", "memory")
        self.assertIn(serial, self.command("cases").stdout)
        self.case("advance", one["id"], "acting")
        self.assertIn("replaced_by", self.command("cases", "advance", one["id"], "testing", code=1).stderr)
        swapped = self.case("advance", one["id"], "testing", "--replaced-by", "1650999999999")
        self.assertEqual([(p["removed"], p["installed"]) for p in swapped["parts"]], [(serial, "1650999999999")])
        self.case("note", one["id"], "the old board is on its way back")
        self.assertIn("on its way back", self.command("cases", "show", one["id"]).stdout)
        self.assertIn("needs one", self.command("cases", "close", one["id"], "--outcome", "cancelled", code=1).stderr)
        self.assertEqual(fetch(self.fleet.url + "/api/v1/cases", method="POST", data=b'{"gpu":"x"}')[0], 403, "a key is needed")


if __name__ == "__main__":
    unittest.main()
