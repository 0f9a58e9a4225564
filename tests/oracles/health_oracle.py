"""The health score, profile `baseline`, worked out a second time: slowly, literally, from docs/health.md and not from the C++.

Stdlib only. `score(case)` takes the JSON input of `ghm score case` and returns its JSON answer.
"""

import csv
import math
import pathlib

HOUR, DAY = 3600.0, 86400.0
WEEK, MONTH = 7 * DAY, 30 * DAY
DEV = "DCGM_FI_DEV_"
TABLE = [
    "thermal.throttle", "thermal.mean", "thermal.trend", "thermal.swing", "thermal.fan",
    "memory.corrected", "memory.bandwidth", "memory.remap_pending", "memory.ue_7d", "memory.ue_30d", "memory.ce_3d",
    "memory.remap_failed", "memory.ue_rising",
    "power.spike", "power.limit", "power.efficiency",
    "performance.throughput", "performance.clock", "performance.pcie", "performance.nvlink",
    "reliability.uptime", "reliability.jobs", "reliability.reset", "reliability.xid",
]  # fmt: skip
WEIGHTS = {"memory": 30, "thermal": 25, "performance": 20, "power": 15, "reliability": 10}
CLASSES = [(90, "excellent"), (80, "good"), (70, "fair"), (60, "degraded"), (50, "poor"), (40, "critical")]
XIDS = {
    int(row["xid"]): row
    for row in csv.DictReader(open(pathlib.Path(__file__).resolve().parents[2] / "data" / "faults" / "xids.csv", encoding="utf-8"))
}


def expand(series):
    """Any of the three written forms as {time: value}, in time order."""
    if isinstance(series, list):
        return {float(at): float(v) for at, v in series if v is not None}
    values = series["values"] if "values" in series else [v for v, n in series["runs"] for _ in range(n)]
    return {series["start"] + series["step_s"] * n: float(v) for n, v in enumerate(values) if v is not None}


def percentile(values, p):
    values = sorted(values)
    rank = p / 100 * (len(values) - 1)
    low = math.floor(rank)
    high = min(low + 1, len(values) - 1)
    return values[low] + (rank - low) * (values[high] - values[low])


def median(values):
    return percentile(values, 50)


def mean(values):
    return sum(values) / len(values)


def covered(at, intervals):
    for a, b in intervals:
        if a < at <= b:
            return True
    return False


class Part:
    """Somebody's metrics up to t; a metric is None where the part does not have it."""

    def __init__(self, metrics, t):
        self.t = t
        self.metrics = {}
        for name, series in metrics.items():
            self.metrics[name] = None if series is None else {a: v for a, v in expand(series).items() if a <= t}

    def get(self, name, otherwise=None):
        first = self.metrics.get(name, {})
        if otherwise is None or first:
            return first
        second = self.metrics.get(otherwise, {})
        if second or first is None:
            return second
        return first

    def activity(self):
        if self.metrics.get("DCGM_FI_PROF_GR_ENGINE_ACTIVE"):
            return self.metrics["DCGM_FI_PROF_GR_ENGINE_ACTIVE"]
        other = self.get("DCGM_FI_PROF_GR_ENGINE_ACTIVE", DEV + "GPU_UTIL")
        return other if other is None else {a: v / 100 for a, v in other.items()}


def steps(counter, begin, end):
    """(time, growth) of each step whose later reading lies in (begin, end]."""
    out, before = [], None
    for at, value in counter.items():
        if before is not None and begin < at <= end:
            out.append((at, value - before if value >= before else value))
        before = value
    return out


def increase(counter, begin, end):
    return sum(growth for _, growth in steps(counter, begin, end))


class Board:
    def __init__(self, case):
        self.case = case
        self.t = float(case["t"])
        self.i = float(case["interval_s"])
        self.deployed = float(case["deployed_at"])
        self.part = Part(case["metrics"], self.t)
        self.events = case.get("events")
        self.jobs = case.get("jobs")
        self.maintenance = case.get("maintenance") or []
        self.silent = case.get("source_silent") or []
        self.links_expected = case.get("links_expected") or 0
        self.peers = [(Part(p["metrics"], self.t), p.get("same_host", True), p.get("same_job", True)) for p in case.get("peers") or []]
        get = self.part.get
        vol, agg = DEV + "ECC_{}_VOL_TOTAL", DEV + "ECC_{}_AGG_TOTAL"
        self.metric = {
            "reasons": get(DEV + "CLOCK_THROTTLE_REASONS"),
            "temp": get(DEV + "GPU_TEMP"),
            "activity": self.part.activity(),
            "fan": get(DEV + "FAN_SPEED"),
            "sbe": get(vol.format("SBE"), agg.format("SBE")),
            "dbe": get(vol.format("DBE"), agg.format("DBE")),
            "pending": get(DEV + "ROW_REMAP_PENDING"),
            "failure": get(DEV + "ROW_REMAP_FAILURE"),
            "banks": get(DEV + "BANKS_REMAP_ROWS_AVAIL_NONE"),
            "power": get(DEV + "POWER_USAGE"),
            "clock": get(DEV + "SM_CLOCK"),
            "max_clock": get(DEV + "MAX_SM_CLOCK"),
            "limit_default": get(DEV + "POWER_MGMT_LIMIT_DEF"),
            "limit": get(DEV + "ENFORCED_POWER_LIMIT"),
            "energy": get(DEV + "TOTAL_ENERGY_CONSUMPTION"),
            "width": get(DEV + "PCIE_LINK_WIDTH"),
            "max_width": get(DEV + "PCIE_MAX_LINK_WIDTH"),
            "gen": get(DEV + "PCIE_LINK_GEN"),
            "max_gen": get(DEV + "PCIE_MAX_LINK_GEN"),
        }
        self.links = [m for n, m in self.part.metrics.items() if n.startswith(DEV + "NVLINK_GET_STATE@nvlink") and m is not None]
        windows = {"fan": HOUR, "sbe": WEEK, "dbe": WEEK}
        self.listed, self.present = {}, {}
        for name, m in self.metric.items():
            window = windows.get(name, DAY)
            self.listed[name] = m is not None
            self.present[name] = m is not None and self.presence(m.keys(), window) >= 0.6
        self.listed["links"] = self.links_expected > 0
        self.present["links"] = self.listed["links"] and self.presence({at for link in self.links for at in link}, DAY) >= 0.6
        test = case.get("bandwidth_test")
        self.listed["bandwidth"] = self.present["bandwidth"] = test is not None and self.t - MONTH <= test["time"] <= self.t
        answered = self.answered()
        self.listed["reporting"], self.present["reporting"] = True, answered
        self.listed["events"], self.present["events"] = True, answered and self.events is not None
        self.listed["jobs"] = self.present["jobs"] = self.jobs is not None

    def presence(self, times, window):
        seen = sum(1 for at in times if self.t - window < at <= self.t)
        expected = min(window, self.t - self.deployed) / self.i
        if seen == 0:
            return 0
        return 1 if expected <= seen else seen / expected

    def answered(self):
        """The source answered for at least 60 % of 30 days, or of the board's life."""
        begin = max(self.t - MONTH, self.deployed)
        if begin >= self.t:
            return False
        cuts = sorted({begin, self.t} | {min(max(x, begin), self.t) for pair in self.silent for x in pair})
        silent = sum(b - a for a, b in zip(cuts, cuts[1:]) if covered(b, self.silent))
        return (self.t - begin - silent) / (self.t - begin) >= 0.6

    def window(self, name, length):
        return {at: v for at, v in self.metric[name].items() if self.t - length < at <= self.t}

    def together(self, *names, length=None):
        """(time, values...) where all have a reading."""
        series = [self.metric[n] for n in names]
        first = series[0]
        return [
            (at, *(s[at] for s in series)) for at in first if all(at in s for s in series) and (length is None or at > self.t - length)
        ]

    def day(self, at):
        return math.floor((self.t - at) / DAY)  # at = t - 24 h * k is the last moment of day k


# Each rule answers None, or (points or cap, value, reference).


def episodes(series, mask):
    """Lists of times: neighbours are consecutive readings, or less than a minute apart."""
    out, last = [], None
    for index, (at, v) in enumerate(series.items()):
        if not int(v) & mask:
            continue
        if last is not None and (index == last[0] + 1 or at - last[1] < 60):
            out[-1].append(at)
        else:
            out.append([at])
        last = (index, at)
    return out


def in_day(b, times):
    return [at for at in times if b.t - DAY < at <= b.t]


def throttle(b):
    n = sum(1 for e in episodes(b.metric["reasons"], 0x60) if in_day(b, e))
    return (10 * n, n, 0) if n else None


def mean_temperature(b):
    m = mean(list(b.window("temp", DAY).values()))
    return (2 * (m - 75), m, 75) if m > 75 else None


def trend_of_temperature(b):
    days = {}
    for at, temp, act in b.together("temp", "activity", length=MONTH):
        if act >= 0.5:
            days.setdefault(b.day(at), []).append(temp)
    points = [(-k, mean(v)) for k, v in days.items() if len(v) >= 60]
    if len(points) < 14:
        return None
    mx, my = mean([x for x, _ in points]), mean([y for _, y in points])
    slope = sum((x - mx) * (y - my) for x, y in points) / sum((x - mx) ** 2 for x, _ in points)
    return (5, 30 * slope, 2) if 30 * slope > 2 else None


def swing(b):
    this_hour = math.floor(b.t / HOUR) * HOUR
    largest = 10
    rows = b.together("temp", "activity", length=26 * HOUR)
    for k in range(1, 25):
        hour = [(temp, act) for at, temp, act in rows if this_hour - k * HOUR <= at < this_hour - (k - 1) * HOUR]
        if not hour or len(hour) / (HOUR / b.i) < 0.9 or any(a < 0.5 for _, a in hour):
            continue
        acts, temps = [a for _, a in hour], [x for x, _ in hour]
        if percentile(acts, 95) - percentile(acts, 5) > 0.10:
            continue
        largest = max(largest, percentile(temps, 95) - percentile(temps, 5))
    return (3, largest, 10) if largest > 10 else None


def fan(b):
    lowest = min(b.window("fan", HOUR).values())
    return (5, lowest, 90) if lowest > 90 else None


def corrected(b):
    first = next(iter(b.metric["sbe"]))
    days = min(7.0, max(1.0, (b.t - max(b.t - WEEK, first)) / DAY))
    rate = increase(b.metric["sbe"], b.t - WEEK, b.t) / days
    return (min(50, rate), rate, 0) if rate > 0 else None


def bandwidth(b):
    ratio = b.case["bandwidth_test"]["ratio"]
    return ((1 - ratio) * 100, ratio, 0.95) if ratio < 0.95 else None


def latest(series):
    return list(series.values())[-1]


def pending(b):
    return (10, 1, 0) if latest(b.metric["pending"]) == 1 else None


def ue_week(b):
    n = increase(b.metric["dbe"], b.t - WEEK, b.t)
    return (70, n, 1) if n >= 1 else None


def ue_month(b):
    n = increase(b.metric["dbe"], b.t - MONTH, b.t)
    return (50, n, 4) if n > 4 else None


def ce_three_days(b):
    days = [increase(b.metric["sbe"], b.t - DAY * (k + 1), b.t - DAY * k) for k in range(7)]
    for k in range(5):
        if min(days[k : k + 3]) > 100:
            return (60, min(days[k : k + 3]), 100)
    return None


def remap_failed(b):
    if b.present["failure"] and latest(b.metric["failure"]) == 1:
        return (30, 1, 0)
    if b.present["banks"] and latest(b.metric["banks"]) > 0:
        return (30, latest(b.metric["banks"]), 0)
    return None


def ue_rising(b):
    today = increase(b.metric["dbe"], b.t - DAY, b.t)
    before = increase(b.metric["dbe"], b.t - 2 * DAY, b.t - DAY)
    return (0, today, before) if today > before else None


def spike(b):
    n = 0
    rows = b.together("power", "activity", "clock")
    for (a0, p0, u0, c0), (a1, p1, u1, c1) in zip(rows, rows[1:]):
        stable = a1 - a0 <= 2 * b.i and u0 >= 0.5 and u1 >= 0.5 and abs(u1 - u0) <= 0.05 and abs(c1 - c0) <= 30
        if stable and p1 - p0 > 20 and b.t - DAY < a1 <= b.t:
            n += 1
    return (min(30, 3 * n), n, 0) if n else None


def limit(b):
    def beyond_design(at):
        if b.present["limit_default"] and b.present["limit"]:
            low, default = b.metric["limit"].get(at), b.metric["limit_default"].get(at)
            if low is not None and default is not None and low < default:
                return True
        if not b.present["clock"] or at not in b.metric["clock"]:
            return False
        peers = [p.get(DEV + "SM_CLOCK") or {} for p, same_host, _ in b.peers if same_host]
        clocks = [p[at] for p in peers if at in p]
        return bool(clocks) and b.metric["clock"][at] < 0.95 * median(clocks)

    n = sum(1 for e in episodes(b.metric["reasons"], 0x84) if any(beyond_design(at) for at in in_day(b, e)))
    return (5 if n <= 5 else 15, n, 0) if n else None


def efficiency(b):
    joules, work = {}, {}
    rows = b.together("energy", "activity")
    for (a0, e0, u0), (a1, e1, u1) in zip(rows, rows[1:]):
        k = b.day(a1)
        if a1 - a0 > 2 * b.i or u0 < 0.5 or u1 < 0.5:
            continue
        joules[k] = joules.get(k, 0) + (e1 - e0 if e1 >= e0 else e1) / 1000
        work[k] = work.get(k, 0) + (u0 + u1) / 2 * (a1 - a0)
    days = {k: joules[k] / work[k] for k in joules}
    usual = [days[k] for k in range(1, 31) if k in days]
    if 0 not in days or len(usual) < 7 or median(usual) <= 0:
        return None
    now, before = days[0], median(usual)
    return (min(20, 100 * (now / before - 1)), now, before) if now > before else None


def busy_clock(b, activity, clock):
    """Day -> mean clock at an activity of 0.9 or more."""
    days = {}
    for at, a in activity.items():
        if a >= 0.9 and at in clock:
            days.setdefault(b.day(at), []).append(clock[at])
    return {k: mean(v) for k, v in days.items()}


def throughput(b):
    own = busy_clock(b, b.metric["activity"], b.metric["clock"])
    if 0 not in own:
        return None
    q = own[0]
    references = []
    days = [own[k] for k in range(1, 31) if k in own]
    if len(days) >= 7:
        references.append(median(days))
    peers = [busy_clock(b, p.activity() or {}, p.get(DEV + "SM_CLOCK") or {}).get(0) for p, _, same_job in b.peers if same_job]
    peers = [x for x in peers if x is not None]
    if len(peers) >= 3:
        references.append(median(peers))
    shortfalls = [(100 * (1 - q / r), q, r) for r in references if r > q]
    return max(shortfalls) if shortfalls else None


def clock(b):
    rows = [r for r in b.together("activity", "clock", "max_clock", "reasons", length=DAY) if r[1] >= 0.5]
    slow = [r for r in rows if r[2] < 0.9 * r[3] and not int(r[4]) & 0x4]
    if not rows or len(slow) / len(rows) <= 0.05:
        return None
    return (10, len(slow) / len(rows), 0.05)


def pcie(b):
    if b.present["width"] and b.present["max_width"]:
        rows = b.together("width", "max_width")
        if rows and rows[-1][1] < rows[-1][2]:
            return (5, rows[-1][1], rows[-1][2])
    if b.present["gen"] and b.present["max_gen"] and b.present["activity"]:
        rows = [r for r in b.together("gen", "max_gen", "activity", length=DAY) if r[3] >= 0.5]
        down = [r for r in rows if r[1] < r[2]]
        if rows and len(down) / len(rows) >= 0.95:
            return (5, len(down) / len(rows), 0.95)
    return None


def nvlink(b):
    last = max(at for link in b.links for at in link)
    up = sum(1 for link in b.links if link.get(last) == 1)
    return (5, up, b.links_expected) if up < b.links_expected else None


def drains(b):
    out = []
    for e in b.events or []:
        if e["kind"] == "drain":
            ends = [u["time"] for u in b.events if u["kind"] == "undrain" and u["time"] > e["time"]]
            out.append((e["time"], min(ends + [b.t])))
    return out


def uptime(b):
    times = sorted({at for m in b.part.metrics.values() if m for at in m})
    left_out = [*map(tuple, b.maintenance), *map(tuple, b.silent), *drains(b)]
    width = max(60.0, b.i)
    counted = reported = 0
    position = len(times)
    for m in range(30 * 24 * 60):
        end = b.t - 60.0 * m
        while position > 0 and times[position - 1] > end:
            position -= 1
        if end - 60 < b.deployed or (left_out and covered(end, left_out)):
            continue
        counted += 1
        reported += position > 0 and times[position - 1] > end - width
    if counted == 0:
        return None
    percent = 100 * reported / counted
    return (min(50, 100 * (99.9 - percent)), percent, 99.9) if percent < 99.9 else None


def job_success(b):
    ends = [j["ok"] for j in b.jobs if b.t - MONTH < j["time"] <= b.t]
    if len(ends) < 20:
        return None
    percent = 100 * sum(ends) / len(ends)
    return (min(20, 2 * (99 - percent)), percent, 99) if percent < 99 else None


def month_of_events(b):
    return sorted((e for e in b.events if b.t - MONTH < e["time"] <= b.t), key=lambda e: e["time"])


def is_fall(b, e):
    if e["kind"] == "xid":
        return e["code"] in (79, 119, 120)
    return e["kind"] == "gpu_missing" or (e["kind"] == "gpu_reset" and not covered(e["time"], b.maintenance))


def reset(b):
    counted = []
    for e in month_of_events(b):
        if is_fall(b, e) and not (counted and e["time"] - counted[-1] <= HOUR):
            counted.append(e["time"])
    return (15 * len(counted), len(counted), 0) if counted else None


def hardware_xids(b):
    for e in month_of_events(b):
        if e["kind"] == "xid" and e["code"] not in (79, 119, 120):
            if XIDS.get(e["code"], {}).get("likely_origin") == "hardware":
                yield e["time"], e["code"], XIDS[e["code"]]["severity"]


def xid(b):
    last, points, n = {}, 0, 0
    for at, code, severity in hardware_xids(b):
        if code in last and at - last[code] <= HOUR:
            continue
        last[code] = at
        cost = {"critical": 20, "error": 10, "warning": 3, "info": 0}[severity]
        points += cost
        n += cost > 0
    return (points, n, 0) if n else None


def xid_critical(b):
    return any(severity == "critical" and at > b.t - DAY for at, _, severity in hardware_xids(b))


def reset_critical(b):
    return any(e["kind"] == "xid" and e["code"] == 79 and e["time"] > b.t - DAY for e in month_of_events(b))


# name -> (inputs that must be present, rule); caps are named below.
RULES = {
    "thermal.throttle": (["reasons"], throttle),
    "thermal.mean": (["temp"], mean_temperature),
    "thermal.trend": (["temp", "activity"], trend_of_temperature),
    "thermal.swing": (["temp", "activity"], swing),
    "thermal.fan": (["fan"], fan),
    "memory.corrected": (["sbe"], corrected),
    "memory.bandwidth": (["bandwidth"], bandwidth),
    "memory.remap_pending": (["pending"], pending),
    "memory.ue_7d": (["dbe"], ue_week),
    "memory.ue_30d": (["dbe"], ue_month),
    "memory.ce_3d": (["sbe"], ce_three_days),
    "memory.remap_failed": ([], remap_failed),
    "memory.ue_rising": (["dbe"], ue_rising),
    "power.spike": (["power", "activity", "clock"], spike),
    "power.limit": (["reasons"], limit),
    "power.efficiency": (["energy", "activity"], efficiency),
    "performance.throughput": (["activity", "clock"], throughput),
    "performance.clock": (["activity", "clock", "max_clock", "reasons"], clock),
    "performance.pcie": ([], pcie),
    "performance.nvlink": (["links"], nvlink),
    "reliability.uptime": (["reporting"], uptime),
    "reliability.jobs": (["jobs"], job_success),
    "reliability.reset": (["events"], reset),
    "reliability.xid": (["events"], xid),
}
CAPS = {"memory.ue_7d", "memory.ue_30d", "memory.ce_3d", "memory.remap_failed"}
CRITICAL = {
    "memory.remap_failed": lambda b: True,
    "memory.ue_rising": lambda b: True,
    "reliability.reset": reset_critical,
    "reliability.xid": xid_critical,
}
INPUTS = {
    "thermal": ["reasons", "temp", "activity", "fan"],
    "memory": ["sbe", "dbe", "pending", "failure", "banks", "bandwidth"],
    "power": ["power", "activity", "clock", "reasons", "limit_default", "limit", "energy"],
    "performance": ["activity", "clock", "max_clock", "reasons", "width", "max_width", "gen", "max_gen", "links"],
    "reliability": ["reporting", "events", "jobs"],
}


def dimension(b, name, critical):
    listed = [i for i in INPUTS[name] if b.listed[i]]
    coverage = sum(b.present[i] for i in listed) / len(listed) if listed else 0.0
    current, findings = 100.0, []
    for rule in [r for r in TABLE if r.startswith(name + ".")]:
        needs, judge = RULES[rule]
        fired = judge(b) if all(b.present[n] for n in needs) else None
        if fired is None:
            continue
        points, value, reference = fired
        lost = max(0.0, current - points) if rule in CAPS else min(points, current)
        current -= lost
        findings.append({"rule": rule, "lost": lost, "value": value, "reference": reference})
        if rule in CRITICAL and CRITICAL[rule](b):
            critical.append(rule)
    return {"score": current if listed and coverage >= 0.6 else None, "coverage": coverage, "findings": findings}


def trend(case, t, overall, days):
    rounds = expand(case.get("previous_scores") or [])
    now = [s for at, s in rounds.items() if t - DAY < at < t] + ([overall] if overall is not None else [])
    then = [s for at, s in rounds.items() if t - (days + 1) * DAY < at <= t - days * DAY]
    if len(now) < 48 or len(then) < 48:
        return None
    return max(-10.0, min(10.0, mean(now) - mean(then)))


def risk(overall, slope, critical):
    if critical:
        return "critical"
    if overall is None:
        return None
    slope = 0 if slope is None else slope
    if overall < 50:
        return "critical"
    if overall < 70 or slope <= -5:
        return "high"
    return "medium" if overall < 80 or slope <= -2 else "low"


def score(case):
    b = Board(case)
    critical = []
    dimensions = {name: dimension(b, name, critical) for name in INPUTS}
    available = {n: d for n, d in dimensions.items() if d["score"] is not None}
    coverage = sum(WEIGHTS[n] * d["coverage"] for n, d in available.items()) / 100
    overall = None
    if available and coverage >= 0.5:
        overall = sum(WEIGHTS[n] * d["score"] for n, d in available.items()) / sum(WEIGHTS[n] for n in available)
    week = trend(case, b.t, overall, 7)
    return {
        "overall": overall,
        "coverage": coverage,
        "class": None if overall is None else next((name for least, name in CLASSES if overall >= least), "failed"),
        "risk": risk(overall, week, critical),
        "trend_7d": week,
        "trend_30d": trend(case, b.t, overall, 30),
        "dimensions": dimensions,
        "critical": sorted(critical, key=TABLE.index),
    }
