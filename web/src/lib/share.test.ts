import { describe, expect, it } from 'vitest';
import type { Lift } from '../api';
import { chance, choose, chosenOf, kMostChosen, shared } from './share';

describe('the choice in the address', () => {
  it('has each board once, and as many as fit', () => {
    expect(chosenOf('a,b,,a')).toEqual(['a', 'b']);
    expect(chosenOf(null)).toEqual([]);
    expect(choose(['a'], ['b', 'a'], true)).toBe('a,b');
    expect(choose(['a', 'b'], ['a', 'b'], false)).toBeNull();
    const many = Array.from({ length: 99 }, (_, i) => `s${i}`);
    expect(choose([], many, true)!.split(',')).toHaveLength(kMostChosen);
  });
});

it('shared are lifts that chance does not explain, the strangest first', () => {
  const lift = (value: string, p: number) => ({ value, p }) as Lift;
  expect(shared([lift('a', 0.2), lift('b', 0.01), lift('c', 1e-9)]).map((l) => l.value)).toEqual(['c', 'b']);
});

it.each([
  [0.7, 'likely'],
  [0.05, '1 in 20'],
  [0.0003, '1 in 3,300'],
  [1e-9, 'less than 1 in a million'],
])('chance of %s is %s', (p, words) => expect(chance(p)).toBe(words));
