// From 100 down to the score: what each dimension took, and which findings it stands on.
import type { Dimension, Finding, GpuHealth } from '../api';
import { count, number, sentence, title } from './format';

export interface FindingLine {
  finding: Finding;
  lost: number | null; // of the score; null when its dimension does not count
}

export interface Fall {
  dimension: Dimension;
  lost: number | null;
  from: number; // the bar's left and right end, in points
  to: number;
  findings: FindingLine[];
  other: number; // of the loss that no finding explains
  cap: string | null; // "capped at 70 by a row remap that waits"
}

/** Below this a rest is rounding, not a reason. */
const kRest = 0.05;

const capWords = ({ cap }: Dimension) => (cap === null ? null : `capped at ${number(cap.level)} by ${cap.rule}`);

function fallOf(dimension: Dimension, from100: number): Fall {
  const lost = dimension.lost;
  const findings = dimension.findings.map((finding) => ({ finding, lost: lost === null ? null : finding.lost_overall }));
  const named = findings.reduce((sum, f) => sum + (f.lost ?? 0), 0);
  const rest = (lost ?? 0) - named;
  return {
    dimension,
    lost,
    from: from100 - (lost ?? 0),
    to: from100,
    findings,
    other: Math.abs(rest) < kRest ? 0 : rest,
    cap: capWords(dimension),
  };
}

/** The rows in the order of the profile; each bar begins where the one before ended. */
export function falls(dimensions: Dimension[]): Fall[] {
  let at = 100;
  return dimensions.map((d) => {
    const fall = fallOf(d, at);
    at = fall.from;
    return fall;
  });
}

/** Where the axis begins: in tens below the lowest point, 20 points long at least. */
export function axisStart(rows: Fall[]): number {
  const lowest = Math.min(100, ...rows.map((r) => r.from));
  return Math.max(0, Math.min(80, Math.floor((lowest - 1) / 10) * 10));
}

export function ticks(start: number): number[] {
  const step = 100 - start > 50 ? 20 : 10;
  const all: number[] = [];
  for (let at = 100; at >= start; at -= step) all.unshift(at);
  return all;
}

const kStates: Record<string, string> = {
  memory: 'its memory has errors',
  thermal: 'it runs hot',
  performance: 'it is slower than it should be',
  power: 'its power is not steady',
  reliability: 'it fails too often',
};

/** "It runs hot and its power is not steady. Two findings explain 29.5 of the 32.5 lost points." */
export function whySentence(health: GpuHealth): { main: string; more: string } | null {
  if (health.score === null) return null;
  const lost = 100 - health.score;
  if (lost < kRest) return { main: 'Nothing is wrong with it.', more: 'No rule of the profile took a point.' };
  const rows = falls(health.dimensions);
  const reasons = rows
    .filter((r) => (r.lost ?? 0) >= Math.max(1, lost / 5))
    .sort((a, b) => b.lost! - a.lost!)
    .slice(0, 2)
    .map((r) => kStates[r.dimension.name] ?? `it loses points for ${r.dimension.name}`);
  const lines = rows.flatMap((r) => r.findings.map((f) => f.lost ?? 0)).sort((a, b) => b - a);
  const top = lines.slice(0, 3).filter((l) => l >= kRest);
  const explained = top.reduce((a, b) => a + b, 0);
  const more = `${sentence(countWord(top.length))} explain${top.length === 1 ? 's' : ''} ${number(explained, 1)} of the ${number(lost, 1)} lost points.`;
  return { main: reasons.length > 0 ? `${sentence(reasons.join(' and '))}.` : 'Only small losses.', more };
}

const kWords = ['no', 'one', 'two', 'three'];
const countWord = (n: number) => `${kWords[n] ?? number(n)} ${count(n, 'finding').split(' ')[1]}`;

/** What a rule is about, for a heading: "thermal.throttle" -> "Throttle". */
export const ruleName = (rule: string) => title(rule.split('.').at(-1) ?? rule);
