"""Two hours without a network, at the usual ten seconds, and the agent killed twice in them: every page that was served is in the store, once.

Both programs run under libfaketime (Debian: faketime): their clocks and the agent's timers go SPEED times as fast, so the two hours, 720
rounds, take minutes. The server's timers keep their pace: it waits on condition variables, whose newest call the library does not know. The
clocks begin in the past, so that they are never ahead of this machine's."""

import datetime
import os
import pathlib
import re
import time
import unittest

from agent_test import AgentProgram, Case
from harness import Program, fetch, get_json, wait_for

SPEED = int(os.environ.get("GHM_FAST_CLOCK", 40))  # times as fast as the wall; where the machine is busy, 20
CUT, PAGES = datetime.timedelta(hours=2), 720
LIBRARY = next(iter(pathlib.Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1")), None)


class FastClock:
    def __init__(self):
        self.began, self.real = datetime.datetime.now(datetime.timezone.utc) - 2 * CUT, time.monotonic()

    def now(self):
        return self.began + SPEED * datetime.timedelta(seconds=time.monotonic() - self.real)

    def environment(self):
        return {"LD_PRELOAD": str(LIBRARY), "FAKETIME": f"@{self.now():%Y-%m-%d %H:%M:%S} x{SPEED}", "TZ": "UTC", "FAKETIME_NO_CACHE": "1"}


class UnderFastClock:
    """Starts a program with its environment, and leaves one's own as it was."""

    def __init__(self, clock, **more):
        self.more = {**clock.environment(), **more}

    def __enter__(self):
        self.before = dict(os.environ)
        os.environ.update(self.more)

    def __exit__(self, *_):
        os.environ.clear()
        os.environ.update(self.before)


@unittest.skipUnless(LIBRARY, "faketime is not installed")
class LongCut(Case):
    def setUp(self):
        super().setUp()
        self.clock = FastClock()

    def write_agent_config(self, server=None, more=""):
        super().write_agent_config(server, more)
        # Time-outs are of the fast clock: five minutes are seconds.
        text = self.agent_config.read_text().replace("interval: 1s", "interval: 10s").replace("timeout: 5s", "timeout: 5m")
        self.agent_config.write_text(text + "sources: {nvml: {enabled: false}, kernel_log: {enabled: false}, host_facts: {enabled: false}}\n")

    def start_server(self):
        with UnderFastClock(self.clock, FAKETIME_DONT_FAKE_MONOTONIC="1"):
            self.server = Program(self.folder, "serve", "--config", self.config)
        wait_for(lambda: fetch(self.url + "/healthz")[0] == 200, 120, "the server")

    def start_agent(self):
        with UnderFastClock(self.clock):
            self.agent = AgentProgram(self.folder, "--config", self.agent_config)

    def pss(self):
        text = pathlib.Path(f"/proc/{self.agent.process.pid}/smaps_rollup").read_text()
        return int(re.search(r"^Pss:\s+(\d+)", text, re.M)[1]) / 1024

    def wait_for_pages(self, count, until):
        """Both: on a busy machine rounds are left out, and then it takes longer."""
        wait_for(lambda: len(self.exporter.served) >= count and self.clock.now() >= until, 900, "the pages of the cut")

    def test_two_hours_lose_and_duplicate_nothing(self):
        self.start_server()
        self.start_agent()
        wait_for(lambda: self.own_metric("ghm_agent_sent_rounds_total") >= 5, 120, "the first rounds")
        self.link.cut()
        began, sent = self.clock.now(), len(self.exporter.served)
        for part in (1, 2):
            self.wait_for_pages(sent + part * PAGES // 3, began)
            self.agent.kill()
            self.start_agent()
        self.wait_for_pages(sent + PAGES, began + CUT)
        cut, lasted = len(self.exporter.served) - sent, self.clock.now() - began
        before = self.pss()
        self.link.mend()
        mended = time.monotonic()
        wait_for(lambda: self.own_metric("ghm_agent_all_delivered") == 1, 120, "the drain")
        drained = time.monotonic() - mended
        after = self.pss()
        self.assertLess(after, 16)
        self.assertEqual(self.own_metric("ghm_agent_spool_damages_total"), 0)
        self.between_pages()
        self.assertEqual(self.agent.stop(), 0)
        self.assertEqual([e["kind"] for e in get_json(self.url + "/api/v1/events?kind=clock_skew")["items"]], [], "the clocks go together")
        served = list(self.exporter.served)
        pages = self.stored()
        self.assertEqual(len(pages), len(set(pages)), "twice")
        self.assertEqual(pages, sorted(pages))
        missing = set(served) - set(pages)
        self.assertLessEqual(missing, self.exporter.hung_up)
        self.assertLessEqual(set(pages), set(served))
        self.assertGreater(len(pages), 500, "else this test shows little")
        self.assertEqual(self.stored(gpu=1), pages)
        print(f"{cut} pages in a cut of {lasted}, {len(pages)} of {len(served)} stored once ({len(missing)} not read in time); drained within {drained:.1f} s; "
              f"PSS {before:.1f} MiB before, {after:.1f} after")


if __name__ == "__main__":
    unittest.main()
