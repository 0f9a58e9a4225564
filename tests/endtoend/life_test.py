"""A fleet's life: faults are seen, silence is noticed, kill -9 loses nothing."""

import json
import time
import unittest

from harness import Fleet, fetch, run, wait_for


class Life(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.fleet = Fleet(gpus=16)
        cls.fleet.wait_for_gpus(16)

    @classmethod
    def tearDownClass(cls):
        cls.fleet.stop()

    def inject(self, gpu, fault):
        done = run("simulate", "inject", "--port", self.fleet.simulator_port, gpu, fault)
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_1_every_board_has_a_score_with_coverage(self):
        def scored():
            items = self.fleet.api("gpus")["items"]
            return all(g["score"] is not None for g in items) and items

        for gpu in wait_for(scored, 30, "scores"):
            self.assertGreaterEqual(gpu["coverage"], 0.5)
            self.assertTrue(gpu["simulated"])
            self.assertEqual(len(gpu["serial"]), 13)
        summary = self.fleet.api("fleet/summary")
        self.assertTrue(summary["simulated"])
        self.assertEqual((summary["total_gpus"], summary["hosts"], summary["silent_hosts"]), (16, 2, 0))

    def test_2_a_failed_row_remap_is_a_critical_finding_within_seconds(self):
        gpu = self.fleet.api("gpus?sort=serial")["items"][3]
        self.inject(gpu["serial"], "row_remap_fail")

        def found():
            health = self.fleet.api(f"gpus/{gpu['serial']}/health")
            return "memory.remap_failed" in health["critical"] and health

        health = wait_for(found, 30, "the finding")
        memory = next(d for d in health["dimensions"] if d["name"] == "memory")
        self.assertLessEqual(memory["score"], 30)
        self.assertTrue(any(f["critical"] and f["text"] for f in memory["findings"]))
        self.assertEqual(self.fleet.api("gpus?sort=score&limit=1")["items"][0]["serial"], gpu["serial"])
        self.assertEqual(wait_for(lambda: self.fleet.api("fleet/summary")["need_action"], 10, "need_action"), 1)

    def test_3_a_vanished_board_is_silent_but_not_forgotten(self):
        gpu = self.fleet.api("gpus?sort=serial")["items"][5]
        self.inject(gpu["serial"], "gpu_vanish")
        wait_for(lambda: self.fleet.api(f"gpus/{gpu['serial']}")["silent"], 30, "silence")
        summary = self.fleet.api("fleet/summary")
        self.assertEqual((summary["total_gpus"], summary["reporting_gpus"]), (16, 15))
        # The view may be a transaction ahead of the store.
        wait_for(lambda: "gpu_missing" in {e["kind"] for e in self.fleet.api("events")["items"]}, 10, "the event gpu_missing")

    def test_4_kill_9_loses_nothing_that_was_shown(self):
        before = {g["serial"]: g for g in self.fleet.api("gpus?sort=serial")["items"]}
        serial = next(iter(before))
        end = time.time() - 1
        query = f"gpus/{serial}/metrics?metrics=DCGM_FI_DEV_POWER_USAGE&start={end - 10:.0f}&end={end:.0f}&interval=1s"
        shown = self.fleet.api(query)
        self.assertTrue(any(v is not None for v in shown["series"]["DCGM_FI_DEV_POWER_USAGE"]["last"]))
        self.fleet.server.kill()
        self.fleet.start()
        again = self.fleet.api(query)
        self.assertEqual(shown["series"], again["series"])
        after = {g["serial"]: g for g in self.fleet.api("gpus?sort=serial")["items"]}
        self.assertEqual(before.keys(), after.keys())
        for key in ("uuid", "host", "first_seen", "model", "simulated"):
            self.assertEqual([g[key] for g in before.values()], [g[key] for g in after.values()], key)

    def test_5_a_dead_exporter_is_a_silent_host(self):
        gpu = self.fleet.api("gpus?sort=host")["items"][-1]
        self.inject(gpu["serial"], "page_500")
        wait_for(lambda: self.fleet.api("fleet/summary")["silent_hosts"] == 1, 30, "a silent host")
        self.assertIn("500", self.fleet.server.text())

    def test_6_the_stream_tells_what_the_api_tells(self):
        import urllib.request

        with urllib.request.urlopen(self.fleet.url + "/api/v1/stream?topics=summary", timeout=10) as stream:
            self.assertEqual(stream.headers.get_content_type(), "text/event-stream")
            lines = [stream.readline().decode() for _ in range(12)]
        data = next(line[6:] for line in lines if line.startswith("data: "))
        self.assertEqual(json.loads(data)["total_gpus"], 16)


if __name__ == "__main__":
    unittest.main()
