// Members of a host or a rack beside each other: is it one GPU, or what surrounds them?
import type { Gpu } from '../api';
import { count, value } from './format';

export interface Trait {
  id: string;
  title: string;
  unit: string;
  metric: string | null; // whose peers' band is known
  of: (gpu: Gpu) => number | null;
  gap: number; // a smaller distance is no distance
  high: string | null; // what a high value means: "hotter"; null when it means nothing
  low: string | null;
}

export const kTraits: Trait[] = [
  {
    id: 'temperature',
    title: 'Core temperature',
    unit: 'celsius',
    metric: 'DCGM_FI_DEV_GPU_TEMP',
    of: (g) => g.temperature,
    gap: 4,
    high: 'hotter',
    low: null,
  },
  {
    id: 'memory_temperature',
    title: 'HBM temperature',
    unit: 'celsius',
    metric: 'DCGM_FI_DEV_MEMORY_TEMP',
    of: (g) => g.memory_temperature,
    gap: 4,
    high: 'hotter',
    low: null,
  },
  {
    id: 'power',
    title: 'Power',
    unit: 'W',
    metric: 'DCGM_FI_DEV_POWER_USAGE',
    of: (g) => g.power,
    gap: 60,
    high: null,
    low: 'with less power',
  },
  {
    id: 'sm_clock',
    title: 'SM clock',
    unit: 'MHz',
    metric: 'DCGM_FI_DEV_SM_CLOCK',
    of: (g) => g.sm_clock,
    gap: 100,
    high: null,
    low: 'slower',
  },
  {
    id: 'utilisation',
    title: 'Utilisation',
    unit: 'percent',
    metric: 'DCGM_FI_DEV_GPU_UTIL',
    of: (g) => g.utilisation,
    gap: 20,
    high: null,
    low: null,
  },
];

/** Up to so many members have their slot in their dot, and are asked one by one. */
export const kMostLabelled = 16;

export interface Band {
  low: number;
  high: number;
}

export interface Member {
  id: string;
  label: string; // "3": short enough for a dot
  name: string;
  value: number;
}

/** The members with a reading of their own; a silent board shows its past. */
export function membersOf(gpus: Gpu[], of: (gpu: Gpu) => number | null): Member[] {
  return gpus.flatMap((g) => {
    const v = g.silent || !g.in_service ? null : of(g);
    return v === null ? [] : [{ id: g.id, label: g.slot === null ? '·' : `${g.slot}`, name: g.name, value: v }];
  });
}

export interface Dot extends Member {
  x: number; // 0..1
  lane: number; // so that equal values do not hide each other
}

export interface Strip {
  low: number;
  high: number;
  band: { from: number; to: number } | null; // 0..1
  dots: Dot[];
}

/**
 * Dots on one axis, framed by the members and their peers; dots closer than `size` (of 1) stand in another lane, and beside each
 * other when all `lanes` are taken.
 */
export function stripOf(members: Member[], band: Band | null, gap: number, size: number, lanes: number): Strip {
  const all = [...members.map((m) => m.value), ...(band ? [band.low, band.high] : [])];
  const middle = (Math.min(...all) + Math.max(...all)) / 2;
  const half = Math.max((Math.max(...all) - Math.min(...all)) * 0.54, gap * 1.5);
  const [low, high] = [middle - half, middle + half];
  const x = (v: number) => (v - low) / (high - low);
  const ends: number[] = []; // of each lane
  const dots = [...members]
    .sort((a, b) => a.value - b.value)
    .map((m): Dot => {
      const free = ends.findIndex((end) => x(m.value) - end >= size);
      const first = ends.indexOf(Math.min(...ends));
      const lane = free >= 0 ? free : ends.length < lanes ? ends.length : first;
      const at = Math.min(1, Math.max(x(m.value), (ends[lane] ?? Number.NEGATIVE_INFINITY) + size));
      ends[lane] = at;
      return { ...m, x: at, lane };
    });
  return { low, high, band: band && { from: x(band.low), to: x(band.high) }, dots };
}

export interface Verdict {
  kind: 'surroundings' | 'gpu' | 'calm' | 'unknown';
  text: string;
}

const kMost = 0.6; // of the members: not chance, for a tenth of the peers lies above the band
const kFew = 0.25;

const middle = (values: number[]) => {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) / 2)]!;
};

interface Side {
  trait: Trait;
  word: string;
  beyond: Member[]; // of the peers' band
  apart: Member[]; // far beyond it, or far from the other members
}

function sidesOf(trait: Trait, members: Member[], band: Band | null): Side[] {
  const usual = band ?? { low: middle(members.map((m) => m.value)), high: middle(members.map((m) => m.value)) };
  const far = Math.max(trait.gap, band ? (band.high - band.low) / 2 : 0);
  const sides: Side[] = [];
  if (trait.high)
    sides.push({
      trait,
      word: trait.high,
      beyond: band ? members.filter((m) => m.value > band.high) : [],
      apart: members.filter((m) => m.value > usual.high + far),
    });
  if (trait.low)
    sides.push({
      trait,
      word: trait.low,
      beyond: band ? members.filter((m) => m.value < band.low) : [],
      apart: members.filter((m) => m.value < usual.low - far),
    });
  return sides;
}

const run = (n: number) => (n === 1 ? 'runs' : 'run');

/** What the strips say, in one sentence. `bands` are the peers' middle 80 % by trait. */
export function verdict(gpus: Gpu[], bands: Record<string, Band>): Verdict {
  const sides = kTraits.flatMap((t) => {
    const members = membersOf(gpus, t.of);
    return members.length < 2 ? [] : sidesOf(t, members, bands[t.id] ?? null).map((side) => ({ ...side, n: members.length }));
  });
  if (sides.length === 0) return { kind: 'unknown', text: 'Too few of them report to compare them.' };
  const whole = sides.find((s) => s.n >= 3 && s.beyond.length >= Math.ceil(s.n * kMost));
  if (whole)
    return {
      kind: 'surroundings',
      text: `${whole.beyond.length} of ${whole.n} run ${whole.word} than their peers elsewhere (${whole.trait.title}): look at what they share first.`,
    };
  const one = sides.find((s) => s.apart.length > 0 && s.apart.length <= Math.max(2, Math.floor(s.n * kFew)));
  if (one) {
    const worst = one.apart.reduce((a, b) => (Math.abs(b.value) > Math.abs(a.value) === (one.word === one.trait.high) ? b : a));
    const who = one.apart.length === 1 ? worst.name : `${count(one.apart.length, 'GPU')}, first of all ${worst.name},`;
    return {
      kind: 'gpu',
      text: `${who} ${run(one.apart.length)} ${one.word} than the others (${one.trait.title} ${value(worst.value, one.trait.unit)}): look at the GPU first.`,
    };
  }
  return { kind: 'calm', text: 'They run alike, and like their peers elsewhere: nothing stands out now.' };
}
