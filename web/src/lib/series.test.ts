import { describe, expect, it } from 'vitest';
import type { GpuMetrics, Reading } from '../api';
import { kSignals, lineOf, remember, withLive, yRange } from './series';
import { limits, limitWords } from './throttle';

const signal = (name: string) => kSignals.find((s) => s.metric.endsWith(name))!;
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
  it('says when there is none', () => expect(lineOf(temp, history('OTHER', [1]))).toBeNull());
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
