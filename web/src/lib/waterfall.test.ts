import { describe, expect, it } from 'vitest';
import type { Dimension, Finding, GpuHealth } from '../api';
import { axisStart, falls, ticks, whySentence } from './waterfall';

const finding = (rule: string, lost: number): Finding => ({
  rule,
  lost,
  lost_overall: 0,
  value: 1,
  reference: 0,
  unit: null,
  window: null,
  at: '',
  text: rule,
  critical: false,
  evidence: null,
});
const part = (name: string, weight: number, score: number | null, findings: Finding[] = [], cap: number | null = null): Dimension => ({
  name,
  weight,
  score,
  lost: score === null ? null : weight * (100 - score),
  band: 'watch',
  coverage: 1,
  available: score !== null,
  note: null,
  peers_median: null,
  cap: cap === null ? null : { rule: `${name}.pending`, level: cap },
  findings: findings.map((f) => ({ ...f, lost_overall: f.lost * weight })),
});
const sick = [
  part('memory', 0.3, 58, [finding('memory.corrected', 26), finding('memory.remap_pending', 10)]),
  part('thermal', 0.25, 66, [finding('thermal.throttle', 34)]),
  part('performance', 0.2, null),
  part('power', 0.15, 70, [finding('power.spike', 30)], 70),
  part('reliability', 0.1, 100),
];
const health = (dimensions: Dimension[]): GpuHealth =>
  ({ score: 100 - dimensions.reduce((sum, d) => sum + (d.lost ?? 0), 0), dimensions }) as GpuHealth;

describe('the fall from 100', () => {
  const rows = falls(sick);
  it('goes on where the bar before ended, down to the score', () => {
    expect(rows.map((r) => r.to)).toEqual([100, 87.4, 78.9, 78.9, 74.4].map((v) => expect.closeTo(v)));
    expect(rows.at(-1)!.from).toBeCloseTo(health(sick).score!);
  });
  it('has findings that sum to the loss, the rest as other', () => {
    for (const r of rows.filter((row) => row.lost !== null)) {
      const named = r.findings.reduce((sum, f) => sum + f.lost!, 0);
      expect(named + r.other).toBeCloseTo(r.lost!);
    }
    expect(rows[0]!.other).toBeCloseTo(0.3 * 6);
    expect(rows[1]!.other).toBe(0);
  });
  it('says who capped it', () => {
    expect(rows[3]!.cap).toBe('capped at 70 by power.pending');
    expect(rows[0]!.cap).toBeNull();
  });
  it('has an axis that begins below the score', () => {
    expect(axisStart(rows)).toBe(70);
    expect(axisStart(falls([part('memory', 0.3, 100)]))).toBe(80);
    expect(axisStart(falls([part('memory', 1, 0)]))).toBe(0);
    expect(ticks(60)).toEqual([60, 70, 80, 90, 100]);
    expect(ticks(0)).toEqual([0, 20, 40, 60, 80, 100]);
  });
});

describe('the plain sentence', () => {
  it('names the two that took most, and how much the findings explain', () =>
    expect(whySentence(health(sick))).toEqual({
      main: 'Its memory has errors and it runs hot.',
      more: 'Three findings explain 20.8 of the 25.6 lost points.',
    }));
  it('is calm when nothing was lost', () =>
    expect(whySentence(health([part('memory', 0.3, 100)]))!.main).toBe('Nothing is wrong with it.'));
  it('does not cry for half a point', () =>
    expect(whySentence(health([part('power', 0.15, 98, [finding('power.spike', 2)])]))).toEqual({
      main: 'Only small losses.',
      more: 'One finding explains 0.3 of the 0.3 lost points.',
    }));
  it('is silent without a score', () => expect(whySentence({ score: null } as GpuHealth)).toBeNull());
});
