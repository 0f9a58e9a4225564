import { describe, expect, it } from 'vitest';
import type { ScorePoint } from '../api';
import { neighbourPoint, scoreAt, scoreSpan, stepPath } from './score_line';

const day = 86_400;
const point = (days: number, score: number | null): ScorePoint => ({
  at: new Date(days * day * 1000).toISOString(),
  score,
  class: null,
  dimensions: {},
});
const items = [point(10, 90), point(20, 80), point(30, null), point(35, 72)];

describe('a score over time', () => {
  it.each([
    [9, null],
    [10, 90],
    [19.9, 90],
    [25, 80],
    [31, null],
    [99, 72],
  ])('on day %s is %s', (days, score) => expect(scoreAt(items, days * day)).toBe(score));

  it('has an axis of tens', () => {
    expect(scoreSpan(items)).toEqual([70, 90]);
    expect(scoreSpan([point(1, 95)])).toEqual([80, 100]);
    expect(scoreSpan([point(1, 3)])).toEqual([0, 20]);
    expect(scoreSpan([])).toEqual([80, 100]);
  });

  it('is drawn in steps, with a gap where it was not known', () => {
    const frame = { from: 10 * day, to: 40 * day, low: 70, high: 90, width: 300, height: 100 };
    expect(stepPath(items, frame)).toBe('M0 0H100V50H200M250 90H300');
    expect(stepPath(items, { ...frame, from: 22 * day, width: 180 })).toBe('M0 50H80M130 90H180');
    expect(stepPath([], frame)).toBe('');
  });

  it('is walked from change to change', () => {
    expect(neighbourPoint(items, 25 * day, -1)).toBe(20 * day);
    expect(neighbourPoint(items, 20 * day, -1)).toBe(10 * day);
    expect(neighbourPoint(items, 25 * day, 1)).toBe(30 * day);
    expect(neighbourPoint(items, 35 * day, 1)).toBeNull();
  });
});
