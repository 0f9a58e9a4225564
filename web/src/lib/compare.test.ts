import { describe, expect, it } from 'vitest';
import type { Gpu } from '../api';
import { membersOf, stripOf, verdict } from './compare';

const gpu = (slot: number, temperature: number | null, more: Partial<Gpu> = {}) =>
  ({
    id: `S${slot}`,
    name: `h1 · GPU ${slot}`,
    host: 'h1',
    slot,
    temperature,
    memory_temperature: null,
    power: 400,
    sm_clock: 1900,
    utilisation: 98,
    silent: false,
    in_service: true,
    ...more,
  }) as Gpu;
const host = (temperatures: (number | null)[]) => temperatures.map((t, i) => gpu(i, t));
const bands = { temperature: { low: 50, high: 62 } };

describe('members', () => {
  it('are those that report', () =>
    expect(membersOf([gpu(0, 60), gpu(1, null), gpu(2, 61, { silent: true })], (g) => g.temperature).map((m) => m.label)).toEqual(['0']));
});

describe('a strip', () => {
  const members = membersOf(host([60, 60, 61, 80]), (g) => g.temperature);
  it('puts equal values beside each other', () => {
    const { dots } = stripOf(members, null, 4, 0.06, 3);
    expect(dots.map((d) => d.lane)).toEqual([0, 1, 2, 0]);
    expect(dots.every((d) => d.x >= 0 && d.x <= 1)).toBe(true);
  });
  it('is no higher than its lanes', () => {
    const { dots } = stripOf(
      membersOf(host([60, 60, 60, 60]), (g) => g.temperature),
      null,
      4,
      0.06,
      2,
    );
    expect(dots.map((d) => d.lane)).toEqual([0, 1, 0, 1]);
    expect(dots[2]!.x - dots[0]!.x).toBeCloseTo(0.06);
  });
  it('is framed by members and peers', () => {
    const strip = stripOf(members, { low: 40, high: 55 }, 4, 0.06, 3);
    expect(strip.low).toBeLessThan(40);
    expect(strip.band!.from).toBeGreaterThan(0);
    expect(strip.band!.to).toBeLessThan(strip.dots[0]!.x);
  });
});

describe('the verdict', () => {
  it('is the surroundings when most are beyond their peers', () => {
    const v = verdict(host([64, 66, 63, 70, 65, 67, 61, 66]), bands);
    expect(v.kind).toBe('surroundings');
    expect(v.text).toContain('7 of 8 run hotter');
  });
  it('is the GPU when one is far from the others', () => {
    const v = verdict(host([55, 56, 54, 75, 55, 55, 56, 54]), bands);
    expect(v).toEqual({
      kind: 'gpu',
      text: 'h1 · GPU 3 runs hotter than the others (Core temperature 75 °C): look at the GPU first.',
    });
  });
  it('finds one without peers elsewhere, too', () => expect(verdict(host([55, 56, 54, 75]), {}).kind).toBe('gpu'));
  it('names the slowest of two', () => {
    const slow = [gpu(0, 55), gpu(1, 55, { sm_clock: 1000 }), gpu(2, 55, { sm_clock: 1200 }), ...[3, 4, 5, 6, 7].map((i) => gpu(i, 55))];
    const v = verdict(slow, {});
    expect(v.kind).toBe('gpu');
    expect(v.text).toContain('h1 · GPU 1');
  });
  it('is a host of the rack, when those that stand out stand in it', () => {
    const rack = [...host([60, 61, 60, 62, 61, 60, 61]), ...[80, 82, 81, 79].map((t, i) => gpu(10 + i, t, { host: 'h2' }))];
    const v = verdict(rack, {});
    expect(v.kind).toBe('surroundings');
    expect(v.text).toContain('most of them in h2');
  });
  it('is calm when nothing stands out', () => expect(verdict(host([55, 57, 63, 56]), bands).kind).toBe('calm'));
  it('is not given for one', () => expect(verdict(host([80]), bands).kind).toBe('unknown'));
});
