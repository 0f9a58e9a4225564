// Maintenance in words, and the form that starts it.
import type { Gpu, Maintenance, Me } from '../api';
import { exact } from './format';

type Places = Pick<Gpu, 'id' | 'serial' | 'uuid' | 'host' | 'rack'>;

function names(m: Maintenance, gpu: Places): boolean {
  if (m.scope === 'host') return m.target === gpu.host;
  if (m.scope === 'rack') return m.target === gpu.rack;
  return m.target === gpu.id || m.target === gpu.serial || m.target === gpu.uuid;
}

/** The window that covers this board now, by itself, its host or its rack; of several the one that holds longest. */
export function covering(windows: Maintenance[], gpu: Places): Maintenance | null {
  const end = (m: Maintenance) => (m.until === null ? Number.POSITIVE_INFINITY : Date.parse(m.until));
  const found = windows.filter((m) => m.active && names(m, gpu)).sort((a, b) => end(b) - end(a));
  return found[0] ?? null;
}

/** "2026-02-09 19:00 UTC", to the minute, or that nobody said when. */
export function untilWords(until: string | null): string {
  return until === null ? 'until it is ended' : `until ${exact(until).replace(/:\d\d UTC$/, ' UTC')}`;
}

/** How long from now: hours, or one of two words. */
export const kLengths: { value: string; text: string }[] = [
  { value: '1', text: '1 hour' },
  { value: '4', text: '4 hours' },
  { value: '24', text: '1 day' },
  { value: '168', text: '7 days' },
  { value: 'open', text: 'until it is ended' },
  { value: 'at', text: 'until a time' },
];

export type Until = { until: string | null; problem?: undefined } | { problem: string };

const iso = (ms: number) => `${new Date(ms).toISOString().slice(0, 19)}Z`;

/** What the form means. `at` is a datetime-local field's text, read as UTC: every time of this app is. */
export function untilOf(choice: string, at: string, now: number): Until {
  if (choice === 'open') return { until: null };
  if (choice !== 'at') return { until: iso(now + Number(choice) * 3_600_000) };
  const end = Date.parse(`${at}Z`);
  if (Number.isNaN(end)) return { problem: 'Say when it ends, in UTC.' };
  return end > now ? { until: iso(end) } : { problem: 'This time has passed: it must end later than now.' };
}

/** Why this visitor cannot start or end maintenance; null: they can. */
export function whyNot(me: Me | null): string | null {
  if (!me) return 'It is not known yet who you are.';
  if (me.role !== 'viewer') return null;
  return me.auth === 'loopback'
    ? 'Without a key you are a viewer; this needs the role operator.'
    : 'Your key has the role viewer; this needs the role operator.';
}
