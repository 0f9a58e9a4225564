import { describe, expect, it } from 'vitest';
import type { Interval } from '../api';
import { kDash } from './format';
import { lifeGroups, lifeWords, maintenanceIntervals, usd, warranty } from './life';

const kNow = Date.parse('2026-02-09T19:00:00Z');

function interval(kind: string, value: string, from: string, facts: Record<string, string> = {}): Interval {
  return { kind, value, from, to: null, facts };
}

describe('a ledger by kind', () => {
  it('keeps the reading order, newest first inside a kind, and kinds it does not know last', () => {
    const groups = lifeGroups([
      interval('driver', '570.1', '2026-01-01T00:00:00Z'),
      interval('owner_team', 'ml', '2026-01-01T00:00:00Z'),
      interval('slot', 'a', '2025-01-01T00:00:00Z'),
      interval('slot', 'b', '2026-01-01T00:00:00Z'),
    ]);
    expect(groups.map((g) => g.title)).toEqual(['Where it stood', 'Driver', 'Owner team']);
    expect(groups[0]!.items.map((i) => i.value)).toEqual(['b', 'a']);
  });

  it('is empty for a board without a life', () => expect(lifeGroups([])).toEqual([]));
});

describe('a line of the ledger', () => {
  it.each([
    [
      { host: 'h1', pci_bus_id: '0000:18:00.0', rack: 'r1', datacenter: 'fra1', region: 'eu' },
      { main: 'h1', more: 'at 0000:18:00.0, in eu / fra1 / r1', mono: false },
    ],
    [
      { host: 'h1', pci_bus_id: '', slot: '3' },
      { main: 'h1', more: 'in slot 3', mono: false },
    ],
    [
      { host: 'h1', pci_bus_id: '', tray: '7' },
      { main: 'h1', more: 'tray 7', mono: false },
    ],
    [{}, { main: 'h1 slot', more: '', mono: false }],
  ])('slot with %j', (facts, words) =>
    expect(lifeWords(interval('slot', 'h1 slot ', '2026-01-01T00:00:00Z', facts as Record<string, string>))).toEqual(words),
  );

  it('says silences in words and names as they are', () => {
    expect(lifeWords(interval('silence', 'h1', '2026-01-01T00:00:00Z')).main).toBe('Not heard on h1');
    expect(lifeWords(interval('uuid', 'GPU-1', '2026-01-01T00:00:00Z'))).toEqual({ main: 'GPU-1', more: '', mono: true });
    expect(lifeWords(interval('driver', '', '2026-01-01T00:00:00Z')).main).toBe(kDash);
  });
});

it('takes a window without an end for what it is', () => {
  const from = '2026-02-09T18:00:00Z';
  const as_of = '2026-02-09T19:00:00Z';
  const windows = [
    { from, to: '2026-02-09T20:00:00Z' },
    { from, to: '2027-02-09T19:00:00Z' },
  ];
  expect(maintenanceIntervals(windows, as_of).map((i) => i.to)).toEqual(['2026-02-09T20:00:00Z', null]);
  expect(lifeWords(maintenanceIntervals(windows, as_of)[0]!).main).toBe('Under maintenance');
});

describe('warranty', () => {
  it.each([
    ['2028-02-10T00:00:00Z', { text: '730 days left', tone: 'plain' }],
    ['2026-03-09T19:00:00Z', { text: '28 days left', tone: 'watch' }],
    ['2026-02-10T00:00:00Z', { text: 'ends within a day', tone: 'watch' }],
    ['2026-02-09T19:00:00Z', { text: 'ended today', tone: 'over' }],
    ['2026-02-08T18:00:00Z', { text: 'ended 1 day ago', tone: 'over' }],
  ])('until %s', (until, expected) => expect(warranty(until, kNow)).toEqual(expected));

  it('is not made up', () => {
    expect(warranty(null, kNow)).toBeNull();
    expect(warranty('soon', kNow)).toBeNull();
  });
});

it('prices are whole dollars', () => {
  expect(usd(25000.4)).toBe('$25,000');
  expect(usd(null)).toBe(kDash);
});
