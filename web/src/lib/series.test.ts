import { describe, expect, it } from 'vitest';
import type { GpuMetrics, Reading } from '../api';
import {
  asked,
  joined,
  kMoreSignals,
  kSignals,
  limitOf,
  lineOf,
  remember,
  shownValue,
  signalOf,
  signalWith,
  tableRows,
  withLive,
  withPeers,
  yRange,
} from './series';
import { limits, limitWords } from './throttle';

const signal = (name: string) => [...kSignals, ...kMoreSignals].find((s) => s.metric.endsWith(name))!;
const t0 = Date.parse('2026-02-09T19:00:00Z') / 1000;
const reading = (seconds: number, value: number, metric = 'DCGM_FI_DEV_GPU_TEMP'): Reading => ({
  metric,
  entity: 'gpu',
  unit: 'celsius',
  value,
  at: new Date((t0 + seconds) * 1000).toISOString(),
});

function history(metric: string, avg: (number | null)[], last = avg): GpuMetrics {
  return {
    as_of: '',
    gpu: 'S1',
    start: '',
    end: '',
    interval_s: 10,
    t: avg.map((_, i) => t0 + 10 * i),
    series: { [metric]: { unit: 'celsius', avg, min: avg.map((v) => v && v - 1), max: avg.map((v) => v && v + 1), last } },
  };
}

describe('lineOf', () => {
  const temp = signal('GPU_TEMP');
  it('takes the mean and its envelope', () => {
    const line = lineOf(temp, history(temp.metric, [60, null, 62]))!;
    expect(line.y).toEqual([60, null, 62]);
    expect(line.low).toEqual([59, null, 61]);
  });
  it('takes the last value of a mask, and counts its reasons', () => {
    const mask = signal('THROTTLE_REASONS');
    const line = lineOf(mask, history(mask.metric, [3.5, 2], [0x44, 0x1]))!;
    expect(line.raw).toEqual([0x44, 0x1]);
    expect(line.y).toEqual([2, 0]);
  });
  it('has the middle of its peers', () => {
    const h = history(temp.metric, [60, 61]);
    h.series[temp.metric]!.peers = { of: 12, under_load: true, figure: 'avg', p10: [50, 51], p50: [55, 56], p90: [58, null] };
    expect(lineOf(temp, h)!.peers).toEqual({ of: 12, busy: true, low: [50, 51], mid: [55, 56], high: [58, null] });
  });
  it('does not put a band of increases behind a mean', () => {
    const h = history(temp.metric, [60]);
    h.series[temp.metric]!.peers = { of: 3, under_load: false, figure: 'increase', p10: [0], p50: [0], p90: [1] };
    expect(lineOf(temp, h)!.peers).toBeNull();
  });
  it('takes what a counter gained, and adds up the window', () => {
    const ecc = signal('SBE_VOL_TOTAL');
    const h = history(ecc.metric, [5, 5, 9]);
    h.series[ecc.metric]!.increase = [0, null, 4];
    const bars = lineOf(ecc, h)!;
    expect(bars.y).toEqual([0, null, 4]);
    expect(shownValue(ecc, bars, null)).toEqual({ number: '4', unit: 'in the window' });
    expect(shownValue(ecc, bars, 0).number).toBe('0');
  });
  it('adds up rows, and takes a part that is missing for none', () => {
    const rows = signal('CORRECTABLE_REMAPPED_ROWS');
    const h = history('DCGM_FI_DEV_CORRECTABLE_REMAPPED_ROWS', [1, null, 2]);
    h.series.DCGM_FI_DEV_UNCORRECTABLE_REMAPPED_ROWS = { ...h.series.DCGM_FI_DEV_CORRECTABLE_REMAPPED_ROWS!, last: [1, null, null] };
    expect(lineOf(rows, h)!.y).toEqual([2, null, 2]);
  });
  it('says which part of the time a clock was held, by heat and by power', () => {
    const throttled = signal('THERMAL_VIOLATION');
    const h = history('DCGM_FI_DEV_THERMAL_VIOLATION', [0, 5e9]);
    h.series.DCGM_FI_DEV_THERMAL_VIOLATION!.unit = 'ns';
    h.series.DCGM_FI_DEV_THERMAL_VIOLATION!.increase = [0, 5e9];
    h.series.DCGM_FI_DEV_POWER_VIOLATION = { ...h.series.DCGM_FI_DEV_THERMAL_VIOLATION!, increase: [1e8, 99e9] };
    const share = lineOf(throttled, h)!;
    expect(share.y).toEqual([0, 50]);
    expect(share.second).toEqual([1, 100]);
    expect(shownValue(throttled, share, 0)).toEqual({ number: '0 %', unit: 'heat · 1.0 % power' });
  });
  it('says when there is none', () => expect(lineOf(temp, history('OTHER', [1]))).toBeNull());
});

describe('withPeers', () => {
  const temp = signal('GPU_TEMP');
  const own = lineOf(temp, history(temp.metric, [60, 61, 62]))!;
  it('takes the band of a later answer, bucket by bucket', () => {
    const peers = { of: 9, busy: false, low: [50, 51], mid: [52, 53], high: [54, 55] };
    const later = { ...own, t: [t0 + 10, t0 + 20], peers };
    expect(withPeers(own, later)!.peers).toEqual({ of: 9, busy: false, low: [null, 50, 51], mid: [null, 52, 53], high: [null, 54, 55] });
  });
  it('changes nothing without one', () => {
    expect(withPeers(own, null)).toBe(own);
    expect(withPeers(null, own)).toBeNull();
  });
});

describe('withLive', () => {
  const temp = signal('GPU_TEMP');
  const line = lineOf(temp, history(temp.metric, [60, 61, null, null]))!;
  it('joins where the history ends, and lets the empty buckets at its end go', () => {
    const joined = withLive(line, temp, [reading(5, 99), reading(25, 63)], 3600);
    expect(joined.t).toEqual([t0, t0 + 10, t0 + 25]);
    expect(joined.y).toEqual([60, 61, 63]);
    expect(joined.high).toEqual([61, 62, 63]);
  });
  it('lets go of what has left the window', () => {
    const joined = withLive(line, temp, [reading(25, 63)], 16);
    expect(joined.t).toEqual([t0 + 10, t0 + 25]);
  });
  it('changes nothing without news', () => expect(withLive(line, temp, [reading(0, 1)], 3600)).toBe(line));
});

describe('remember', () => {
  it('takes each reading once, keeps them apart by metric, and forgets the oldest', () => {
    let kept = remember({}, [reading(0, 60), reading(0, 500, 'P')]);
    expect(remember(kept, [reading(0, 60)])).toBe(kept);
    for (let i = 1; i < 10; i++) kept = remember(kept, [reading(i, 60 + i)], 4);
    expect(kept.DCGM_FI_DEV_GPU_TEMP!.map((r) => r.value)).toEqual([66, 67, 68, 69]);
    expect(kept.P).toHaveLength(1);
  });
});

describe('yRange', () => {
  it('does not make a mountain of a molehill', () => {
    const [low, high] = yRange(signal('GPU_TEMP'), 60, 60.4);
    expect(high - low).toBeGreaterThanOrEqual(12);
    expect(low).toBeLessThan(60);
  });
  it('starts bars at zero, and knows no data', () => {
    expect(yRange(signal('POWER_USAGE'), 300, 600)[0]).toBe(0);
    expect(yRange(signal('GPU_UTIL'), 3, 7)).toEqual([0, 100]);
    expect(yRange(signal('SBE_VOL_TOTAL'), null, null)).toEqual([0, 4]);
  });
});

describe('clock limits', () => {
  it.each([
    [0, 0, 'none'],
    [0x1, 0, 'idle'],
    [0x4, 1, 'power limit'],
    [0x60, 2, 'heat (software), heat (hardware)'],
    [0x81, 1, 'power brake'],
    [null, null, '–'],
  ])('%s', (mask, n, words) => {
    expect(limits(mask)).toBe(n);
    expect(limitWords(mask)).toBe(words);
  });
});

describe('holes', () => {
  it('of a slow source are joined, an outage stays a gap', () => {
    const y = [1, null, null, 2, null, null, 3, null, null, null, null, null, null, null, null, 4, null, null, 5];
    const out = joined(y);
    expect(out.slice(0, 7)).toEqual([1, undefined, undefined, 2, undefined, undefined, 3]);
    expect(out.slice(7, 15)).toEqual(Array(8).fill(null));
    expect(out.slice(15)).toEqual([4, undefined, undefined, 5]);
  });
  it('stay where the source is as fast as the buckets', () => {
    const y = [1, 2, null, 3, 4, 5];
    expect(joined(y)).toBe(y);
  });
});

describe('signals', () => {
  it('are asked for in one request', () => {
    expect(asked([...kSignals, ...kMoreSignals]).length).toBeLessThanOrEqual(32);
    expect(asked(kSignals)).toContain('DCGM_FI_DEV_GPU_UTIL');
  });
  it('are found by any of their metrics', () => {
    expect(signalWith('DCGM_FI_DEV_CLOCKS_EVENT_REASON_HW_THERM_SLOWDOWN_NS', kSignals)?.title).toBe('Throttled time');
    expect(signalWith('DCGM_FI_DEV_XID_ERRORS', kSignals)).toBeNull();
    expect(signalOf('DCGM_FI_DEV_XID_ERRORS', 'Xid').sets).toEqual([['DCGM_FI_DEV_XID_ERRORS']]);
  });
  it('know the limit of their part', () => {
    const temp = signal('GPU_TEMP');
    expect(limitOf(temp, [reading(0, 89, 'DCGM_FI_DEV_SLOWDOWN_TEMP')])).toBe(89);
    expect(limitOf(temp, [reading(0, 89, 'DCGM_FI_DEV_SLOWDOWN_TEMP'), reading(0, 87, 'DCGM_FI_DEV_GPU_MAX_OP_TEMP')])).toBe(87);
    expect(limitOf(temp, [])).toBeNull();
  });
  it('have a table of few rows, newest first', () => {
    expect(tableRows([1, 2, 3], 5)).toEqual([2, 1, 0]);
    expect(tableRows([1, 2, 3, 4, 5], 2)).toEqual([4, 1]);
  });
});
