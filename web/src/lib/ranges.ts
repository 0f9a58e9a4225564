// The window of time on screen, as the address says it: from=-7d, to=now, or moments. Seconds since 1970.
export interface Range {
  from: number;
  to: number;
  live: boolean; // ends now
  preset: string | null; // its name, when it is one of the buttons
}

export const kPresets = [
  { name: '1h', text: '1 h', seconds: 3600 },
  { name: '24h', text: '24 h', seconds: 86_400 },
  { name: '7d', text: '7 d', seconds: 7 * 86_400 },
  { name: '30d', text: '30 d', seconds: 30 * 86_400 },
  { name: '90d', text: '90 d', seconds: 90 * 86_400 },
] as const;

const kUnits: Record<string, number> = { s: 1, m: 60, h: 3600, d: 86_400, w: 7 * 86_400 };
const kShortest = 60;
const kLongest = 400 * 86_400; // what the API answers for

/** "-7d", "now", "2026-02-09T19:00:00Z" or Unix seconds; null when it is none of these. */
export function moment(text: string | null, now: number): number | null {
  if (!text) return null;
  if (text === 'now') return now;
  const back = /^-(\d+)([smhdw])$/.exec(text);
  if (back) return now - Number(back[1]) * kUnits[back[2]!]!;
  if (/^\d{9,10}(\.\d+)?$/.test(text)) return Number(text);
  const at = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(at) ? null : at / 1000;
}

/** The moment as an address says it, to the second. */
export const momentText = (seconds: number) => new Date(Math.round(seconds) * 1000).toISOString().replace('.000Z', 'Z');

/** The shortest preset that shows all of `known` seconds, a day at most: a board of an hour must not be a speck on the right. */
export function fitting(known: number): number {
  return known <= 3600 * 1.5 ? 3600 : 86_400;
}

function around(at: number, seconds: number, now: number): [number, number] {
  const to = Math.min(now, at + seconds / 2);
  return [to - seconds, to];
}

function presetOf(from: string | null, live: boolean): string | null {
  return live ? (kPresets.find((p) => from === `-${p.name}`)?.name ?? null) : null;
}

/** What the address asks for; `usual` seconds up to now without it, moved so that the moment `at` lies inside. */
export function rangeOf(query: URLSearchParams, now: number, usual: number): Range {
  const from = moment(query.get('from'), now);
  const to = moment(query.get('to'), now) ?? now;
  const at = moment(query.get('at'), now);
  if (from !== null && from < to) {
    const live = to >= now - 1;
    return { from: Math.max(from, to - kLongest), to, live, preset: presetOf(query.get('from'), live) };
  }
  if (at === null || at >= now - usual)
    return { from: now - usual, to: now, live: true, preset: kPresets.find((p) => p.seconds === usual)?.name ?? null };
  const [start, end] = around(at, usual, now);
  return { from: start, to: end, live: end >= now, preset: null };
}

export type Change = { from: string | null; to: string | null };

/** The address of a window; one that ends now and is a preset moves on with the clock. */
export function asQuery(from: number, to: number): Change {
  return { from: momentText(from), to: momentText(to) };
}

export const presetQuery = (name: string): Change => ({ from: `-${name}`, to: null });

/** The window moved by a part of its length, never beyond now. */
export function shifted(range: Range, part: number, now: number): Change {
  const length = range.to - range.from;
  const to = Math.min(now, range.to + part * length);
  return asQuery(to - length, to);
}

/** The window made longer (factor above 1) or shorter about its middle, or about the moment that is marked. */
export function zoomed(range: Range, factor: number, now: number, at: number | null): Change {
  const length = Math.min(kLongest, Math.max(kShortest, (range.to - range.from) * factor));
  const middle = at !== null && at > range.from && at < range.to ? at : (range.from + range.to) / 2;
  const [from, to] = around(middle, length, now);
  return asQuery(from, to);
}

/** A drag on a chart: null when it was no more than a click. */
export function dragged(a: number, b: number): Change | null {
  const [from, to] = [Math.min(a, b), Math.max(a, b)];
  return to - from < kShortest / 2 ? null : asQuery(from, Math.max(to, from + kShortest));
}

const kPassedOn = ['from', 'to'];

/** What a link to another page keeps of this one's window. */
export function windowOf(query: URLSearchParams): URLSearchParams {
  return new URLSearchParams([...query].filter(([name]) => kPassedOn.includes(name)));
}
