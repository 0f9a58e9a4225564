import { describe, expect, it } from 'vitest';
import {
  ago,
  amount,
  axisValue,
  count,
  exact,
  kDash,
  metricName,
  number,
  percent,
  readable,
  score,
  sentence,
  shortTime,
  title,
  value,
} from './format';

const now = Date.parse('2026-02-09T19:00:00Z');

describe('numbers', () => {
  it.each([
    [null, 0, kDash],
    [undefined, 0, kDash],
    [Number.NaN, 0, kDash],
    [0, 0, '0'],
    [-0.04, 1, '0.0'],
    [-2.25, 1, '−2.3'],
    [12336, 0, '12,336'],
  ])('number(%s, %s) is %s', (v, digits, text) => expect(number(v, digits)).toBe(text));

  it.each([
    [null, kDash],
    [0, '0 %'],
    [0.001, '< 1 %'],
    [0.973, '97 %'],
    [0.9999, '99 %'],
    [1, '100 %'],
  ])('percent(%s) is %s', (v, text) => expect(percent(v)).toBe(text));

  it('rounds a score down, as its band is', () => {
    expect(score(69.9)).toBe('69');
    expect(score(null)).toBe(kDash);
  });

  it.each([
    [71.4, 'celsius', '71 °C'],
    [0.5, 'ratio', '50 %'],
    [40960, 'MiB', '40.0 GiB'],
    [3_600_000_000, 'mJ', '1.0 kWh'],
    [7, 'count', '7'],
    [1.25, 'KB/s', '1.3 KB/s'],
    [null, 'W', kDash],
  ])('value(%s, %s) is %s', (v, unit, text) => expect(value(v, unit)).toBe(text));

  it('keeps number and unit apart', () => expect(amount(643.2, 'W')).toEqual({ number: '643', unit: 'W' }));
});

describe('times', () => {
  it.each([
    ['2026-02-09T18:59:56Z', '4 s ago'],
    ['2026-02-09T18:54:00Z', '6 min ago'],
    ['2026-02-09T16:00:00Z', '3 h ago'],
    ['2026-02-01T16:00:00Z', '1 Feb 2026'],
    ['2026-02-09T19:00:05Z', 'just now'],
    [null, kDash],
    ['nonsense', kDash],
  ])('ago(%s) is %s', (at, text) => expect(ago(at, now)).toBe(text));

  it('says the exact moment in UTC', () => {
    expect(exact('2026-02-09T19:00:00.250+01:00')).toBe('2026-02-09 18:00:00 UTC');
    expect(exact(null)).toBe('not available');
  });
});

describe('words', () => {
  it('counts', () => {
    expect(count(1, 'GPU')).toBe('1 GPU');
    expect(count(0, 'host')).toBe('0 hosts');
  });
  it('capitalises', () => {
    expect(title('out_of_service')).toBe('Out of service');
    expect(sentence('a row remap waits')).toBe('A row remap waits');
  });
  it.each([
    ['DCGM_FI_DEV_GPU_TEMP', 'GPU temp'],
    ['DCGM_FI_PROF_SM_ACTIVE', 'SM active'],
    ['DCGM_FI_DEV_ECC_SBE_VOL_TOTAL', 'ECC SBE vol total'],
  ])('metricName(%s) is %s', (name, text) => expect(metricName(name)).toBe(text));
});

it('a short moment', () => {
  expect(shortTime('2026-11-26T06:48:13Z')).toBe('26 Nov 06:48');
  expect(shortTime(null)).toBe('–');
});

it.each([
  [1600, 'W', '1,600'],
  [125_000, 'MHz', '125k'],
  [51_200, 'MiB', '50'],
  [0.5, 'ratio', '50'],
  [0.25, null, '0.25'],
  [2.5, null, '2.5'],
])('%s %s stands on an axis as %s', (v, unit, text) => expect(axisValue(v, unit)).toBe(text));

describe('a sentence of the API', () => {
  it('has its moments as people read them, and nothing else changed', () => {
    expect(readable('until 2026-11-30T10:00:00Z, 4d from now')).toBe('until 30 Nov 10:00 UTC, 4d from now');
    expect(readable('2026-11-30T10:00:00.123Z and 2026-12-01T00:00:00Z')).toBe('30 Nov 10:00 UTC and 1 Dec 00:00 UTC');
    expect(readable('board 2026-11-30 stays')).toBe('board 2026-11-30 stays');
  });
});
