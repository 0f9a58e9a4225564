// Repairs: what is open and overdue, what helped, and what fails again and again.
import { api, type RepairCase } from '../api';
import { now, summary } from '../app/live';
import { navigate, query, withQuery } from '../app/router';
import { actionName, ageOf, boardWords, hasWords, outcomeBand, outcomeName, placeName, placeOfCase } from '../lib/cases';
import { count, exact, number, sentence } from '../lib/format';
import { caseHref } from '../lib/places';
import { When } from '../parts/as_of';
import { CaseBoard } from '../parts/case_board';
import { CaseOffenders } from '../parts/case_offenders';
import { CaseStats } from '../parts/case_stats';
import { Chip, SearchBox } from '../parts/filters';
import { BandShape } from '../parts/icons';
import { Card, Empty, ErrorNote, Skeleton } from '../parts/states';
import { type Column, DataTable } from '../parts/table';
import { type Tab, Tabs } from '../parts/tabs';
import { type Data, useData, useRefresh } from '../parts/use_data';
import '../style/cases.css';

const kTabs: Tab[] = [
  { name: 'board', text: 'Board' },
  { name: 'helped', text: 'What helped' },
  { name: 'offenders', text: 'Repeat offenders' },
];
const kMost = 500;
const kClosed = 100;

const asked = (name: string) => query.value.get(name) ?? '';

function Filters({ overdue }: { overdue: number }) {
  const only = asked('due') === 'overdue';
  return (
    <search class="filters">
      <SearchBox label="Search the cases" placeholder="Symptom, action, host, serial" />
      <button
        type="button"
        class="btn"
        aria-pressed={only}
        onClick={() => navigate(withQuery({ due: only ? null : 'overdue' }), 'replace')}
      >
        Overdue {number(overdue)}
      </button>
      <Chip name="host" />
      <Chip name="gpu" />
      <span class="grow" />
      <a class="btn primary" href="/cases/new">
        Open a case
      </a>
    </search>
  );
}

function Place({ of: c }: { of: RepairCase }) {
  const href = placeOfCase(c);
  const name = placeName(c);
  return href ? (
    <a class="link" href={href}>
      {name}
    </a>
  ) : (
    <span>{name}</span>
  );
}

const kClosedColumns: Column<RepairCase>[] = [
  {
    title: 'Outcome',
    class: 'k-outcome',
    cell: (c) => (
      <>
        <BandShape band={outcomeBand(c.outcome)} /> <b class="severity">{outcomeName(c.outcome)}</b>
      </>
    ),
  },
  {
    title: 'What it was',
    class: 'wrap k-what',
    cell: (c) => (
      <a class="incident-cause" href={caseHref(c.id)}>
        {sentence(c.symptom)}
      </a>
    ),
  },
  { title: 'What was done', class: 'wrap k-done', cell: (c) => actionName(c.action) },
  { title: 'Where', class: 'k-where', cell: (c) => <Place of={c} /> },
  { title: 'Took', class: 'k-took t2', cell: (c) => ageOf(c, now.value) },
  { title: 'Closed', class: 'k-closed', hint: (c) => exact(c.changed_at), cell: (c) => <When at={c.changed_at} /> },
];

function Closed({ items, all }: { items: RepairCase[]; all: boolean }) {
  return (
    <Card title="Closed" class="closed-cases" hint={all ? count(items.length, 'case') : `the newest ${number(kClosed)}`}>
      <DataTable
        label="Table of closed cases"
        class="incidents cases-closed"
        testid="closed-cases"
        columns={kClosedColumns}
        rows={items}
        keyOf={(c) => c.id}
      />
    </Card>
  );
}

type Listed = Data<{ items: RepairCase[] }>;
const activeOf = (where: { gpu?: string; host?: string }, signal: AbortSignal) =>
  api.cases({ state: 'active', limit: kMost, ...where }, signal);
const nothing = { items: [] };

// Of a GPU or a host the server knows best, also where a board took another's place; all others are asked for once a page.
function useActive(all: Listed): Listed {
  const where = { gpu: asked('gpu'), host: asked('host') };
  const narrow = where.gpu !== '' || where.host !== '';
  const own = useData(`active cases ${JSON.stringify(where)}`, async (signal) => (narrow ? activeOf(where, signal) : nothing));
  useRefresh(own.reload, summary.value?.as_of, narrow ? 5000 : Number.POSITIVE_INFINITY);
  return narrow ? own : all;
}

function Board({ all: listed }: { all: Listed }) {
  const where = { gpu: asked('gpu'), host: asked('host') };
  const key = JSON.stringify(where);
  const active = useActive(listed);
  const closed = useData(`closed cases ${key}`, (signal) => api.cases({ state: 'closed', limit: kClosed, ...where }, signal));
  useRefresh(closed.reload, summary.value?.as_of, 15_000);
  const all = active.value?.items ?? [];
  const shown = all.filter((c) => hasWords(c, asked('q')) && (asked('due') !== 'overdue' || c.overdue));
  const over = (closed.value?.items ?? []).filter((c) => hasWords(c, asked('q')));
  return (
    <>
      <Filters overdue={all.filter((c) => c.overdue).length} />
      {active.error && <ErrorNote error={active.error} retry={active.reload} />}
      {!active.value && !active.error && <Skeleton rows={6} />}
      {active.value && shown.length === 0 && (
        <div class="card">
          <Empty>
            {all.length > 0
              ? 'No open case is like that.'
              : 'No case is open. One is opened from an incident, from a GPU’s page, or here; it ends with a proof that the repair helped.'}
          </Empty>
        </div>
      )}
      {shown.length > 0 && <CaseBoard cases={shown} />}
      {closed.error && <ErrorNote error={closed.error} retry={closed.reload} />}
      {over.length > 0 && asked('due') !== 'overdue' && <Closed items={over} all={(closed.value?.items.length ?? 0) < kClosed} />}
    </>
  );
}

export function Cases() {
  const tab = kTabs.find((t) => t.name === asked('tab'))?.name ?? 'board';
  const all = useData('active cases', (signal) => activeOf({}, signal));
  useRefresh(all.reload, summary.value?.as_of, 5000);
  const items = all.value?.items;
  const said = items ? boardWords(items, items.length >= kMost) : { main: 'Repair cases', detail: '' };
  return (
    <>
      <div class="story">
        <h1>{said.main}</h1>
        <p>{said.detail}</p>
      </div>
      <Tabs tabs={kTabs} current={tab} label="Parts of this page" />
      {tab === 'board' && <Board all={all} />}
      {tab === 'helped' && <CaseStats />}
      {tab === 'offenders' && <CaseOffenders />}
    </>
  );
}
