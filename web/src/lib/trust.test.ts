import { describe, expect, it } from 'vitest';
import type { Coverage } from '../api';
import { coverageTone, coverageWords, doubts, listOf, reasons, trustHeadline, weakest } from './trust';

function coverage(with_: Partial<Coverage>): Coverage {
  return {
    as_of: '2026-02-09T19:00:00Z',
    coverage: 1,
    total_gpus: 8,
    reporting_gpus: 8,
    dimensions: [{ name: 'memory', coverage: 1, boards_available: 8, missing: [] }],
    models: [],
    silent_hosts: [],
    silent_gpus: [],
    conflicts: [],
    values: { accepted: 10, refused: 0, by_reason: {} },
    items: [],
    ...with_,
  };
}
const silent = (host: string, maintenance: boolean) => ({ host, last_answer: null, boards: 8, error: null, maintenance });
const conflict = { kind: 'claimed_twice', id: 'S1', claims: 'a and b', detail: '', since: '', last: '' };

describe('who is heard', () => {
  it.each([
    [0, 0, 'No GPU is known yet'],
    [1, 1, 'The one GPU reports'],
    [8, 8, 'All 8 GPUs report'],
    [8, 7, '7 of 8 GPUs report'],
  ])('%s known, %s reporting', (total_gpus, reporting_gpus, text) =>
    expect(trustHeadline(coverage({ total_gpus, reporting_gpus }))).toBe(text),
  );
});

describe('doubts', () => {
  it('are none when all is well', () => expect(doubts(coverage({}))).toEqual([]));

  it('come worst first', () => {
    const c = coverage({
      silent_hosts: [silent('a', false), silent('b', true)],
      conflicts: [conflict],
      dimensions: [
        { name: 'power', coverage: 0, boards_available: 0, missing: [] },
        { name: 'performance', coverage: 0, boards_available: 0, missing: [] },
      ],
      values: { accepted: 1, refused: 1, by_reason: { sentinel: 1 } },
    });
    expect(doubts(c)).toEqual([
      '2 hosts are silent, 1 of them under maintenance',
      '1 claim contradicts another',
      'No GPU is scored for power and performance',
      '1 value was refused',
    ]);
  });
});

it('says how much scores found', () => {
  expect(coverageWords(coverage({ coverage: 0.554 }))).toBe('Scores found 55 % of what they look at');
  expect(coverageWords(coverage({ coverage: null }))).toBe('No GPU has a score yet');
  expect([coverageTone(0.6), coverageTone(0.59), coverageTone(null)]).toEqual(['plain', 'weak', 'weak']);
});

it('lists words', () => {
  expect(listOf([])).toBe('');
  expect(listOf(['a'])).toBe('a');
  expect(listOf(['a', 'b', 'c'])).toBe('a, b and c');
});

it('sorts reasons by count, and what a board lacks by how much', () => {
  const c = coverage({ values: { accepted: 0, refused: 6, by_reason: { future: 1, sentinel: 4, duplicate: 1 } } });
  expect(reasons(c).map((r) => r.reason)).toEqual(['sentinel', 'duplicate', 'future']);
  const all = () => true;
  expect(weakest({ memory: 1, thermal: 0.5, power: 0 }, all)).toBe('power 0 %, thermal 50 %');
  expect(weakest({ thermal: 0.5, power: 0 }, (name) => name !== 'power')).toBe('thermal 50 %');
  expect(weakest({ memory: 1 }, all)).toBe('');
});
