// History and live readings of one signal as one series, for a chart.
import type { GpuMetrics, MetricSeries, Numbers, Reading } from '../api';
import { amount, number, unitOf } from './format';
import { limits, limitWords } from './throttle';

/**
 * line: the mean with its envelope. steps: the newest value of a bucket. bars: what a counter gained in a bucket.
 * share: the part of the time that a counter of time gained.
 */
export type Kind = 'line' | 'steps' | 'bars' | 'share';

export interface Signal {
  metric: string; // its name in addresses and tests
  title: string;
  kind: Kind;
  sets: string[][]; // metrics that are added up; the first set that a board has counts
  second?: { title: string; sets: string[][] }; // a second line of the same kind and unit
  limit?: string[]; // readings that hold the part's own limit; the first that is known counts
  minSpan: number; // the least height of the y axis, so that a flat signal looks flat
  fromZero: boolean;
}

const line = (metric: string, title: string, minSpan: number, fromZero: boolean, limit: string[] = []): Signal => ({
  metric,
  title,
  kind: 'line',
  sets: [[metric]],
  limit,
  minSpan,
  fromZero,
});
const counted = (kind: Kind, title: string, minSpan: number, ...metrics: string[]): Signal => ({
  metric: metrics[0]!,
  title,
  kind,
  sets: [metrics],
  minSpan,
  fromZero: true,
});

const kReason = 'DCGM_FI_DEV_CLOCKS_EVENT_REASON_';

export const kSignals: Signal[] = [
  line('DCGM_FI_DEV_GPU_TEMP', 'Core temperature', 12, false, ['DCGM_FI_DEV_GPU_MAX_OP_TEMP', 'DCGM_FI_DEV_SLOWDOWN_TEMP']),
  line('DCGM_FI_DEV_MEMORY_TEMP', 'HBM temperature', 12, false, ['DCGM_FI_DEV_MEM_MAX_OP_TEMP']),
  line('DCGM_FI_DEV_POWER_USAGE', 'Power', 100, true, ['DCGM_FI_DEV_ENFORCED_POWER_LIMIT', 'DCGM_FI_DEV_POWER_MGMT_LIMIT']),
  line('DCGM_FI_DEV_SM_CLOCK', 'SM clock', 300, false, ['DCGM_FI_DEV_MAX_SM_CLOCK']),
  counted('bars', 'Corrected ECC errors', 4, 'DCGM_FI_DEV_ECC_SBE_VOL_TOTAL'),
  counted('steps', 'Remapped rows', 4, 'DCGM_FI_DEV_CORRECTABLE_REMAPPED_ROWS', 'DCGM_FI_DEV_UNCORRECTABLE_REMAPPED_ROWS'),
  {
    metric: 'DCGM_FI_DEV_THERMAL_VIOLATION',
    title: 'Throttled time',
    kind: 'share',
    sets: [[`${kReason}HW_THERM_SLOWDOWN_NS`, `${kReason}SW_THERM_SLOWDOWN_NS`], ['DCGM_FI_DEV_THERMAL_VIOLATION']],
    second: {
      title: 'power',
      sets: [[`${kReason}SW_POWER_CAP_NS`, `${kReason}HW_POWER_BRAKE_SLOWDOWN_NS`], ['DCGM_FI_DEV_POWER_VIOLATION']],
    },
    minSpan: 10,
    fromZero: true,
  },
  line('DCGM_FI_DEV_GPU_UTIL', 'Utilisation', 100, true),
];

/** Behind "More". */
export const kMoreSignals: Signal[] = [
  line('DCGM_FI_DEV_NVLINK_BANDWIDTH_TOTAL', 'NVLink traffic', 1000, true),
  counted('bars', 'NVLink errors', 4, 'DCGM_FI_DEV_NVLINK_ERROR_DL_CRC', 'DCGM_FI_DEV_NVLINK_ERROR_DL_REPLAY'),
  line('DCGM_FI_DEV_PCIE_LINK_WIDTH', 'PCIe lanes', 16, true, ['DCGM_FI_DEV_PCIE_MAX_LINK_WIDTH']),
  counted('bars', 'PCIe replays', 4, 'DCGM_FI_DEV_PCIE_REPLAY_COUNTER'),
  line('DCGM_FI_DEV_FAN_SPEED', 'Fan', 100, true),
  line('DCGM_FI_DEV_FB_USED', 'Memory in use', 8192, true),
  line('DCGM_FI_PROF_SM_ACTIVE', 'SM active', 1, true),
  counted('steps', 'Clock limits', 3, 'DCGM_FI_DEV_CLOCK_THROTTLE_REASONS'),
];

/** A chart for any other metric, such as one that evidence points at. */
export function signalOf(metric: string, title: string): Signal {
  return { metric, title, kind: 'line', sets: [[metric]], minSpan: 1, fromZero: false };
}

const metricsOf = (s: Signal) => [...s.sets.flat(), ...(s.second?.sets.flat() ?? [])];

/** The signal that shows a metric; null when none of them does. */
export function signalWith(metric: string, signals: Signal[]): Signal | null {
  return signals.find((s) => s.metric === metric) ?? signals.find((s) => metricsOf(s).includes(metric)) ?? null;
}

/** The names to ask the API for; it takes 32 at most. */
export const asked = (signals: Signal[]) => [...new Set(signals.flatMap(metricsOf))].slice(0, 32);

export interface Line {
  t: number[];
  raw: Numbers; // as read
  y: Numbers; // as drawn
  low: Numbers;
  high: Numbers;
  second: Numbers | null;
  unit: string | null;
  peers: { of: number; busy: boolean; low: Numbers; mid: Numbers; high: Numbers } | null;
}

const isMask = (signal: Signal) => signal.metric === 'DCGM_FI_DEV_CLOCK_THROTTLE_REASONS';
const hasValue = (values: Numbers) => values.some((v) => v !== null);

function setOf(sets: string[][], history: GpuMetrics): MetricSeries[] {
  for (const set of sets) {
    const found = set.map((m) => history.series[m]).filter((s) => s !== undefined && hasValue(s.last));
    if (found.length > 0) return found as MetricSeries[];
  }
  return [];
}

// Where none is known the sum is not known; a part that is missing counts as none.
function sum(parts: Numbers[], n: number): Numbers {
  return Array.from({ length: n }, (_, i) => {
    const known = parts.map((p) => p[i] ?? null).filter((v) => v !== null);
    return known.length === 0 ? null : known.reduce((a, b) => a + b, 0);
  });
}

function shareOfTime(parts: MetricSeries[], history: GpuMetrics): Numbers {
  const gained = parts.map((s) => (s.increase ?? []).map((v) => (v === null ? null : v * unitOf(s.unit).factor)));
  return sum(gained, history.t.length).map((v) => (v === null ? null : Math.min(100, (100 * v) / history.interval_s)));
}

function valuesOf(kind: Kind, parts: MetricSeries[], history: GpuMetrics): Numbers {
  const n = history.t.length;
  if (kind === 'line') return parts[0]!.avg;
  if (kind === 'share') return shareOfTime(parts, history);
  return sum(
    parts.map((s) => (kind === 'bars' ? (s.increase ?? []) : s.last)),
    n,
  );
}

/** The history of a signal; null when the board has none of its metrics. */
export function lineOf(signal: Signal, history: GpuMetrics): Line | null {
  const parts = setOf(signal.sets, history);
  const first = parts[0];
  if (!first) return null;
  const raw = valuesOf(signal.kind, parts, history);
  const y = isMask(signal) ? raw.map(limits) : raw;
  const wide = signal.kind === 'line';
  const seconds = signal.second ? setOf(signal.second.sets, history) : [];
  return {
    t: history.t,
    raw,
    y,
    low: wide ? first.min : y,
    high: wide ? first.max : y,
    second: seconds.length > 0 ? valuesOf(signal.kind, seconds, history) : null,
    unit: signal.kind === 'share' ? 'percent' : first.unit,
    peers: peersOf(signal, parts),
  };
}

// The band of one metric stands beside that metric's own figure; of a sum there is none.
function peersOf({ kind }: Signal, [series, ...others]: MetricSeries[]): Line['peers'] {
  const peers = series?.peers;
  const figure = kind === 'line' ? 'avg' : kind === 'bars' ? 'increase' : null;
  if (!peers || peers.figure !== figure || others.length > 0) return null;
  return { of: peers.of, busy: peers.under_load, low: peers.p10, mid: peers.p50, high: peers.p90 };
}

/** The line before the band of an answer that came later; buckets that only one of the two has stand without a band. */
export function withPeers(line: Line | null, other: Line | null): Line | null {
  if (!line || !other?.peers) return line;
  const at = new Map(other.t.map((t, i) => [t, i]));
  const moved = (values: Numbers) => line.t.map((t) => values[at.get(t) ?? -1] ?? null);
  const { low, mid, high } = other.peers;
  return { ...line, peers: { ...other.peers, low: moved(low), mid: moved(mid), high: moved(high) } };
}

/** The line with newer readings at its end, without those that have left the window of `seconds`. Only lines of means can grow. */
export function withLive(line: Line, signal: Signal, live: Reading[], seconds: number): Line {
  if (signal.kind !== 'line') return line;
  const lastKnown = lastTime(line);
  const fresh = live.filter((r) => Date.parse(r.at) / 1000 > lastKnown);
  if (fresh.length === 0) return line;
  const known = line.t.filter((t) => t <= lastKnown).length;
  const end = Date.parse(fresh.at(-1)!.at) / 1000;
  const from = Math.max(
    0,
    line.t.findIndex((t) => t >= end - seconds),
  );
  const y: Numbers = fresh.map((r) => r.value);
  const join = (old: Numbers, more: Numbers) => [...old.slice(from, known), ...more];
  // The band of the peers goes on as it was: it moves slowly, and a hole at its end would look like a fault.
  const on = (old: Numbers) =>
    join(
      old,
      fresh.map(() => old.slice(0, known).findLast((v) => v !== null) ?? null),
    );
  return {
    t: [...line.t.slice(from, known), ...fresh.map((r) => Date.parse(r.at) / 1000)],
    raw: join(line.raw, y),
    y: join(line.y, y),
    low: join(line.low, y),
    high: join(line.high, y),
    second: null,
    unit: line.unit,
    peers: line.peers && { ...line.peers, low: on(line.peers.low), mid: on(line.peers.mid), high: on(line.peers.high) },
  };
}

// The empty buckets at the end are not gaps yet: their readings are on the way.
function lastTime(line: Line): number {
  for (let i = line.y.length - 1; i >= 0; i--) if (line.y[i] !== null) return line.t[i]!;
  return line.t[0] ?? 0;
}

export function lastIndex(line: Line): number | null {
  const i = line.raw.findLastIndex((v) => v !== null);
  return i < 0 ? null : i;
}

/** Keeps at most `most` readings a metric, oldest out first; one that is there already is not taken twice. */
export function remember(kept: Record<string, Reading[]>, readings: Reading[], most = 4000): Record<string, Reading[]> {
  let next = kept;
  for (const r of readings) {
    const list = next[r.metric] ?? [];
    if (list.length > 0 && Date.parse(list.at(-1)!.at) >= Date.parse(r.at)) continue;
    if (next === kept) next = { ...kept };
    next[r.metric] = [...list.slice(-(most - 1)), r];
  }
  return next;
}

/** The y axis of a chart: the data, never smaller than the signal's least span. */
export function yRange(signal: Signal, low: number | null, high: number | null): [number, number] {
  if (low === null || high === null) return [0, signal.minSpan];
  if (signal.fromZero) return [0, Math.max(high * 1.08, signal.minSpan)];
  const middle = (low + high) / 2;
  const half = Math.max((high - low) * 0.58, signal.minSpan / 2);
  return [middle - half, middle + half];
}

/**
 * Buckets that are shorter than the source's interval are empty in a rhythm; those holes are joined (undefined), longer ones stay
 * gaps (null). A hole counts as rhythm when it is not longer than one and a half times the usual one.
 */
export function joined(y: Numbers): (number | null | undefined)[] {
  const holes: { from: number; to: number }[] = [];
  let last = -1;
  y.forEach((v, i) => {
    if (v === null) return;
    if (last >= 0 && i - last > 0) holes.push({ from: last + 1, to: i });
    last = i;
  });
  if (holes.length < 3) return y;
  const lengths = holes.map((h) => h.to - h.from).sort((a, b) => a - b);
  const usual = lengths[Math.floor(lengths.length / 2)]!;
  if (usual === 0) return y;
  const out: (number | null | undefined)[] = [...y];
  for (const h of holes) if (h.to - h.from <= usual * 1.5 + 1) out.fill(undefined, h.from, h.to);
  return out;
}

export interface Shown {
  number: string;
  unit: string;
}

const total = (values: Numbers) => values.reduce<number>((a, b) => a + (b ?? 0), 0);

/** What stands beside a chart's title: the value under the pointer (`i`), else the newest; of bars, else all of the window. */
export function shownValue(signal: Signal, line: Line, i: number | null): Shown {
  const at = i ?? lastIndex(line);
  if (at === null) return { number: '–', unit: '' };
  const raw = line.raw[at] ?? null;
  if (isMask(signal)) return { number: limitWords(raw), unit: '' };
  if (signal.kind === 'bars')
    return i === null ? { number: number(total(line.raw)), unit: 'in the window' } : { number: number(raw), unit: '' };
  if (signal.kind === 'share' && signal.second) return twoShares(signal.second.title, raw, line.second?.[at] ?? null);
  return amount(raw, line.unit);
}

const tight = (v: number | null) => number(v, v !== null && v > 0 && v < 10 ? 1 : 0);

function twoShares(other: string, heat: number | null, power: number | null): Shown {
  return { number: `${tight(heat)} %`, unit: power === null ? 'heat' : `heat · ${tight(power)} % ${other}` };
}

/** The part's own limit, as its readings say it; null when none is known or it is nonsense. */
export function limitOf(signal: Signal, readings: Reading[]): number | null {
  for (const name of signal.limit ?? []) {
    const found = readings.find((r) => r.metric === name && r.entity === 'gpu');
    if (found && found.value > 0) return found.value;
  }
  return null;
}

/** Every n-th bucket, so that a table of the window has at most `most` rows; the newest is one of them. */
export function tableRows(t: number[], most: number): number[] {
  const step = Math.max(1, Math.ceil(t.length / most));
  const rows: number[] = [];
  for (let i = t.length - 1; i >= 0; i -= step) rows.push(i);
  return rows;
}
