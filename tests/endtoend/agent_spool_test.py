"""What a disk can do to the agent's spool: damaged files, and one that is full. It is counted and told, never a crash, and what can be sent
is sent."""

import os
import pathlib
import random
import resource
import shutil
import subprocess
import unittest

from agent_test import Case
from harness import wait_for


class Damage(Case):
    def segments(self):
        return sorted((pathlib.Path(self.folder) / "spool").glob("spool-*.seg"))

    def spool_some(self, rounds):
        """An agent whose server is away, killed with so many rounds in its spool: in three files, a life each."""
        for _ in range(3):
            self.start_agent()
            wait_for(lambda: self.own_metric("ghm_agent_rounds_total") >= rounds, 60, "rounds")
            self.agent.kill()

    def deliver(self):
        self.start_server()
        self.start_agent()
        wait_for(lambda: self.own_metric("ghm_agent_all_delivered") == 1 and self.own_metric("ghm_agent_sent_rounds_total") >= 1, 30, "the rest")
        damages, lost = (self.own_metric(name) for name in ("ghm_agent_spool_damages_total", 'ghm_agent_lost_rounds_total{reason="damaged"}'))
        self.between_pages()
        self.assertEqual(self.agent.stop(), 0)
        pages = self.stored()
        self.assertEqual(pages, sorted(set(pages)))
        return damages, lost, pages

    def test_a_flipped_and_a_cut_file_cost_what_leans_on_them(self):
        self.link.cut()
        self.spool_some(4)
        self.link.mend()
        first, second, third = self.segments()
        bytes_of = bytearray(first.read_bytes())
        bytes_of[len(bytes_of) // 2] ^= 4
        first.write_bytes(bytes_of)
        second.write_bytes(second.read_bytes()[:-7])
        damages, lost, pages = self.deliver()
        self.assertEqual(damages, 2)
        missing = set(self.exporter.served) - set(pages) - self.exporter.hung_up
        self.assertGreaterEqual(len(missing), 2, "one in each file at least")
        self.assertLessEqual(len(missing), 8)
        self.assertGreaterEqual(lost, len(missing) - 2, "what was readable and of no use is counted")
        self.assertNotIn("round.refused", self.agent.text())

    def test_rubbish_in_every_file_is_no_crash(self):
        self.link.cut()
        self.spool_some(2)
        self.link.mend()
        noise = random.Random(5)
        for segment in self.segments():
            segment.write_bytes(noise.randbytes(segment.stat().st_size))
        (pathlib.Path(self.folder) / "spool/position").write_bytes(noise.randbytes(30))
        damages, _, pages = self.deliver()
        self.assertEqual(damages, 3)
        self.assertGreaterEqual(len(pages), 1, "it goes on")


class FullDisk(Case):
    def full_and_free(self, fill, free, is_full):
        """While the server answers nothing is lost, and afterwards all is as before."""
        self.start_server()
        self.start_agent()
        wait_for(lambda: self.own_metric("ghm_agent_sent_rounds_total") >= 2, what="the first rounds")
        fill()
        wait_for(is_full, 15, "a full disk")
        sent = self.own_metric("ghm_agent_sent_rounds_total")
        wait_for(lambda: self.own_metric("ghm_agent_sent_rounds_total") >= sent + 4, 30, "rounds nevertheless")
        self.assertTrue(is_full())
        free()
        wait_for(lambda: self.own_metric("ghm_agent_spool_held_rounds") == 0 and self.own_metric("ghm_agent_all_delivered") == 1, 30, "room again")
        self.between_pages()
        self.assertEqual(self.agent.stop(), 0)
        served, pages = list(self.exporter.served), self.stored()
        self.assertEqual(pages, sorted(set(pages)))
        self.assertLessEqual(set(served) - set(pages), self.exporter.hung_up)

    def test_files_that_may_not_grow(self):
        # Its log may not grow either: what it says goes to nobody.
        limit = lambda size: resource.prlimit(self.agent.process.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
        refused = lambda: self.own_metric("ghm_agent_spool_writable") == 0
        self.full_and_free(lambda: limit(100), lambda: limit(resource.RLIM_INFINITY), refused)

    def test_a_disk_without_room(self):
        disk = pathlib.Path(self.folder) / "disk"
        disk.mkdir()
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", disk], capture_output=True).returncode != 0:
            self.skipTest("no right to mount a small disk")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)  # runs after the next
        self.addCleanup(subprocess.run, ["umount", "-l", disk], check=True)
        self.agent_config.write_text(self.agent_config.read_text().replace("spool: {dir: spool}", "spool: {dir: disk/spool}"))
        other = disk / "other"

        def fill():
            try:
                with open(other, "wb", buffering=0) as file:
                    while True:
                        file.write(b"x" * 4096)
            except OSError:
                pass

        self.full_and_free(fill, other.unlink, lambda: os.statvfs(disk).f_bavail == 0)


if __name__ == "__main__":
    unittest.main()
