// Lengths of time in words, for lives of boards: seconds to years.
import { kDash } from './format';

const kSteps: [name: string, seconds: number][] = [
  ['y', 365 * 86400],
  ['d', 86400],
  ['h', 3600],
  ['min', 60],
  ['s', 1],
];

/** The two largest parts: "2 d 3 h", "1 y 40 d", "45 s"; nothing that lies back in time is longer than it was. */
export function length(ms: number): string {
  let rest = Math.max(0, Math.floor(ms / 1000));
  const first = kSteps.findIndex(([, seconds]) => rest >= seconds);
  if (first < 0) return '0 s';
  const parts: string[] = [];
  for (const [name, seconds] of kSteps.slice(first, first + 2)) {
    const n = Math.floor(rest / seconds);
    if (n > 0) parts.push(`${n} ${name}`);
    rest -= n * seconds;
  }
  return parts.join(' ');
}

/** How long an interval is, until `now` while it holds; a dash when a time cannot be read. */
export function lengthOf(interval: { from: string; to: string | null }, now: number): string {
  const ms = (interval.to === null ? now : Date.parse(interval.to)) - Date.parse(interval.from);
  return Number.isNaN(ms) ? kDash : length(ms);
}
