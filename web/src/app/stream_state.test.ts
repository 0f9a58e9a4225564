import { describe, expect, it } from 'vitest';
import type { FleetSummary } from '../api';
import { isDead, kStart, liveness, reduce, retryDelayMs, type StreamState } from './stream_state';

const summary = (as_of: string, total = 8) => ({ as_of, total_gpus: total }) as FleetSummary;
const event = (name: string, data: unknown) => ({ id: '1', event: name, data: typeof data === 'string' ? data : JSON.stringify(data) });
const at = Date.parse('2026-02-09T19:00:10Z');
const live: StreamState = reduce(reduce(kStart, { kind: 'opened', at }), {
  kind: 'event',
  at,
  event: event('summary', summary('2026-02-09T19:00:06Z')),
});

describe('reduce', () => {
  it('takes each kind of event', () => {
    const cells = reduce(live, { kind: 'event', at, event: event('cells', { layout_version: 5, colour: 'health', cells: 'YWI=' }) });
    expect(cells.cells).toEqual({ layoutVersion: 5, bytes: Uint8Array.of(97, 98) });
    expect(cells.summary?.total_gpus).toBe(8);
    const gpu = reduce(live, { kind: 'event', at, event: event('gpu', { id: 'S1', score: 71 }) });
    expect(gpu.gpu).toMatchObject({ id: 'S1', score: 71 });
  });
  it('lets events pass that it cannot read', () => {
    for (const bad of [event('summary', '{"as_of":'), event('cells', { cells: '!!' }), event('novelty', {})]) {
      const next = reduce(live, { kind: 'event', at: at + 1, event: bad });
      expect(next).toEqual({ ...live, heardAt: at + 1 });
    }
  });
  it('keeps the data when the line fails, and forgets the failures when it is back', () => {
    const broken = reduce(reduce(live, { kind: 'failed', denied: false }), { kind: 'failed', denied: false });
    expect(broken).toMatchObject({ phase: 'reconnecting', failures: 2, summary: live.summary });
    expect(reduce(broken, { kind: 'opened', at })).toMatchObject({ phase: 'live', failures: 0 });
  });
  it('tells a refusal from a failure', () => expect(reduce(live, { kind: 'failed', denied: true }).phase).toBe('denied'));
  it('does not let a slow poll put the clock back', () => {
    expect(reduce(live, { kind: 'summary', summary: summary('2026-02-09T19:00:01Z', 3) }).summary?.total_gpus).toBe(8);
    expect(reduce(live, { kind: 'summary', summary: summary('2026-02-09T19:00:09Z', 3) }).summary?.total_gpus).toBe(3);
  });
});

describe('a dead line', () => {
  it('is one without a heartbeat', () => {
    expect(isDead(live, at + 34_000)).toBe(false);
    expect(isDead(live, at + 36_000)).toBe(true);
    expect(isDead(reduce(live, { kind: 'heard', at: at + 30_000 }), at + 36_000)).toBe(false);
    expect(isDead(reduce(live, { kind: 'failed', denied: false }), at + 99_000)).toBe(false);
  });
  it('is tried again, ever more patiently', () => {
    expect([1, 2, 3, 4, 5, 50].map((n) => retryDelayMs(n, 0.5))).toEqual([1000, 2000, 4000, 8000, 15000, 15000]);
    expect(retryDelayMs(1, 0)).toBeLessThan(retryDelayMs(1, 1));
  });
});

describe('liveness', () => {
  it.each([
    [kStart, at, 'wait', 'Connecting'],
    [live, at, 'ok', 'Live · 4 s ago'],
    [live, at - 4000, 'ok', 'Live · now'],
    [live, at + 27_000, 'warn', 'Stale · 31 s old'],
    [live, at + 600_000, 'warn', 'Stale · 10 min old'],
    [reduce(live, { kind: 'failed', denied: false }), at, 'warn', 'Reconnecting · data 4 s old'],
    [reduce(kStart, { kind: 'failed', denied: false }), at, 'warn', 'Reconnecting'],
    [reduce(kStart, { kind: 'failed', denied: true }), at, 'bad', 'No access'],
  ] as const)('%#', (state, now, tone, text) => expect(liveness(state, now)).toEqual({ tone, text }));
});
