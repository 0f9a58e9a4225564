import { describe, expect, it } from 'vitest';
import type { Dimension, Gpu } from '../api';
import { needsAction, overallLoss } from './urgency';

const gpu = (id: string, risk: string | null, in_service = true) => ({ id, risk, in_service }) as Gpu;
const part = (score: number | null, lost: number | null) => ({ score, lost }) as Dimension;

describe('needsAction', () => {
  it('counts boards in service that a critical rule struck', () => {
    const items = [gpu('a', 'high'), gpu('b', 'critical'), gpu('d', 'critical', false), gpu('e', 'critical'), gpu('f', null)];
    expect(items.filter(needsAction).map((g) => g.id)).toEqual(['b', 'e']);
  });
});

describe('lost points', () => {
  it('of the findings sum to the loss of their dimension', () => {
    const memory = part(58, 12.6);
    expect(overallLoss(26, memory)! + overallLoss(16, memory)!).toBeCloseTo(12.6);
  });
  it('are not known for a dimension without a score', () => {
    expect(overallLoss(3, part(null, null))).toBeNull();
    expect(overallLoss(3, part(100, 0))).toBeNull();
  });
});
