import type { ComponentChildren } from 'preact';
import type { Gpu } from '../api';
import { now } from '../app/live';
import { ago, exact, kDash, score, sentence, value } from '../lib/format';
import { kBandNames } from './bands';
import { BandShape } from './icons';

interface Column {
  title: string;
  sort?: string; // the API's name of the order, when it has one
  right?: boolean;
  wide?: boolean; // only where there is room
  cell: (gpu: Gpu) => ComponentChildren;
}

const kColumns: Column[] = [
  {
    title: 'GPU',
    sort: 'host',
    cell: (g) => (
      <a href={`/gpus/${encodeURIComponent(g.id)}`} class="row-link">
        <BandShape band={g.band} />
        {g.name}
        <span class="vh">, {kBandNames[g.band]}</span>
      </a>
    ),
  },
  { title: 'Score', sort: 'score', right: true, cell: (g) => <b class={`t-${g.band}`}>{score(g.score)}</b> },
  { title: 'First reason', cell: (g) => <span class="reason t2">{firstReason(g)}</span> },
  { title: 'Serial', sort: 'serial', cell: (g) => <span class="mono">{g.serial ?? kDash}</span> },
  { title: 'Model', sort: 'model', cell: (g) => g.model?.replace(/^NVIDIA /, '') ?? kDash },
  { title: 'Rack', cell: (g) => g.rack ?? kDash },
  { title: 'GPU temp.', sort: 'temperature', right: true, cell: (g) => value(g.temperature, 'celsius') },
  { title: 'Power', sort: 'power', right: true, cell: (g) => value(g.power, 'W') },
  { title: 'Busy', right: true, cell: (g) => value(g.utilisation, 'percent') },
  { title: 'SM clock', right: true, wide: true, cell: (g) => value(g.sm_clock, 'MHz') },
  {
    title: 'Seen',
    sort: 'last_seen',
    right: true,
    cell: (g) => (
      <span class={g.silent ? 't-critical' : 't3'} title={exact(g.last_seen)}>
        {g.silent ? 'silent, ' : ''}
        {ago(g.last_seen, now.value)}
      </span>
    ),
  },
];

const classOf = (c: Column) => `${c.right ? 'r' : ''} ${c.wide ? 'roomy-only' : ''}`;

function firstReason(g: Gpu): string {
  if (g.top_finding) return sentence(g.top_finding);
  return g.score === null ? 'Not enough data for a score' : '';
}

function Heading({ column, sort, onSort }: { column: Column; sort: string; onSort: (sort: string) => void }) {
  const bare = sort.replace(/^-/, '');
  const active = column.sort !== undefined && bare === column.sort;
  const down = sort.startsWith('-');
  return (
    <th scope="col" class={classOf(column)} aria-sort={active ? (down ? 'descending' : 'ascending') : undefined}>
      {column.sort ? (
        <button type="button" class="sort" onClick={() => onSort(active && !down ? `-${column.sort}` : column.sort!)}>
          {column.title}
          <span aria-hidden="true">{active ? (down ? ' ↓' : ' ↑') : ''}</span>
        </button>
      ) : (
        column.title
      )}
    </th>
  );
}

export function GpuTable({ items, sort, onSort }: { items: Gpu[]; sort: string; onSort: (sort: string) => void }) {
  return (
    <table class="gpus" data-testid="gpu-table">
      <thead>
        <tr>
          {kColumns.map((c) => (
            <Heading key={c.title} column={c} sort={sort} onSort={onSort} />
          ))}
        </tr>
      </thead>
      <tbody>
        {items.map((g) => (
          <tr key={g.id}>
            {kColumns.map((c) => (
              <td key={c.title} class={classOf(c)}>
                {c.cell(g)}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
