import { api, type Lift } from '../api';
import { withQuery } from '../app/router';
import { count, number } from '../lib/format';
import { chance, kMostChosen, shared } from '../lib/share';
import { Card, Empty, ErrorNote, Skeleton } from './states';
import { type Column, DataTable } from './table';
import { useData } from './use_data';

const of = (n: number, all: number) => (
  <>
    {number(n)} <span class="t3">of {number(all)}</span>
  </>
);

const kColumns: Column<Lift>[] = [
  {
    title: 'They share',
    heads: true,
    hint: (l) => l.text,
    cell: (l) => (
      <>
        <span class="t2">{l.attribute}</span> {l.value}
      </>
    ),
  },
  { title: 'Chosen', class: 'r', cell: (l) => of(l.chosen, l.of_chosen) },
  { title: 'The rest', class: 'r', cell: (l) => of(l.rest, l.of_rest) },
  { title: 'By chance', class: 'r', hint: (l) => `p = ${l.p}`, cell: (l) => chance(l.p) },
  { title: 'In words', class: 'wrap t2 wide-only', cell: (l) => l.text },
];

/** What the chosen boards have in common that the rest of the fleet has not. */
export function ShareCard({ ids }: { ids: string[] }) {
  const { value, error, reload } = useData(`explain ${ids.join()}`, (signal) => api.explain(ids, signal));
  const rows = shared(value?.items ?? []);
  return (
    <Card
      title="What do they share?"
      class="share"
      hint={`${count(ids.length, 'GPU')} chosen${ids.length === kMostChosen ? ', the most that fit into the address' : ''}`}
      tools={
        <a class="btn small" href={withQuery({ sel: null })}>
          Choose none
        </a>
      }
    >
      {error && <ErrorNote error={error} retry={reload} />}
      {!value && !error && <Skeleton rows={3} />}
      {value && rows.length === 0 && (
        <Empty>Nothing sets them apart from the rest: place, model, driver and age are as mixed as everywhere.</Empty>
      )}
      {rows.length > 0 && (
        <DataTable
          label="Table of what they share"
          testid="shared"
          columns={kColumns}
          rows={rows}
          keyOf={(l) => `${l.attribute} ${l.value}`}
        />
      )}
    </Card>
  );
}
