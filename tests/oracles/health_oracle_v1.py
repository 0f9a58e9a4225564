"""The health score, profile `v1`, worked out a second time: slowly, literally, from docs/health.md and not from the C++.

Stdlib only. What `v1` shares with `baseline` is that profile's oracle; `score(case)` answers as it does.
"""

import math

import health_oracle as base
from health_oracle import DAY, DEV, HOUR, MONTH, WEEK, XIDS, covered, increase, steps

TABLE = [
    "thermal.throttle", "thermal.resistance", "thermal.fan",
    "memory.ce_hours", "memory.ce_flood", "memory.rows", "memory.bandwidth", "memory.remap_pending", "memory.uncorrected",
    "memory.remap_failed", "memory.ue_rising",
    "power.brake", "power.efficiency",
    "performance.throughput", "performance.clock", "performance.pcie", "performance.replays", "performance.nvlink",
    "performance.link_errors",
    "reliability.uptime", "reliability.jobs", "reliability.incidents",
]  # fmt: skip
WEIGHTS = {"memory": 30, "thermal": 20, "performance": 20, "power": 10, "reliability": 20}
WORST = 50  # percent that the worst dimension takes first
CAPS = {"memory.uncorrected", "memory.remap_failed"}
INPUTS = {
    "thermal": ["reasons", "temp", "power", "fan"],
    "memory": ["sbe", "dbe", "rows_corrected", "rows_uncorrected", "pending", "failure", "banks", "bandwidth"],
    "power": ["reasons", "activity", "energy"],
    "performance": ["activity", "clock", "max_clock", "reasons", "width", "max_width", "gen", "max_gen", "pcie_replays", "links", "crc", "link_replays"],
    "reliability": ["reporting", "events", "jobs"],
}


class Board(base.Board):
    def __init__(self, case):
        super().__init__(case)
        get = self.part.get
        more = {
            "rows_corrected": get(DEV + "CORRECTABLE_REMAPPED_ROWS"),
            "rows_uncorrected": get(DEV + "UNCORRECTABLE_REMAPPED_ROWS"),
            "pcie_replays": get(DEV + "PCIE_REPLAY_COUNTER"),
            "crc": get(DEV + "NVLINK_ERROR_DL_CRC", DEV + "NVLINK_CRC_FLIT_ERROR_COUNT_TOTAL"),
            "link_replays": get(DEV + "NVLINK_ERROR_DL_REPLAY", DEV + "NVLINK_REPLAY_ERROR_COUNT_TOTAL"),
        }
        for name, series in more.items():
            has = series is not None and (self.links_expected > 0 or name not in ("crc", "link_replays"))
            self.metric[name] = series
            self.listed[name] = has
            self.present[name] = has and self.presence(series.keys(), DAY) >= 0.6


def hour(at):
    return math.floor(at / HOUR)


def resistance_over(b, days):
    """Slope of hourly temperatures over hourly powers, both about their day's mean, pooled over the days."""
    by_hour = {}
    for at, temperature, power in b.together("temp", "power"):
        by_hour.setdefault(hour(b.t) - hour(at) - 1, []).append((temperature, power))
    points, powers = [], []
    for day in days:
        hours = [by_hour[k] for k in range(24 * day, 24 * day + 24) if k in by_hour]
        means = [(sum(t for t, _ in h) / len(h), sum(p for _, p in h) / len(h)) for h in hours]
        for t, p in means:
            points.append((t - sum(x for x, _ in means) / len(means), p - sum(x for _, x in means) / len(means)))
            powers.append(p)
    if len(points) < 48 or sum(powers) <= 0:
        return None
    square = sum(p * p for _, p in points)
    if math.sqrt(square / len(points)) < 0.2 * sum(powers) / len(powers):
        return None
    return sum(t * p for t, p in points) / square


def resistance(b):
    now, usual = resistance_over(b, range(7)), resistance_over(b, range(7, 28))
    if now is None or usual is None or usual <= 0 or now <= 1.1 * usual:
        return None
    return min(60, 200 * (now / usual - 1.1)), now, usual


def ce_hours(b):
    n = len({hour(at) for at, growth in steps(b.metric["sbe"], b.t - WEEK, b.t) if growth > 0})
    return (min(60, 1.5 * n), n, 0) if n else None


def ce_flood(b):
    n = increase(b.metric["sbe"], b.t - DAY, b.t)
    return (50, n, 1000) if n > 1000 else None


def rows(b):
    n = sum(increase(b.metric[m], b.t - MONTH, b.t) for m in ("rows_corrected", "rows_uncorrected") if b.present[m])
    return (min(75, 15 * n), n, 0) if n > 0 else None


def uncorrected(b):
    n = increase(b.metric["dbe"], b.t - MONTH, b.t)
    return (45, n, 0) if n > 0 else None


def brake(b):
    n = len({hour(at) for at, bits in b.window("reasons", WEEK).items() if int(bits) & 0x80})
    return (min(70, 6 * n), n, 0) if n else None


def efficiency(b):
    found = base.efficiency(b)
    if found is None or found[1] <= 1.15 * found[2]:
        return None
    return min(20, 100 * (found[1] / found[2] - 1.15)), found[1], found[2]


def throughput(b):
    found = base.throughput(b)
    if found is None or found[1] >= 0.97 * found[2]:
        return None
    return min(40, 200 * (0.97 - found[1] / found[2])), found[1], found[2]


def at_40(rule):
    def judged(b):
        found = rule(b)
        return found and (40, found[1], found[2])

    return judged


def by_count(n, reference):
    return (min(60, 30 * math.log10(n / reference)), n, reference) if n > reference else None


def replays(b):
    return by_count(increase(b.metric["pcie_replays"], b.t - DAY, b.t), 250)


def link_errors(b):
    return by_count(sum(increase(b.metric[m], b.t - DAY, b.t) for m in ("crc", "link_replays") if b.present[m]), 20)


def uptime(b):
    found = base.uptime(b)
    if found is None or found[1] >= 95:
        return None
    return min(60, 3 * (95 - found[1])), found[1], 95


def weight(b, event):
    """(points when fresh, critical), or None."""
    if event["kind"] == "gpu_missing":
        return 60, False
    if event["kind"] == "gpu_reset":
        return None if covered(event["time"], b.maintenance) else (60, False)
    xid = XIDS.get(event.get("code")) if event["kind"] == "xid" else None
    if xid is None or xid["likely_origin"] == "application":
        return None
    points = {"critical": 60, "error": 30, "warning": 10, "info": 0}[xid["severity"]]
    if xid["likely_origin"] == "hardware":
        return (points, xid["severity"] == "critical" or event["code"] == 79) if points else None
    return (points, False) if xid["severity"] == "critical" else None


def counted(b):
    found = [(e["time"], weight(b, e)) for e in base.month_of_events(b)]
    return [(at, w) for at, w in found if w]


def incidents(b):
    groups = []  # [begin, gravest]
    for at, (points, _) in counted(b):
        if groups and at - groups[-1][0] <= HOUR:
            groups[-1][1] = max(groups[-1][1], points)
        else:
            groups.append([at, points])
    if not groups:
        return None
    return sum(points * (1 - (b.t - at) / MONTH) for at, points in groups), len(groups), 0


def incidents_critical(b):
    return any(critical and at > b.t - DAY for at, (_, critical) in counted(b))


RULES = {
    **{name: base.RULES[name] for name in TABLE if name in base.RULES},
    "thermal.resistance": (["temp", "power"], resistance),
    "memory.ce_hours": (["sbe"], ce_hours),
    "memory.ce_flood": (["sbe"], ce_flood),
    "memory.rows": ([], rows),
    "memory.uncorrected": (["dbe"], uncorrected),
    "power.brake": (["reasons"], brake),
    "power.efficiency": (["energy", "activity"], efficiency),
    "performance.throughput": (["activity", "clock"], throughput),
    "performance.pcie": ([], at_40(base.pcie)),
    "performance.replays": (["pcie_replays"], replays),
    "performance.nvlink": (["links"], at_40(base.nvlink)),
    "performance.link_errors": ([], link_errors),
    "reliability.uptime": (["reporting"], uptime),
    "reliability.incidents": (["events"], incidents),
}
CRITICAL = {
    "memory.remap_failed": lambda b: True,
    "memory.ue_rising": lambda b: True,
    "reliability.incidents": incidents_critical,
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


def weighed(available):
    """The worst dimension takes its share first, the rest is shared out by weight."""
    weights = {n: WEIGHTS[n] * (100 - WORST) / 100 for n in available}
    weights[min(available, key=lambda n: available[n]["score"])] += WORST
    return sum(weights[n] * d["score"] for n, d in available.items()) / sum(weights.values())


def score(case):
    b = Board(case)
    critical = []
    dimensions = {name: dimension(b, name, critical) for name in INPUTS}
    available = {n: d for n, d in dimensions.items() if d["score"] is not None}
    coverage = sum(WEIGHTS[n] * d["coverage"] for n, d in available.items()) / 100
    overall = weighed(available) if available and coverage >= 0.5 else None
    week = base.trend(case, b.t, overall, 7)
    return {
        "overall": overall,
        "coverage": coverage,
        "class": None if overall is None else next((name for least, name in base.CLASSES if overall >= least), "failed"),
        "risk": base.risk(overall, week, critical),
        "trend_7d": week,
        "trend_30d": base.trend(case, b.t, overall, 30),
        "dimensions": dimensions,
        "critical": sorted(critical, key=TABLE.index),
    }
