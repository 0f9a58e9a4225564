import { api, type Incident } from '../api';
import { kMostOpen } from '../app/incidents';
import { now, summary } from '../app/live';
import { navigate, query, withQuery } from '../app/router';
import { count, exact, number, sentence } from '../lib/format';
import { matches } from '../lib/incident_filter';
import { byUrgency, causeWords, openFor, openWords, placeHref, reach, sureness } from '../lib/incidents';
import { incidentHref } from '../lib/places';
import { AsOf, When } from '../parts/as_of';
import { Chip, SearchBox } from '../parts/filters';
import { SeverityShape, SeverityWord } from '../parts/incident_list';
import { Card, Empty, ErrorNote, Skeleton } from '../parts/states';
import { type Column, DataTable } from '../parts/table';
import { type Data, useData, useRefresh } from '../parts/use_data';

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
      {incident.sign_says && <span class="i-sign t3">{sentence(incident.sign_says)}</span>}
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

const kStates = [
  { value: '', text: 'Open and cleared' },
  { value: 'open', text: 'Open' },
  { value: 'cleared', text: 'Cleared' },
];

const asked = (name: string) => query.value.get(name) ?? '';
const go = (changes: Record<string, string | null>) => navigate(withQuery(changes), 'replace');

function Filters() {
  return (
    <search class="filters">
      <SearchBox label="Search the incidents" placeholder="Cause, sign, host, serial" />
      <label class="pick">
        <span class="t3">State</span>
        <select value={asked('state')} onChange={(e) => go({ state: e.currentTarget.value })}>
          {kStates.map((s) => (
            <option value={s.value} key={s.value}>
              {s.text}
            </option>
          ))}
        </select>
      </label>
      <Chip name="host" />
      <Chip name="rack" />
    </search>
  );
}

function headline(items: Incident[], all: Incident[]): { main: string; detail: string } {
  if (!asked('q')) return openWords(items, items.length >= kMostOpen);
  return { main: `${number(items.length)} of ${count(all.length, 'open incident')}`, detail: openWords(items, false).detail };
}

function Nothing({ last }: { last: Incident | undefined }) {
  if (asked('q') || asked('rack') || asked('host')) return <Empty>No open incident is like that.</Empty>;
  return (
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
  );
}

function Open({ open, items, last }: { open: Data<{ items: Incident[]; as_of: string }>; items: Incident[]; last: Incident | undefined }) {
  return (
    <Card title="Open" class="c12" hint={open.value && <AsOf at={open.value.as_of} />}>
      {!open.value && !open.error && <Skeleton rows={6} />}
      {open.value && items.length === 0 && <Nothing last={last} />}
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
  );
}

/** What is wrong, worst first: where, why, and what to do next. */
export function Incidents() {
  const where = { host: asked('host'), rack: asked('rack') };
  const key = JSON.stringify(where);
  const open = useData(`open incidents ${key}`, (signal) => api.incidents({ state: 'open', limit: kMostOpen, ...where }, signal));
  const cleared = useData(`cleared incidents ${key}`, (signal) => api.incidents({ state: 'cleared', limit: kCleared, ...where }, signal));
  useRefresh(open.reload, summary.value?.as_of, 4000);
  useRefresh(cleared.reload, summary.value?.as_of, 10_000);
  const filter = (i: Incident) => matches(i, asked('q'));
  const all = open.value?.items ?? [];
  const items = byUrgency(all.filter(filter));
  const over = (cleared.value?.items ?? []).filter(filter);
  const said = open.value ? headline(items, all) : { main: 'Incidents', detail: '' };
  const state = asked('state');
  return (
    <>
      <div class="story">
        <h1>{said.main}</h1>
        <p>{said.detail}</p>
      </div>
      <Filters />
      {open.error && <ErrorNote error={open.error} retry={open.reload} />}
      <div class="grid">
        {state !== 'cleared' && <Open open={open} items={items} last={cleared.value?.items[0]} />}
        {cleared.error && <ErrorNote error={cleared.error} retry={cleared.reload} />}
        {state !== 'open' && over.length > 0 && <Cleared items={over} />}
        {state === 'cleared' && cleared.value && over.length === 0 && (
          <Card title="Cleared" class="c12">
            <Empty>No cleared incident is like that.</Empty>
          </Card>
        )}
      </div>
    </>
  );
}
