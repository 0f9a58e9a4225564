import { describe, expect, it } from 'vitest';
import type { Gpu } from '../api';
import { needsAction } from './urgency';

const gpu = (id: string, risk: string | null, in_service = true) => ({ id, risk, in_service }) as Gpu;

describe('needsAction', () => {
  it('counts boards in service that a critical rule struck', () => {
    const items = [gpu('a', 'high'), gpu('b', 'critical'), gpu('d', 'critical', false), gpu('e', 'critical'), gpu('f', null)];
    expect(items.filter(needsAction).map((g) => g.id)).toEqual(['b', 'e']);
  });
});
