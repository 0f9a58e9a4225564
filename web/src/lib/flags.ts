// Events as lettered flags on a time axis.
import type { GpuEvent } from '../api';
import { loudness } from './events';

export interface Flag {
  letter: string;
  at: number; // Unix seconds, of its first event
  events: GpuEvent[]; // that stand too close to be told apart, oldest first
}

const kMost = 6;
/** Events closer than this part of the window are one flag. */
const kApart = 1 / 60;

const seconds = (e: GpuEvent) => Date.parse(e.at) / 1000;
const volume = (events: GpuEvent[]) => Math.max(...events.map(loudness));

function gathered(events: GpuEvent[], apart: number): GpuEvent[][] {
  const groups: GpuEvent[][] = [];
  for (const event of events) {
    const last = groups.at(-1);
    if (last && seconds(event) - seconds(last[0]!) < apart) last.push(event);
    else groups.push([event]);
  }
  return groups;
}

/** The loudest moments between `from` and `to`, at most six, lettered in the order of time; `left` counts the other events. */
export function flagsOf(events: GpuEvent[], from: number, to: number): { flags: Flag[]; left: number } {
  const inside = events.filter((e) => seconds(e) >= from && seconds(e) <= to).sort((a, b) => seconds(a) - seconds(b));
  const groups = gathered(inside, (to - from) * kApart);
  const chosen = groups
    .map((group, i) => ({ group, i }))
    .sort((a, b) => volume(b.group) - volume(a.group) || b.i - a.i)
    .slice(0, kMost)
    .sort((a, b) => a.i - b.i);
  const flags = chosen.map(({ group }, i) => ({ letter: String.fromCharCode(65 + i), at: seconds(group[0]!), events: group }));
  return { flags, left: inside.length - flags.reduce((n, f) => n + f.events.length, 0) };
}

/** The event that speaks for a flag: the loudest, of equals the first. */
export function speaker(flag: Flag): GpuEvent {
  return flag.events.reduce((best, e) => (loudness(e) > loudness(best) ? e : best));
}

export interface Mark {
  bin: number;
  count: number;
  loud: 0 | 1 | 2;
  events: GpuEvent[];
}

/** A lane's events in `bins` equal parts of the window: a storm is one mark with its number, not a smear. */
export function marksOf(events: GpuEvent[], from: number, to: number, bins: number): Mark[] {
  const marks = new Map<number, Mark>();
  for (const event of events) {
    const at = seconds(event);
    if (at < from || at > to) continue;
    const bin = Math.min(bins - 1, Math.floor(((at - from) / (to - from)) * bins));
    const mark = marks.get(bin) ?? { bin, count: 0, loud: 0, events: [] };
    marks.set(bin, {
      bin,
      count: mark.count + 1,
      loud: Math.max(mark.loud, loudness(event)) as 0 | 1 | 2,
      events: [...mark.events, event],
    });
  }
  return [...marks.values()].sort((a, b) => a.bin - b.bin);
}
