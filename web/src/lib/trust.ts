// How far the screen can be believed, in sentences.
import type { Coverage } from '../api';
import { count, number, percent } from './format';

/** A dimension that finds less of its inputs has no score (docs: coverage). */
const kEnough = 0.6;

/** The first sentence: who is heard. */
export function trustHeadline(c: Coverage): string {
  const silent = c.total_gpus - c.reporting_gpus;
  if (c.total_gpus === 0) return 'No GPU is known yet';
  if (silent === 0) return c.total_gpus === 1 ? 'The one GPU reports' : `All ${number(c.total_gpus)} GPUs report`;
  return `${number(c.reporting_gpus)} of ${count(c.total_gpus, 'GPU')} report`;
}

function silenceWords(c: Coverage): string | null {
  const expected = c.silent_hosts.filter((h) => h.maintenance).length;
  if (c.silent_hosts.length === 0) return null;
  const hosts = `${count(c.silent_hosts.length, 'host')} ${c.silent_hosts.length === 1 ? 'is' : 'are'} silent`;
  return expected === 0 ? hosts : `${hosts}, ${number(expected)} of them under maintenance`;
}

/** What weakens the screen, worst first; one sentence each, an empty list when nothing does. */
export function doubts(c: Coverage): string[] {
  const blind = c.dimensions.filter((d) => d.boards_available === 0).map((d) => d.name);
  return [
    silenceWords(c),
    c.conflicts.length > 0
      ? `${count(c.conflicts.length, 'claim')} ${c.conflicts.length === 1 ? 'contradicts' : 'contradict'} another`
      : null,
    c.total_gpus > 0 && blind.length > 0 ? `No GPU is scored for ${listOf(blind)}` : null,
    c.values.refused > 0 ? `${count(c.values.refused, 'value')} ${c.values.refused === 1 ? 'was' : 'were'} refused` : null,
  ].filter((s) => s !== null);
}

/** "a, b and c". */
export function listOf(words: string[]): string {
  return words.length < 2 ? words.join() : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`;
}

/** The tone of a dimension's coverage: quiet when it is enough for a score. */
export function coverageTone(share: number | null): 'plain' | 'weak' {
  return share !== null && share >= kEnough ? 'plain' : 'weak';
}

export function coverageWords(c: Coverage): string {
  if (c.coverage === null) return 'No GPU has a score yet';
  return `Scores found ${percent(c.coverage)} of what they look at`;
}

/** Refused values by reason, most first. */
export function reasons(c: Coverage): { reason: string; count: number }[] {
  return Object.entries(c.values.by_reason)
    .map(([reason, n]) => ({ reason, count: n }))
    .sort((a, b) => b.count - a.count || a.reason.localeCompare(b.reason));
}

/** What a board lacks most, least known first: "performance 0 %, power 0 %"; empty when all of it is known that is `judged`. */
export function weakest(dimensions: Record<string, number>, judged: (dimension: string) => boolean): string {
  return Object.entries(dimensions)
    .filter(([name, share]) => share < 1 && judged(name))
    .sort((a, b) => a[1] - b[1] || a[0].localeCompare(b[0]))
    .map(([name, share]) => `${name} ${percent(share)}`)
    .join(', ');
}
