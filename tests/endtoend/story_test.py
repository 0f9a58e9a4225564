"""The fleet's story and `ghm why`, as people ask them of a running server."""

import json
import unittest

from harness import Fleet, fetch, run, wait_for


class Story(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.fleet = Fleet(gpus=32)
        cls.fleet.wait_for_gpus(32)

    @classmethod
    def tearDownClass(cls):
        cls.fleet.stop()

    def test_a_silent_host_is_told_with_its_evidence(self):
        host = self.fleet.api("gpus?limit=1&sort=host")["items"][0]["host"]
        done = run("simulate", "inject", "--port", self.fleet.simulator_port, f"{host}/0", "page_500")
        self.assertEqual(done.returncode, 0, done.stderr)
        story = wait_for(lambda: (s := self.fleet.api("fleet/story"))["clusters"] and s, 30, "the cluster")
        cluster = story["clusters"][0]
        self.assertEqual((cluster["kind"], cluster["id"], cluster["cause"], cluster["gpus"]), ("host", host, "silence", 8))
        self.assertLess(cluster["p_chance"], 0.001)
        self.assertEqual(cluster["evidence"], f"/hosts/{host}")
        group = self.fleet.api(f"fleet/health?by=host&id={host}")
        self.assertEqual(group["silent"], 8)
        self.assertEqual([c["id"] for c in group["clusters"]], [host])
        why = json.loads(run("why", cluster["members"][0], "--server", self.fleet.url, "--json").stdout)
        self.assertEqual(why["actions"][0]["action"], "look_at_the_host")
        shared = self.fleet.api("explain?gpus=" + ",".join(cluster["members"]))
        self.assertEqual(shared["items"][0]["value"], host)
        self.assertLess(shared["items"][0]["p"], 1e-3)

    def test_why_answers_for_people_and_programs(self):
        gpu = self.fleet.api("gpus?limit=1&sort=-host")["items"][0]
        done = run("simulate", "inject", "--port", self.fleet.simulator_port, gpu["id"], "row_remap_fail")
        self.assertEqual(done.returncode, 0, done.stderr)
        wait_for(lambda: self.fleet.api(f"gpus/{gpu['id']}/health")["critical"], 60, "the critical rule")
        done = run("why", gpu["id"], "--server", self.fleet.url)
        self.assertEqual(done.returncode, 0, done.stderr)
        for part in (gpu["id"], "memory.remap_failed", "RMA", "what to do", "not known"):
            self.assertIn(part, done.stdout)
        why = json.loads(run("why", gpu["id"], "--server", self.fleet.url, "--json").stdout)
        self.assertEqual(why["actions"][0]["action"], "replace_board")
        self.assertEqual({x["code"] for x in why["xids"]} & {48, 64}, {48, 64})

    def test_an_unknown_gpu_is_one_sentence(self):
        done = run("why", "nobody", "--server", self.fleet.url)
        self.assertEqual(done.returncode, 1)
        self.assertIn("There is no GPU 'nobody'", done.stderr)
        status, _, _ = fetch(self.fleet.url + "/api/v1/explain", data=b'{"gpus":["nobody"]}', headers={"Content-Type": "application/json"})
        self.assertEqual(status, 400)


if __name__ == "__main__":
    unittest.main()
