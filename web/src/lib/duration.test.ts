import { describe, expect, it } from 'vitest';
import { length, lengthOf } from './duration';
import { kDash } from './format';

const kNow = Date.parse('2026-02-09T19:00:00Z');

describe('lengths of time', () => {
  it.each([
    [0, '0 s'],
    [-5000, '0 s'],
    [45_900, '45 s'],
    [60_000, '1 min'],
    [3_723_000, '1 h 2 min'],
    [(2 * 86400 + 3 * 3600 + 59) * 1000, '2 d 3 h'],
    [405 * 86400_000, '1 y 40 d'],
    [(365 * 86400 + 3600) * 1000, '1 y'],
  ])('%s ms is %s', (ms, text) => expect(length(ms)).toBe(text));

  it('counts until now while the interval holds', () => {
    expect(lengthOf({ from: '2026-02-09T18:00:00Z', to: null }, kNow)).toBe('1 h');
    expect(lengthOf({ from: '2026-02-09T18:00:00Z', to: '2026-02-09T18:30:00Z' }, kNow)).toBe('30 min');
    expect(lengthOf({ from: '?', to: null }, kNow)).toBe(kDash);
  });
});
