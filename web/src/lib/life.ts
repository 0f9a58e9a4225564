// A board's life in words: its ledger by kind, its warranty, its price.
import type { Interval } from '../api';
import { count, kDash, sentence } from './format';

/** In reading order: where it stood first, then who it was, what ran in it, when it was not heard. */
const kKinds: Record<string, string> = {
  slot: 'Where it stood',
  serial: 'Serial number',
  uuid: 'UUID',
  driver: 'Driver',
  vbios: 'VBIOS',
  silence: 'Silences',
  maintenance: 'Maintenance',
};

export interface LifeGroup {
  kind: string;
  title: string;
  items: Interval[]; // newest first
}

/** The ledger by kind, in reading order; kinds of later servers come last, under their own name. */
export function lifeGroups(items: Interval[]): LifeGroup[] {
  const kinds = [...new Set([...Object.keys(kKinds), ...items.map((i) => i.kind)])];
  return kinds
    .map((kind) => ({
      kind,
      title: kKinds[kind] ?? sentence(kind.replaceAll('_', ' ')),
      items: items.filter((i) => i.kind === kind).sort((a, b) => Date.parse(b.from) - Date.parse(a.from)),
    }))
    .filter((g) => g.items.length > 0);
}

export interface LifeWords {
  main: string;
  more: string;
  mono: boolean; // an identifier: set in the font that tells 0 from O
}

const kPlaceFacts = new Set(['host', 'pci_bus_id', 'slot', 'rack', 'datacenter', 'region']);

function slotWords(i: Interval): LifeWords {
  const { host, pci_bus_id: pci, slot, rack, datacenter, region } = i.facts;
  const place = [region, datacenter, rack].filter(Boolean).join(' / ');
  const others = Object.entries(i.facts).filter(([name]) => !kPlaceFacts.has(name));
  const where = pci ? `at ${pci}` : slot ? `in slot ${slot}` : '';
  const more = [where, place && `in ${place}`, ...others.map(([name, v]) => `${name} ${v}`)].filter(Boolean).join(', ');
  return { main: host || i.value.trim() || kDash, more, mono: false };
}

/** What a line of the ledger says. */
export function lifeWords(i: Interval): LifeWords {
  if (i.kind === 'slot') return slotWords(i);
  const more = Object.entries(i.facts)
    .map(([name, v]) => `${name} ${v}`)
    .join(', ');
  if (i.kind === 'maintenance') return { main: 'Under maintenance', more, mono: false };
  if (i.kind === 'silence') return { main: i.value ? `Not heard on ${i.value}` : 'Not heard', more, mono: false };
  return { main: i.value || kDash, more, mono: true };
}

export type Tone = 'plain' | 'watch' | 'over';

const kDay = 86_400_000;
const kWarnDays = 90;

/** "398 d left", "ends today", "ended 12 d ago"; null when the inventory names no warranty. */
export function warranty(until: string | null | undefined, now: number): { text: string; tone: Tone } | null {
  const end = until ? Date.parse(until) : Number.NaN;
  if (Number.isNaN(end)) return null;
  const days = Math.floor(Math.abs(end - now) / kDay);
  if (end <= now) return { text: days === 0 ? 'ended today' : `ended ${count(days, 'day')} ago`, tone: 'over' };
  return { text: days === 0 ? 'ends within a day' : `${count(days, 'day')} left`, tone: days < kWarnDays ? 'watch' : 'plain' };
}

const kUsd = new Intl.NumberFormat('en-US', { style: 'currency', currency: 'USD', maximumFractionDigits: 0 });

export function usd(v: number | null | undefined): string {
  return typeof v === 'number' && Number.isFinite(v) ? kUsd.format(v) : kDash;
}

/** A window without an end comes as one that ends a year after the answer; closer than this it has no end. */
const kEndless = 364 * kDay;

/** Windows of maintenance as intervals of a life. */
export function maintenanceIntervals(windows: { from: string; to: string }[], asOf: string): Interval[] {
  const open = (to: string) => Date.parse(to) - Date.parse(asOf) > kEndless;
  return windows.map((w) => ({ kind: 'maintenance', value: '', from: w.from, to: open(w.to) ? null : w.to, facts: {} }));
}
