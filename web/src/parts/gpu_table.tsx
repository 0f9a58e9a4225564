import type { Gpu } from '../api';
import { now } from '../app/live';
import { ago, exact, kDash, score, sentence, value } from '../lib/format';
import { gpuHref, rackHref } from '../lib/places';
import { kBandNames } from './bands';
import { BandShape } from './icons';
import { type Column, DataTable } from './table';

const kColumns: Column<Gpu>[] = [
  {
    title: 'GPU',
    sort: 'host',
    cell: (g) => (
      <a href={gpuHref(g.id)} class="row-link">
        <BandShape band={g.band} />
        {g.name}
        <span class="vh">, {kBandNames[g.band]}</span>
      </a>
    ),
  },
  { title: 'Score', sort: 'score', class: 'r', cell: (g) => <b class={`t-${g.band}`}>{score(g.score)}</b> },
  { title: 'First reason', cell: (g) => <span class="reason t2">{firstReason(g)}</span> },
  { title: 'Serial', sort: 'serial', cell: (g) => <span class="mono">{g.serial ?? kDash}</span> },
  { title: 'Model', sort: 'model', cell: (g) => g.model?.replace(/^NVIDIA /, '') ?? kDash },
  {
    title: 'Rack',
    cell: (g) =>
      g.rack ? (
        <a class="quiet-link" href={rackHref(g.rack, g.datacenter)}>
          {g.rack}
        </a>
      ) : (
        kDash
      ),
  },
  { title: 'GPU temp.', sort: 'temperature', class: 'r', cell: (g) => value(g.temperature, 'celsius') },
  { title: 'Power', sort: 'power', class: 'r', cell: (g) => value(g.power, 'W') },
  { title: 'Busy', class: 'r', cell: (g) => value(g.utilisation, 'percent') },
  { title: 'SM clock', class: 'r roomy-only', cell: (g) => value(g.sm_clock, 'MHz') },
  {
    title: 'Seen',
    sort: 'last_seen',
    class: 'r',
    cell: (g) => (
      <span class={g.silent ? 't-critical' : 't3'} title={exact(g.last_seen)}>
        {g.silent ? 'silent, ' : ''}
        {ago(g.last_seen, now.value)}
      </span>
    ),
  },
];

function firstReason(g: Gpu): string {
  if (g.top_finding) return sentence(g.top_finding);
  return g.score === null ? 'Not enough data for a score' : '';
}

/** Who is chosen, and what to do when a box is ticked. */
export interface Choice {
  chosen: ReadonlySet<string>;
  choose: (ids: string[], on: boolean) => void;
}

function pickColumn(items: Gpu[], { chosen, choose }: Choice): Column<Gpu> {
  const ids = items.map((g) => g.id);
  const all = ids.length > 0 && ids.every((id) => chosen.has(id));
  return {
    title: 'Choose',
    class: 'pick-cell',
    head: (
      <input type="checkbox" checked={all} aria-label="Choose all of this page" onChange={(e) => choose(ids, e.currentTarget.checked)} />
    ),
    cell: (g) => (
      <input
        type="checkbox"
        checked={chosen.has(g.id)}
        aria-label={`Choose ${g.name}`}
        onChange={(e) => choose([g.id], e.currentTarget.checked)}
      />
    ),
  };
}

interface Props {
  items: Gpu[];
  sort: string;
  onSort?: (sort: string) => void;
  choice?: Choice;
}

export function GpuTable({ items, sort, onSort, choice }: Props) {
  return (
    <DataTable
      label="Table of GPUs"
      class="gpus"
      testid="gpu-table"
      columns={choice ? [pickColumn(items, choice), ...kColumns] : kColumns}
      rows={items}
      keyOf={(g) => g.id}
      sort={sort}
      {...(onSort ? { onSort } : {})}
    />
  );
}
