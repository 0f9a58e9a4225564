// The boards that are chosen, as the address keeps them, and what they share.
import type { Lift } from '../api';

export const kMostChosen = 50;

export const chosenOf = (text: string | null): string[] => [...new Set((text ?? '').split(',').filter(Boolean))].slice(0, kMostChosen);

/** The choice with `ids` in or out, as the address keeps it; null when it is empty. */
export function choose(chosen: string[], ids: string[], on: boolean): string | null {
  const next = on ? [...new Set([...chosen, ...ids])].slice(0, kMostChosen) : chosen.filter((id) => !ids.includes(id));
  return next.length > 0 ? next.join(',') : null;
}

const kChance = 0.05;
const kRows = 8;

/** The lifts that are more than chance, the least likely first. */
export function shared(lifts: Lift[]): Lift[] {
  return lifts
    .filter((l) => l.p < kChance)
    .sort((a, b) => a.p - b.p)
    .slice(0, kRows);
}

/** "1 in 3,300": how often chance alone would do that. */
export function chance(p: number): string {
  if (p < 1e-6) return 'less than 1 in a million';
  if (p >= 0.5) return 'likely';
  const n = 1 / p;
  const digits = Math.max(0, Math.floor(Math.log10(n)) - 1);
  return `1 in ${(Math.round(n / 10 ** digits) * 10 ** digits).toLocaleString('en-US')}`;
}
