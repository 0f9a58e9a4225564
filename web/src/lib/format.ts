// Numbers, times and names in the words of this app. A value that is not known is a dash, never 0.

export const kDash = '–';
export const kNotAvailable = 'not available';

type Maybe = number | null | undefined;
const known = (v: Maybe): v is number => typeof v === 'number' && Number.isFinite(v);

// One fixed locale: the same page reads the same everywhere, and in the tests.
const formats = new Map<number, Intl.NumberFormat>();
function formatter(digits: number): Intl.NumberFormat {
  let format = formats.get(digits);
  if (!format) {
    format = new Intl.NumberFormat('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits });
    formats.set(digits, format);
  }
  return format;
}

export function number(v: Maybe, digits = 0): string {
  if (!known(v)) return kDash;
  // -0.04 with one digit is 0.0, not -0.0.
  const rounded = Math.abs(v) < 0.5 * 10 ** -digits ? 0 : v;
  return formatter(digits).format(rounded).replace('-', '−');
}

/** 0.973 -> "97 %"; a share below 1 that would round up to 100 % stays 99 %. */
export function percent(share: Maybe): string {
  if (!known(share)) return kDash;
  const whole = Math.round(share * 100);
  if (whole === 100 && share < 1) return '99 %';
  if (whole === 0 && share > 0) return '< 1 %';
  return `${number(whole)} %`;
}

/** A score as lists show it: whole points, rounded down as its band is (69.9 is not yet 70). */
export function score(v: Maybe): string {
  return known(v) ? number(Math.floor(v)) : kDash;
}

interface Unit {
  label: string;
  digits: number;
  factor?: number;
}
const kUnits: Record<string, Unit> = {
  celsius: { label: '°C', digits: 0 },
  W: { label: 'W', digits: 0 },
  MHz: { label: 'MHz', digits: 0 },
  percent: { label: '%', digits: 0 },
  ratio: { label: '%', digits: 0, factor: 100 },
  count: { label: '', digits: 0 },
  MiB: { label: 'GiB', digits: 1, factor: 1 / 1024 },
  'MiB/s': { label: 'GiB/s', digits: 1, factor: 1 / 1024 },
  'B/s': { label: 'GiB/s', digits: 1, factor: 1 / 1024 ** 3 },
  J: { label: 'kWh', digits: 1, factor: 1 / 3.6e6 },
  mJ: { label: 'kWh', digits: 1, factor: 1 / 3.6e9 },
  us: { label: 's', digits: 1, factor: 1e-6 },
  ns: { label: 's', digits: 1, factor: 1e-9 },
};

// Words of the catalogue that say how a number is coded, not what it counts.
const kNoUnits = new Set(['enum', 'bitmask', 'bool', 'id', 'code', 'index', 'packed', 'text', 'version', 'xid', 'sxid', 'unstated']);

/** How a unit of the API is shown: its label, and by what to multiply. */
export function unitOf(unit: string | null): { label: string; factor: number; digits: number | null } {
  const known = unit ? kUnits[unit] : undefined;
  if (known) return { label: known.label, factor: known.factor ?? 1, digits: known.digits };
  return {
    label: unit && !kNoUnits.has(unit) ? unit : '',
    factor: 1,
    digits: null,
  };
}

/** Number and unit apart, for places that set them in different sizes. */
export function amount(v: Maybe, unit: string | null): { number: string; unit: string } {
  if (!known(v)) return { number: kDash, unit: '' };
  const { label, factor, digits } = unitOf(unit);
  const shown = v * factor;
  return { number: number(shown, digits ?? (Number.isInteger(shown) ? 0 : 1)), unit: label };
}

/** A value on an axis, short: in the unit's usual size, thousands as "12k". */
export function axisValue(v: number, unit: string | null): string {
  const shown = v * unitOf(unit).factor;
  if (Math.abs(shown) >= 10_000) return `${number(shown / 1000)}k`;
  return number(shown, Number.isInteger(Number(shown.toFixed(6))) ? 0 : Math.abs(shown) < 1 ? 2 : 1);
}

export function value(v: Maybe, unit: string | null): string {
  const a = amount(v, unit);
  return a.unit ? `${a.number} ${a.unit}` : a.number;
}

/** "4 s ago", "6 min ago", "3 h ago"; a date when over a day; "just now" for a moment that lies ahead by clock skew. */
export function ago(at: string | null, now: number): string {
  const then = at ? Date.parse(at) : Number.NaN;
  if (Number.isNaN(then)) return kDash;
  const seconds = Math.floor((now - then) / 1000);
  if (seconds < 1) return 'just now';
  return seconds < 86400 ? `${span(seconds)} ago` : day(at);
}

export function span(seconds: number): string {
  if (seconds < 60) return `${Math.floor(seconds)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86400)} d`;
}

export function day(at: string | null): string {
  const then = at ? new Date(at) : null;
  if (!then || Number.isNaN(then.getTime())) return kDash;
  return then.toLocaleDateString('en-GB', { day: 'numeric', month: 'short', year: 'numeric', timeZone: 'UTC' });
}

/** The exact moment, for titles: "2026-02-09 19:00:00 UTC". */
export function exact(at: string | null): string {
  const then = at ? new Date(at) : null;
  if (!then || Number.isNaN(then.getTime())) return kNotAvailable;
  return `${then.toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}

/** A moment of this year, for places without room: "26 Nov 06:48", in UTC. */
export function shortTime(at: string | null): string {
  const then = at ? new Date(at) : null;
  if (!then || Number.isNaN(then.getTime())) return kDash;
  const date = then.toLocaleDateString('en-GB', { day: 'numeric', month: 'short', timeZone: 'UTC' });
  return `${date} ${then.toISOString().slice(11, 16)}`;
}

/** A sentence of the API with its moments as people read them: "until 30 Nov 10:00 UTC". */
export const readable = (text: string) => text.replace(/\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g, (at) => `${shortTime(at)} UTC`);

export function count(n: number, singular: string): string {
  return `${number(n)} ${singular}${n === 1 ? '' : 's'}`;
}

export const title = (word: string) => word.charAt(0).toUpperCase() + word.slice(1).replaceAll('_', ' ');

/** Sentences of the API begin small because they also stand after a colon. */
export const sentence = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);

const kShort = new Set([
  'gpu',
  'sm',
  'ecc',
  'sbe',
  'dbe',
  'fb',
  'pcie',
  'xid',
  'nvlink',
  'crc',
  'uuid',
  'ecc',
  'bar1',
  'vgpu',
  'mig',
  'hbm',
  'dram',
  'fp16',
  'fp32',
  'fp64',
  'tx',
  'rx',
]);

/** "DCGM_FI_DEV_GPU_TEMP" -> "GPU temp". */
export function metricName(name: string): string {
  const bare = name
    .replace(/^DCGM_FI_/, '')
    .replace(/^(DEV|PROF)_/, '')
    .replace(/^dcgm_/, '');
  const words = bare
    .toLowerCase()
    .split('_')
    .map((w) => (kShort.has(w) ? w.toUpperCase() : w));
  return sentence(words.join(' '));
}
