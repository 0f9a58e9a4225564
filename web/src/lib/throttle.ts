// The clock-limit reasons, a bit mask. Idle and a clock that somebody set are no complaint.
// https://docs.nvidia.com/deploy/nvml-api/group__nvmlClocksEventReasons.html
const kReasons: [bit: number, text: string][] = [
  [0x4, 'power limit'],
  [0x8, 'hardware slowdown'],
  [0x20, 'heat (software)'],
  [0x40, 'heat (hardware)'],
  [0x80, 'power brake'],
];
const kHarmless: [bit: number, text: string][] = [
  [0x1, 'idle'],
  [0x2, 'clocks set by hand'],
  [0x10, 'synchronised'],
  [0x100, 'display clocks'],
];

const named = (mask: number, list: [number, string][]) => list.filter(([bit]) => (mask & bit) !== 0).map(([, text]) => text);

/** How many reasons hold the clock down; null stays null. */
export function limits(mask: number | null): number | null {
  return mask === null ? null : named(mask, kReasons).length;
}

/** "power limit, heat (hardware)"; "none" when nothing holds the clock down. */
export function limitWords(mask: number | null): string {
  if (mask === null) return '–';
  const words = named(mask, kReasons);
  if (words.length > 0) return words.join(', ');
  return named(mask, kHarmless)[0] ?? 'none';
}
