// History and live readings of one signal as one series, for a chart.
import type { GpuMetrics, Numbers, Reading } from '../api';
import { limits } from './throttle';

export interface Signal {
  metric: string;
  title: string;
  kind: 'line' | 'steps';
  minSpan: number; // the least height of the y axis, so that a flat signal looks flat
  fromZero: boolean;
}

export const kSignals: Signal[] = [
  { metric: 'DCGM_FI_DEV_GPU_TEMP', title: 'GPU temperature', kind: 'line', minSpan: 12, fromZero: false },
  { metric: 'DCGM_FI_DEV_MEMORY_TEMP', title: 'Memory temperature', kind: 'line', minSpan: 12, fromZero: false },
  { metric: 'DCGM_FI_DEV_POWER_USAGE', title: 'Power', kind: 'line', minSpan: 100, fromZero: true },
  { metric: 'DCGM_FI_DEV_SM_CLOCK', title: 'SM clock', kind: 'line', minSpan: 300, fromZero: false },
  { metric: 'DCGM_FI_DEV_GPU_UTIL', title: 'Utilisation', kind: 'line', minSpan: 100, fromZero: true },
  { metric: 'DCGM_FI_DEV_CLOCK_THROTTLE_REASONS', title: 'Clock limits', kind: 'steps', minSpan: 3, fromZero: true },
  { metric: 'DCGM_FI_DEV_ECC_SBE_VOL_TOTAL', title: 'Corrected memory errors', kind: 'steps', minSpan: 4, fromZero: true },
  { metric: 'DCGM_FI_DEV_CORRECTABLE_REMAPPED_ROWS', title: 'Remapped rows', kind: 'steps', minSpan: 4, fromZero: true },
];

export interface Line {
  t: number[];
  raw: Numbers; // as read
  y: Numbers; // as drawn
  low: Numbers;
  high: Numbers;
  unit: string | null;
}

const isMask = (signal: Signal) => signal.metric === 'DCGM_FI_DEV_CLOCK_THROTTLE_REASONS';

/** The history of a signal. A mask or a counter has no mean: its last value stands for the bucket. */
export function lineOf(signal: Signal, history: GpuMetrics): Line | null {
  const s = history.series[signal.metric];
  if (!s) return null;
  const raw = signal.kind === 'steps' ? s.last : s.avg;
  const y = isMask(signal) ? raw.map(limits) : raw;
  const wide = signal.kind === 'line';
  return { t: history.t, raw, y, low: wide ? s.min : y, high: wide ? s.max : y, unit: s.unit };
}

/** The line with newer readings at its end, without those that have left the window of `seconds`. */
export function withLive(line: Line, signal: Signal, live: Reading[], seconds: number): Line {
  const lastKnown = lastTime(line);
  const fresh = live.filter((r) => Date.parse(r.at) / 1000 > lastKnown);
  if (fresh.length === 0) return line;
  const known = line.t.filter((t) => t <= lastKnown).length;
  const end = Date.parse(fresh.at(-1)!.at) / 1000;
  const from = Math.max(
    0,
    line.t.findIndex((t) => t >= end - seconds),
  );
  const raw: Numbers = fresh.map((r) => r.value);
  const y = isMask(signal) ? raw.map(limits) : raw;
  const join = (old: Numbers, more: Numbers) => [...old.slice(from, known), ...more];
  return {
    t: [...line.t.slice(from, known), ...fresh.map((r) => Date.parse(r.at) / 1000)],
    raw: join(line.raw, raw),
    y: join(line.y, y),
    low: join(line.low, y),
    high: join(line.high, y),
    unit: line.unit,
  };
}

// The empty buckets at the end are not gaps yet: their readings are on the way.
function lastTime(line: Line): number {
  for (let i = line.y.length - 1; i >= 0; i--) if (line.y[i] !== null) return line.t[i]!;
  return line.t[0] ?? 0;
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
