import { api, type Incident } from '../api';
import { kMostOpen } from '../app/incidents';
import { now, summary } from '../app/live';
import { count, exact, number, sentence } from '../lib/format';
import { byUrgency, causeWords, openFor, openWords, placeHref, reach, sureness } from '../lib/incidents';
import { incidentHref } from '../lib/places';
import { AsOf, When } from '../parts/as_of';
import { SeverityShape, SeverityWord } from '../parts/incident_list';
import { Card, Empty, ErrorNote, Skeleton } from '../parts/states';
import { type Column, DataTable } from '../parts/table';
import { useData, useRefresh } from '../parts/use_data';

const kCleared = 100;

function Where({ incident }: { incident: Incident }) {
  const href = placeHref(incident);
  const [what = '', host] = incident.place.split(' on ');
  if (!href) return <>{sentence(incident.place)}</>;
  return (
    <>
      <a class="link" href={href}>
        {sentence(what)}
      </a>
      {host && (
        <>
          {' '}
          <span class="t3 whole">on {host}</span>
        </>
      )}
    </>
  );
}

function Cause({ incident }: { incident: Incident }) {
  const sure = sureness(incident);
  return (
    <>
      <a class="incident-cause" href={incidentHref(incident.id)}>
        {causeWords(incident)}
      </a>
      {sure && <span class="sure"> {sure}</span>}
    </>
  );
}

const kHow: Column<Incident> = {
  title: 'How bad',
  class: 'i-how',
  cell: (i) => (
    <>
      <SeverityShape severity={i.severity} /> <SeverityWord severity={i.severity} />
    </>
  ),
};
const kWhy: Column<Incident> = { title: 'What it is, and how sure', class: 'wrap i-cause', cell: (i) => <Cause incident={i} /> };
const kWhere: Column<Incident> = { title: 'Where', class: 'i-where', cell: (i) => <Where incident={i} /> };
const kReach: Column<Incident> = { title: 'Affected', class: 'i-reach t2', cell: reach };
const kNext: Column<Incident> = { title: 'Next step', class: 'wrap i-next', cell: (i) => sentence(i.action_says) };

const kOpenColumns: Column<Incident>[] = [
  kHow,
  kWhy,
  kNext,
  kWhere,
  kReach,
  {
    title: 'Since',
    class: 'i-since',
    hint: (i) => exact(i.opened_at),
    cell: (i) => (
      <>
        {openFor(i, now.value)}
        {i.reopened > 0 && <span class="t3">, back {count(i.reopened, 'time')}</span>}
      </>
    ),
  },
];

const kClearedColumns: Column<Incident>[] = [
  kHow,
  kWhy,
  kWhere,
  kReach,
  { title: 'Cleared', class: 'i-since', cell: (i) => <When at={i.changed_at} /> },
];

function Cleared({ items }: { items: Incident[] }) {
  return (
    <Card title="Cleared" class="c12" hint={items.length === kCleared ? `the newest ${number(kCleared)}` : count(items.length, 'incident')}>
      <DataTable
        label="Table of cleared incidents"
        class="incidents"
        testid="cleared-incidents"
        columns={kClearedColumns}
        rows={items}
        keyOf={(i) => i.id}
      />
    </Card>
  );
}

/** What is wrong, worst first: where, why, and what to do next. */
export function Incidents() {
  const open = useData('open incidents', (signal) => api.incidents({ state: 'open', limit: kMostOpen }, signal));
  const cleared = useData('cleared incidents', (signal) => api.incidents({ state: 'cleared', limit: kCleared }, signal));
  useRefresh(open.reload, summary.value?.as_of, 4000);
  useRefresh(cleared.reload, summary.value?.as_of, 10_000);
  const items = byUrgency(open.value?.items ?? []);
  const said = open.value ? openWords(items, items.length >= kMostOpen) : { main: 'Incidents', detail: '' };
  const last = cleared.value?.items[0];
  return (
    <>
      <div class="story">
        <h1>{said.main}</h1>
        <p>{said.detail}</p>
      </div>
      {open.error && <ErrorNote error={open.error} retry={open.reload} />}
      <div class="grid">
        <Card title="Open" class="c12" hint={open.value && <AsOf at={open.value.as_of} />}>
          {!open.value && !open.error && <Skeleton rows={6} />}
          {open.value && items.length === 0 && (
            <Empty>
              No incident is open.{' '}
              {last ? (
                <>
                  The last one was cleared <When at={last.changed_at} />.
                </>
              ) : (
                'None was ever opened.'
              )}
            </Empty>
          )}
          {items.length > 0 && (
            <DataTable
              label="Table of open incidents"
              class="incidents"
              testid="incidents"
              columns={kOpenColumns}
              rows={items}
              keyOf={(i) => i.id}
            />
          )}
        </Card>
        {cleared.error && <ErrorNote error={cleared.error} retry={cleared.reload} />}
        {cleared.value && cleared.value.items.length > 0 && <Cleared items={cleared.value.items} />}
      </div>
    </>
  );
}
