import { describe, expect, it } from 'vitest';
import type { GpuEvent } from '../api';
import { flagsOf, marksOf, speaker } from './flags';

const event = (second: number, kind: string, detail = ''): GpuEvent => ({
  at: new Date(second * 1000).toISOString(),
  kind,
  gpu: 'S1',
  host: 'h1',
  detail,
});

describe('flags', () => {
  it('are lettered in the order of time, whatever order the events come in', () => {
    const { flags, left } = flagsOf([event(900, 'xid'), event(100, 'gpu_appeared'), event(5000, 'xid')], 0, 1000);
    expect(flags.map((f) => [f.letter, f.at])).toEqual([
      ['A', 100],
      ['B', 900],
    ]);
    expect(left).toBe(0);
  });
  it('gather what cannot be told apart, and the loudest speaks', () => {
    const { flags } = flagsOf([event(100, 'anomaly'), event(105, 'xid', 'the driver reported Xid 79')], 0, 1000);
    expect(flags).toHaveLength(1);
    expect(speaker(flags[0]!).kind).toBe('xid');
  });
  it('are six at most: the loudest, then the newest; the rest is counted', () => {
    const quiet = Array.from({ length: 9 }, (_, i) => event(100 + i * 50, 'anomaly'));
    const { flags, left } = flagsOf([event(50, 'xid'), ...quiet], 0, 1000);
    expect(flags.map((f) => f.at)).toEqual([50, 300, 350, 400, 450, 500]);
    expect(left).toBe(4);
  });
});

describe('marks of a lane', () => {
  it('count what falls together and keep the loudest', () =>
    expect(
      marksOf([event(10, 'anomaly'), event(12, 'xid'), event(1000, 'gpu_appeared'), event(2000, 'xid')], 0, 1000, 10).map((m) => [
        m.bin,
        m.count,
        m.loud,
      ]),
    ).toEqual([
      [0, 2, 2],
      [9, 1, 0],
    ]));
});
