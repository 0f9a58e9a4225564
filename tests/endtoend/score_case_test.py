"""`ghm score case`: the published cases, a few hundred made-up boards against an independent scorer, and bad input."""

import concurrent.futures
import json
import math
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import unittest

from harness import GHM, SOURCE, run

sys.path.insert(0, str(SOURCE / "tests" / "oracles"))
import health_oracle  # noqa: E402
import health_oracle_v1  # noqa: E402

ORACLES = {"baseline": health_oracle, "v1": health_oracle_v1}

DAY = 86400
DEV = "DCGM_FI_DEV_"
BOARDS = int(os.environ.get("GHM_SCORE_CASES", 200))


def answer(case, profile="baseline"):
    done = run("score", "case", "--profile", profile, "--input", "-", "--json", input=json.dumps(case))
    if done.returncode != 0 or done.stderr:
        raise AssertionError(done.stderr)
    return json.loads(done.stdout)


def difference(got, want, where=""):
    """The first place where two answers differ by more than 1e-9 (relative above 1), or None."""
    if isinstance(want, dict):
        if got.keys() != want.keys():
            return f"{where}: {sorted(got)} for {sorted(want)}"
        return next(filter(None, (difference(got[k], want[k], f"{where}.{k}") for k in want)), None)
    if isinstance(want, list):
        if len(got) != len(want):
            return f"{where}: {got} for {want}"
        return next(filter(None, (difference(g, w, f"{where}[{n}]") for n, (g, w) in enumerate(zip(got, want)))), None)
    if isinstance(want, (int, float)) and not isinstance(want, bool) and isinstance(got, (int, float)):
        return None if abs(got - want) <= 1e-9 * max(1, abs(want)) else f"{where}: {got} for {want}"
    return None if got == want else f"{where}: {got!r} for {want!r}"


class Maker:
    """A board's case by chance; values stay clear of thresholds' last bits, where the order of a sum decides."""

    def __init__(self, seed):
        self.r = random.Random(seed)
        self.t = 1_790_006_400 + self.r.randrange(0, DAY)
        self.i = self.r.choice([900, 900, 1800, 3600, 60])
        self.days = 3 if self.i == 60 else 32
        self.whole = self.r.random() < 0.5  # readings at whole steps for all metrics, so that they go together

    def series(self, value, days=None):
        r = self.r
        days = days or (self.days if r.random() < 0.7 else r.choice([1, 2, min(9, self.days)]))
        start = self.t - days * DAY - (0 if self.whole or r.random() < 0.8 else r.randrange(self.i))
        kept = 1 if r.random() < 0.7 else r.uniform(0.4, 1)
        values = [value() if kept == 1 or r.random() < kept else None for _ in range(int(days * DAY / self.i) + 2)]
        form = r.randrange(3)
        if form == 0:
            return [[start + n * self.i, v] for n, v in enumerate(values) if v is not None]
        if form == 1:
            return {"start": start, "step_s": self.i, "values": values}
        runs = []
        for v in values:
            if runs and runs[-1][0] == v:
                runs[-1][1] += 1
            else:
                runs.append([v, 1])
        return {"start": start, "step_s": self.i, "runs": runs}

    def counter(self, chance, most, reset=0.002):
        state = [float(self.r.randrange(100))]

        def value():
            if self.r.random() < reset:
                state[0] = 0.0
            if self.r.random() < chance:
                state[0] += self.r.randrange(1, most)
            return state[0]

        return value

    def metrics(self, only=None):
        r = self.r
        load = r.uniform(0.45, 1)
        drift, warm = (r.uniform(0, 0.01) if r.random() < 0.3 else 0), [r.uniform(50, 82)]
        rare = r.choice([0, 0, 0.002, 0.01])

        # Power by day and night on some boards, and on some of them ever more degrees per watt.
        swing, worse, steps = (250 if r.random() < 0.4 and only is None else 0), r.choice([1, 1.6]), {"power": 0, "temperature": 0}

        def night(who):
            steps[who] += 1
            seconds = steps[who] * self.i
            return swing * math.sin(2 * math.pi * seconds / DAY), worse if seconds > 25.5 * DAY else 1

        def temperature():
            warm[0] += drift
            watts, factor = night("temperature")
            return round(warm[0] + r.uniform(-6, 6) + 0.06 * watts * factor, 1)

        def power():
            return round(500 + night("power")[0] + r.uniform(-14, 14), 2)

        values = {
            "CLOCK_THROTTLE_REASONS": lambda: r.randrange(512) if r.random() < 0.03 else 0,
            "GPU_TEMP": temperature,
            "GPU_UTIL": lambda: r.randrange(40, 101),
            "FAN_SPEED": lambda low=r.uniform(70, 92): low + r.randrange(8),
            "ECC_SBE_VOL_TOTAL": self.counter(0.05, 60),
            "ECC_SBE_AGG_TOTAL": self.counter(0.05, 60),
            "ECC_DBE_VOL_TOTAL": self.counter(rare, 3),
            "ECC_DBE_AGG_TOTAL": self.counter(rare, 3),
            "ROW_REMAP_PENDING": lambda pending=r.random() < 0.1: 1 if pending else 0,
            "ROW_REMAP_FAILURE": lambda: 1 if r.random() < rare * 5 else 0,
            "BANKS_REMAP_ROWS_AVAIL_NONE": lambda: r.choice([0, 0, 1, 2]) if rare else 0,
            "POWER_USAGE": power,
            "SM_CLOCK": lambda: 1755 if r.random() < 0.9 else r.randrange(1300, 1830, 15),
            "MAX_SM_CLOCK": lambda: 1830,
            "POWER_MGMT_LIMIT_DEF": lambda: 700,
            "ENFORCED_POWER_LIMIT": lambda: 700 if r.random() < 0.8 else 500,
            "TOTAL_ENERGY_CONSUMPTION": self.counter(1, 400_000_000),
            "PCIE_LINK_WIDTH": lambda: 16 if r.random() < 0.7 else 8,
            "PCIE_MAX_LINK_WIDTH": lambda: 16,
            "PCIE_LINK_GEN": lambda slow=r.random() < 0.2: 1 if slow else 5,
            "PCIE_MAX_LINK_GEN": lambda: 5,
            "CORRECTABLE_REMAPPED_ROWS": self.counter(rare, 3),
            "UNCORRECTABLE_REMAPPED_ROWS": self.counter(rare, 2),
            "PCIE_REPLAY_COUNTER": self.counter(0.5, r.choice([3, 300])),
            "NVLINK_ERROR_DL_CRC": self.counter(0.1, r.choice([2, 300])),
            "NVLINK_CRC_FLIT_ERROR_COUNT_TOTAL": self.counter(0.1, 20),
            "NVLINK_ERROR_DL_REPLAY": self.counter(0.1, 20),
            "NVLINK_REPLAY_ERROR_COUNT_TOTAL": self.counter(0.1, 20),
        }
        made = {DEV + name: self.choose(value) for name, value in values.items() if only is None or name in only}
        made["DCGM_FI_PROF_GR_ENGINE_ACTIVE"] = self.choose(
            lambda: round(load + r.uniform(-0.04, 0.04), 4) if r.random() < 0.9 else round(r.random(), 4)
        )
        for link in range(0 if only else r.choice([0, 3])):
            made[f"{DEV}NVLINK_GET_STATE@nvlink{link}"] = self.choose(lambda: 1 if r.random() < 0.9 else 0)
        return {name: series for name, series in made.items() if series != "absent"}

    def choose(self, value):
        p = self.r.random()
        if p < 0.04:
            return None
        if p < 0.06:
            return "absent"
        if p < 0.08:
            return []
        return self.series(value)

    def moment(self):
        return self.t - 900 * self.r.randrange(-4, 33 * 96)

    def intervals(self):
        return [[at, at + self.r.randrange(2 * DAY)] for at in (self.moment() for _ in range(self.r.randrange(4)))]

    def event(self):
        kind = self.r.choice(["xid", "xid", "xid", "gpu_reset", "gpu_missing", "drain", "undrain", "note", "host_reboot"])
        event = {"time": self.moment() if self.r.random() < 0.8 else self.t - self.r.randrange(7200), "kind": kind}
        if kind == "xid":
            event["code"] = self.r.choice([48, 63, 63, 64, 79, 94, 119, 120, 13, 162, 74, 9999])
        return event

    def case(self):
        r = self.r
        young = r.random() < 0.2
        return {
            "t": self.t,
            "interval_s": self.i,
            "deployed_at": self.t - r.randrange(-1, 40) * DAY // 2 if young else self.t - 300 * DAY,
            "model": "a board",
            "metrics": self.metrics(),
            "events": [self.event() for _ in range(r.randrange(12))] if r.random() < 0.85 else None,
            "peers": [{"metrics": self.metrics(("SM_CLOCK", "GPU_UTIL")), "same_host": r.random() < 0.7, "same_job": r.random() < 0.8} for _ in range(r.randrange(5))],
            "links_expected": r.choice([None, 0, 3, 4]),
            "bandwidth_test": r.choice([None, {"time": self.t - r.randrange(-1, 33) * DAY, "ratio": round(r.uniform(0.8, 1), 3)}]),
            "jobs": r.choice([None, [{"time": self.moment(), "ok": r.random() < 0.96} for _ in range(r.randrange(60))]]),
            "maintenance": self.intervals(),
            "source_silent": self.intervals(),
            "previous_scores": self.scores(),
        }

    def scores(self):
        if self.r.random() < 0.4:
            return []
        level = self.r.uniform(60, 99)
        count = 32 * 96 + 2
        values = [round(level + self.r.uniform(-1, 1), 3) if self.r.random() < 0.8 else None for _ in range(count)]
        return {"start": self.t - 32 * DAY, "step_s": 900, "values": values}


def compare(task):
    profile, seed = task
    case = Maker(seed).case()
    want = ORACLES[profile].score(case)
    wrong = difference(answer(case, profile), want)
    fired = {f["rule"] for d in want["dimensions"].values() for f in d["findings"]}
    return wrong and f"seed {seed}{wrong}", fired, want["overall"]


def check_published(case):
    wrong = difference(answer(case["input"]), case["expected"])
    wrong_oracle = difference(health_oracle.score(case["input"]), case["expected"])
    return (wrong and f"{case['id']}{wrong}") or (wrong_oracle and f"{case['id']} (oracle){wrong_oracle}")


class Differential(unittest.TestCase):
    def test_made_up_boards_agree_with_the_oracle(self):
        for profile, oracle in ORACLES.items():
            fired, scored = set(), 0
            with self.subTest(profile), concurrent.futures.ProcessPoolExecutor(2) as pool:
                for wrong, rules, overall in pool.map(compare, ((profile, seed) for seed in range(BOARDS)), chunksize=10):
                    self.assertIsNone(wrong)
                    fired |= rules
                    scored += overall is not None
                self.assertEqual(set(oracle.TABLE) - fired, set(), "rules that no made-up board broke")
                self.assertGreater(scored, BOARDS // 3)

    def test_the_oracle_would_notice(self):
        case = Maker(3).case()
        want = health_oracle.score(case)
        got = answer(case)
        got["dimensions"]["memory"]["coverage"] += 1e-6
        self.assertIsNotNone(difference(got, want))


class Published(unittest.TestCase):
    def test_the_24_cases_agree_with_command_and_oracle(self):
        cases = json.loads((SOURCE / "tests" / "data" / "health_cases.json").read_text())["cases"]
        self.assertEqual(len(cases), 24)
        with concurrent.futures.ProcessPoolExecutor(2) as pool:
            for wrong in pool.map(check_published, cases):
                self.assertIsNone(wrong)


SMALL = {"t": 1_790_006_400, "interval_s": 60, "deployed_at": 1_772_726_400, "metrics": {DEV + "GPU_TEMP": [[1_790_006_340, 60]]}}


class AsTyped(unittest.TestCase):
    def file(self, text):
        path = pathlib.Path(tempfile.mkdtemp(prefix="ghm-case-")) / "case.json"
        path.write_text(text)
        return path

    def test_the_three_forms_say_the_same(self):
        start, runs = 1_790_006_400 - 86_340, [[70, 1000], [None, 40], [81.5, 400]]
        values = [v for v, n in runs for _ in range(n)]
        forms = [
            {"start": start, "step_s": 60, "runs": runs},
            {"start": start, "step_s": 60, "values": values},
            [[start + 60 * n, v] for n, v in enumerate(values)],
        ]
        answers = [answer({**SMALL, "metrics": {DEV + "GPU_TEMP": form}}) for form in forms]
        self.assertEqual(answers[0], answers[1])
        self.assertEqual(answers[0], answers[2])

    def test_nothing_known_is_no_score(self):
        got = answer(SMALL)
        self.assertIsNone(got["overall"])
        self.assertIsNone(got["class"])
        self.assertIsNone(got["risk"])

    def test_people_read_a_waterfall(self):
        cases = json.loads((SOURCE / "tests" / "data" / "health_cases.json").read_text())["cases"]
        for case in cases:
            done = run("score", "case", "--profile", "baseline", "--input", self.file(json.dumps(case["input"])))
            self.assertEqual(done.returncode, 0, done.stderr)
            lines = done.stdout.splitlines()
            want = case["expected"]
            findings = [f for d in want["dimensions"].values() for f in d["findings"]]
            for finding in findings:
                self.assertEqual(sum(finding["rule"] in line for line in lines), 1, case["id"])
            if want["overall"] is not None:
                numbers = [float(line.split()[0]) for line in lines[2 : 3 + len(findings)] if line.split()[0] != "-"]
                self.assertTrue(math.isclose(sum(numbers), want["overall"], abs_tol=0.06 * len(numbers)), done.stdout)
                self.assertIn(want["class"], done.stdout)

    def test_a_sites_own_rows_count_and_that_is_said(self):
        columns = "xid,name,class,likely_origin,severity,first_action,repeats,within,then,counts_for,architectures,drivers,source,sign"
        site = self.file(f"{columns}\n48,,,,warning,,,,,,,,,\n")
        case = self.file(json.dumps({**SMALL, "events": [{"time": SMALL["t"] - 1, "kind": "xid", "code": 48}], "source_silent": []}))

        def lost(*more):
            done = run("score", "case", "--input", case, "--json", *more)
            self.assertEqual(done.returncode, 0, done.stderr)
            said = json.loads(done.stdout)
            return sum(f["lost"] for f in said["dimensions"]["reliability"]["findings"] if f["rule"] == "reliability.incidents"), said

        by_ours, ours = lost()
        by_site, sites = lost("--faults", site)
        self.assertAlmostEqual(by_ours, 40, 3, "of 60, what the board's silence leaves of the dimension")
        self.assertAlmostEqual(by_site, 10, 3)
        self.assertNotIn("fault_catalogue", ours)
        self.assertRegex(sites["fault_catalogue"], r"^[0-9.]+\+site$")
        self.assertIn("+site", run("score", "case", "--input", case, "--faults", site).stdout.splitlines()[0])
        bad = run("score", "case", "--input", case, "--faults", self.file(f"{columns}\n48,,,,bad,,,,,,,,,\n"))
        self.assertEqual(bad.returncode, 1)
        self.assertIn(":2: severity 'bad': expected one of info, warning, error, critical", bad.stderr)

    def test_a_slip_of_the_pen_is_named(self):
        done = run("score", "case", "--input", self.file(json.dumps({**SMALL, "maintainance": []})), "--json")
        self.assertEqual(done.returncode, 0)
        self.assertIn("maintainance", done.stderr)
        json.loads(done.stdout)

    def test_bad_input_is_one_sentence_with_its_place(self):
        def changed(**fields):
            return json.dumps({**SMALL, **fields})

        metric = DEV + "GPU_TEMP"
        bad = [
            ("", "not JSON"),
            ("[]", "the case: a list: expected an object"),
            (json.dumps({k: v for k, v in SMALL.items() if k != "t"}), "t: missing: expected a time"),
            (changed(t="now"), 't: "now": expected a time'),
            (changed(t=-5), "t: -5: expected a time"),
            (changed(interval_s=0), "interval_s: 0: expected seconds"),
            (changed(metrics=[]), "metrics: a list: expected an object"),
            (changed(metrics={metric: 7}), f"metrics.{metric}: 7: expected a series"),
            (changed(metrics={metric: [[5, 1], [5, 2]]}), f"metrics.{metric}[1][0]: 5: expected a later time"),
            (changed(metrics={metric: [[5]]}), f"metrics.{metric}[0]: a list: expected [time, value]"),
            (changed(metrics={metric: [[5, "hot"]]}), f'metrics.{metric}[0][1]: "hot": expected a number'),
            (changed(metrics={metric: {"start": 5}}), f"metrics.{metric}.step_s: missing: expected seconds"),
            (changed(metrics={metric: {"start": 5, "step_s": 0, "values": []}}), f"metrics.{metric}.step_s: 0: expected seconds"),
            (changed(metrics={metric: {"start": 5, "step_s": 1}}), f"metrics.{metric}: an object: expected either"),
            (changed(metrics={metric: {"start": 5, "step_s": 1, "runs": [[1, 1.5]]}}), f"metrics.{metric}.runs[0][1]: 1.5: expected how many"),
            (changed(metrics={metric: {"start": 5, "step_s": 1, "runs": [[1, 19e6], [1, 19e6]]}}), "at most 20 million readings"),
            (changed(metrics={metric: {"start": 5e10, "step_s": 1e-9, "values": [1, 1]}}), f"metrics.{metric}.values[1]: 1: expected steps"),
            (changed(events=[{"kind": "xid"}]), "events[0].time: missing: expected a time"),
            (changed(events=[{"time": 5, "kind": 79}]), "events[0].kind: 79: expected a kind"),
            (changed(events=[{"time": 5, "kind": "xid", "code": 7.5}]), "events[0].code: 7.5: expected a code"),
            (changed(jobs=[{"time": 5, "ok": "yes"}]), 'jobs[0].ok: "yes": expected true or false'),
            (changed(peers=[{}]), "peers[0].metrics: missing: expected an object"),
            (changed(links_expected=1.5), "links_expected: 1.5: expected the part's NVLinks"),
            (changed(bandwidth_test={"time": 5}), "bandwidth_test.ratio: missing: expected measured"),
            (changed(maintenance=[[9, 5]]), "maintenance[0][1]: 5: expected an end"),
            (changed(previous_scores=[[5, 101]]), "previous_scores: a list: expected scores from 0 to 100"),
        ]
        for text, says in bad:
            done = run("score", "case", "--input", self.file(text), "--json")
            self.assertEqual(done.returncode, 1, text)
            self.assertEqual(done.stdout, "")
            self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
            self.assertIn(says, done.stderr)
            self.assertIn("case.json: ", done.stderr)

    def test_wrong_usage_is_2(self):
        self.assertEqual(run("score", "case").returncode, 2)
        self.assertEqual(run("score").returncode, 2)
        self.assertEqual(run("score", "case", "--profile", "guess", "--input", "-").returncode, 2)
        self.assertIn("example: ghm score case", run("score", "case", "--help").stdout)
        missing = subprocess.run([GHM, "score", "case", "--input", "/nowhere.json"], capture_output=True, text=True, timeout=20)
        self.assertEqual(missing.returncode, 1)
        self.assertIn("/nowhere.json", missing.stderr)


if __name__ == "__main__":
    unittest.main()
