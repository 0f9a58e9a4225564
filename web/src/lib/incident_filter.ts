// Which incidents a list shows.
import type { Incident, Layout } from '../api';
import { causeWords } from './incidents';

const wordsOf = (i: Incident) =>
  [i.id, causeWords(i), i.cause, i.sign_says, i.place, i.gpu, i.host, i.action_says, i.severity, i.state].join(' ').toLowerCase();

/** Whether a row has all words of `q`, wherever they stand in it, and began on one of `hosts`; null: anywhere. */
export function matches(i: Incident, q: string, hosts: ReadonlySet<string> | null): boolean {
  if (hosts && !(i.host !== null && hosts.has(i.host))) return false;
  const words = wordsOf(i);
  return q
    .toLowerCase()
    .split(/\s+/)
    .every((w) => words.includes(w));
}

/** The hosts of a rack; racks of two sites may have one name. Nobody's while the layout is not known. */
export function hostsOf(layout: Pick<Layout, 'sites'> | null, rack: string, site: string): ReadonlySet<string> {
  const sites = (layout?.sites ?? []).filter((s) => !site || s.name === site);
  const racks = sites.flatMap((s) => s.racks.filter((r) => r.name === rack));
  return new Set(racks.flatMap((r) => r.hosts.map((h) => h.name)));
}
