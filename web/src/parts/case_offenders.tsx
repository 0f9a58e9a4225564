// What fails again and again: by serial it is the board, by slot or host what it stands in.
import { api, type Offender, type OffenderBy } from '../api';
import { summary } from '../app/live';
import { navigate, query, withQuery } from '../app/router';
import { faultName, offenderHref } from '../lib/cases';
import { number, sentence } from '../lib/format';
import { hostHref } from '../lib/places';
import { AsOf, When } from './as_of';
import { Card, Empty, ErrorNote, Skeleton } from './states';
import { type Column, DataTable } from './table';
import { useData, useRefresh } from './use_data';

const kBy: { by: OffenderBy; text: string }[] = [
  { by: 'serial', text: 'Board' },
  { by: 'slot', text: 'Slot' },
  { by: 'host', text: 'Host' },
];
const kDays = ['7', '30', '90'];
const kMost = 200;

const go = (changes: Record<string, string>) => navigate(withQuery(changes), 'replace');

function Name({ of: o, by }: { of: Offender; by: OffenderBy }) {
  const href = offenderHref(o, by);
  return href ? (
    <a class="link mono" href={href}>
      {o.name}
    </a>
  ) : (
    <span class="mono">{o.name}</span>
  );
}

const columns = (by: OffenderBy): Column<Offender>[] => [
  { title: kBy.find((b) => b.by === by)!.text, heads: true, class: 'name', cell: (o) => <Name of={o} by={by} /> },
  ...(by === 'serial'
    ? [
        {
          title: 'Host',
          class: 'wide-only',
          cell: (o: Offender) =>
            o.host ? (
              <a class="link" href={hostHref(o.host)}>
                {o.host}
              </a>
            ) : (
              '–'
            ),
        },
      ]
    : []),
  { title: 'What fails', class: 't2', cell: (o) => o.faults.map(faultName).join(', ') },
  { title: 'Incidents', class: 'r hidden-on-cards', cell: (o) => number(o.incidents) },
  { title: 'Came back', class: 'r hidden-on-cards', cell: (o) => number(o.reopened) },
  { title: 'Repairs', class: 'r hidden-on-cards', cell: (o) => number(o.cases) },
  { title: 'Relapses', class: 'r hidden-on-cards', cell: (o) => (o.relapses > 0 ? <b class="t-degraded">{number(o.relapses)}</b> : '0') },
  ...(by === 'serial' ? [] : [{ title: 'Boards', class: 'r hidden-on-cards', cell: (o: Offender) => number(o.boards) }]),
  { title: 'In words', class: 'only-on-cards t2', cell: (o) => sentence(o.says) },
  { title: 'Last', class: 't2 beside', hint: (o) => o.says, cell: (o) => <When at={o.last_at} /> },
];

function Choices({ by, days }: { by: OffenderBy; days: string }) {
  return (
    <>
      <fieldset class="seg" aria-label="What it is that fails">
        {kBy.map((b) => (
          <button type="button" key={b.by} aria-pressed={b.by === by} onClick={() => go({ of: b.by })}>
            {b.text}
          </button>
        ))}
      </fieldset>
      <fieldset class="seg" aria-label="Since when">
        {kDays.map((d) => (
          <button type="button" key={d} aria-pressed={d === days} onClick={() => go({ days: d })}>
            {d} d
          </button>
        ))}
      </fieldset>
    </>
  );
}

export function CaseOffenders() {
  const by = kBy.find((b) => b.by === query.value.get('of'))?.by ?? 'serial';
  const days = kDays.find((d) => d === query.value.get('days')) ?? '30';
  const { value, error, reload } = useData(`offenders ${by} ${days}`, (signal) => api.offenders({ by, days, limit: kMost }, signal));
  useRefresh(reload, summary.value?.as_of, 15_000);
  return (
    <Card title="Repeat offenders" hint={value && <AsOf at={value.as_of} />} tools={<Choices by={by} days={days} />}>
      {error && <ErrorNote error={error} retry={reload} />}
      {!value && !error && <Skeleton rows={6} />}
      {value?.items.length === 0 && (
        <Empty>
          No {kBy.find((b) => b.by === by)!.text.toLowerCase()} had two incidents or relapses in {days} days.
        </Empty>
      )}
      {value && value.items.length > 0 && (
        <DataTable
          label="Table of repeat offenders"
          class="offenders as-cards"
          testid="offenders"
          columns={columns(by)}
          rows={value.items}
          keyOf={(o) => o.name}
        />
      )}
    </Card>
  );
}
