import { describe, expect, it } from 'vitest';
import type { Dimension, Gpu } from '../api';
import { lossScale, needsAction, overallLoss } from './urgency';

const gpu = (id: string, risk: string | null, in_service = true) => ({ id, risk, in_service }) as Gpu;
const part = (score: number | null, lost: number | null) => ({ score, lost }) as Dimension;

describe('needsAction', () => {
  it('counts boards in service that a critical rule struck', () => {
    const items = [gpu('a', 'high'), gpu('b', 'critical'), gpu('d', 'critical', false), gpu('e', 'critical'), gpu('f', null)];
    expect(items.filter(needsAction).map((g) => g.id)).toEqual(['b', 'e']);
  });
});

describe('lost points', () => {
  it.each([
    [[], 5],
    [[part(100, 0), part(null, null)], 5],
    [[part(58, 12.6), part(66, 8.5)], 20],
    [[part(0, 45.5)], 50],
    [[part(0, 100)], 100],
  ])('%j need an axis to %s', (parts, end) => expect(lossScale(parts)).toBe(end));
  it('of the findings sum to the loss of their dimension', () => {
    const memory = part(58, 12.6);
    expect(overallLoss(26, memory)! + overallLoss(16, memory)!).toBeCloseTo(12.6);
  });
  it('are not known for a dimension without a score', () => {
    expect(overallLoss(3, part(null, null))).toBeNull();
    expect(overallLoss(3, part(100, 0))).toBeNull();
  });
});
