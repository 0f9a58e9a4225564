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

/** In the order in which they tell: heat, then what it costs. */
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
  host: string;
  value: number;
}

/** The members with a reading of their own; a silent board shows its past. */
export function membersOf(gpus: Gpu[], of: (gpu: Gpu) => number | null): Member[] {
  return gpus.flatMap((g) => {
    const v = g.silent || !g.in_service ? null : of(g);
    return v === null ? [] : [{ id: g.id, label: g.slot === null ? '·' : `${g.slot}`, name: g.name, host: g.host, value: v }];
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

// Without peers, how far is far is what the members themselves scatter.
const kScatter = 6;

function usualOf(members: Member[], band: Band | null, gap: number): { low: number; high: number; far: number } {
  if (band) return { ...band, far: Math.max(gap, (band.high - band.low) / 2) };
  const centre = middle(members.map((m) => m.value));
  const scatter = middle(members.map((m) => Math.abs(m.value - centre)));
  return { low: centre, high: centre, far: Math.max(gap, kScatter * scatter) };
}

function sidesOf(trait: Trait, members: Member[], band: Band | null): Side[] {
  const { low, high, far } = usualOf(members, band, trait.gap);
  const above: Side | null = trait.high
    ? {
        trait,
        word: trait.high,
        beyond: band ? members.filter((m) => m.value > high) : [],
        apart: members.filter((m) => m.value > high + far),
      }
    : null;
  const below: Side | null = trait.low
    ? {
        trait,
        word: trait.low,
        beyond: band ? members.filter((m) => m.value < low) : [],
        apart: members.filter((m) => m.value < low - far),
      }
    : null;
  return [above, below].filter((s) => s !== null);
}

/** The host in which most of them stand, when they stand in more than one place and it is not chance; else null. */
function hostOf(apart: Member[], all: Gpu[]): string | null {
  if (apart.length < 3 || new Set(all.map((g) => g.host)).size < 2) return null;
  const counts = new Map<string, number>();
  for (const m of apart) counts.set(m.host, (counts.get(m.host) ?? 0) + 1);
  const [host, n] = [...counts].reduce((a, b) => (b[1] > a[1] ? b : a));
  return n >= apart.length * kMost ? host : null;
}

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
  const crowd = sides.map((s) => ({ ...s, host: hostOf(s.apart, gpus) })).find((s) => s.host !== null);
  if (crowd)
    return {
      kind: 'surroundings',
      text: `${crowd.apart.length} of ${crowd.n} run ${crowd.word} than the others (${crowd.trait.title}), most of them in ${crowd.host}: look at that host first.`,
    };
  const one = sides.find((s) => s.apart.length > 0 && s.apart.length <= Math.max(2, Math.floor(s.n * kFew)));
  if (one) return oneOf(one);
  const known = Object.keys(bands).length > 0;
  return { kind: 'calm', text: `No GPU stands apart now${known ? ', and most run like their peers elsewhere' : ' from the others'}.` };
}

function oneOf({ apart, word, trait }: Side): Verdict {
  const worst = apart.reduce((a, b) => (b.value > a.value === (word === trait.high) ? b : a));
  const reading = `${trait.title} ${value(worst.value, trait.unit)}`;
  if (apart.length === 1) return { kind: 'gpu', text: `${worst.name} runs ${word} than the others (${reading}): look at the GPU first.` };
  return {
    kind: 'gpu',
    text: `${count(apart.length, 'GPU')} run ${word} than the others, most of all ${worst.name} (${reading}): look at them first.`,
  };
}
