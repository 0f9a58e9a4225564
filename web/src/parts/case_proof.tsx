// Whether a repair helped: the fault before and after the action, the watch, the tests, and the parts.
import type { CaseDetail, FaultRate } from '../api';
import { now } from '../app/live';
import { faultName, outcomeName, rateShare, rateWords, stagesOf, watchOf } from '../lib/cases';
import { exact, readable, sentence, shortTime } from '../lib/format';
import { gpuHref } from '../lib/places';
import { BandShape } from './icons';
import { Card, Empty } from './states';
import { type Column, DataTable } from './table';

/** The way of a case from open to closed. */
export function Stages({ of: c }: { of: CaseDetail }) {
  return (
    <ol class="stages card" aria-label="The way of this case" data-testid="stages">
      {stagesOf(c).map((s) => (
        <li class={`is-${s.is}`} key={s.state} aria-current={s.is === 'now' ? 'step' : undefined}>
          <b>{s.text}</b>
          <span class="t3" title={s.at ? exact(s.at) : undefined}>
            {s.at ? shortTime(s.at) : s.is === 'now' ? 'now' : '–'}
          </span>
        </li>
      ))}
    </ol>
  );
}

function Rate({ name, rate, other }: { name: string; rate: FaultRate | null; other: FaultRate | null }) {
  const said = rate && rateWords(rate);
  return (
    <div class="rate">
      <span class="t2">{name}</span>
      <span class="rate-track" aria-hidden="true">
        <i style={{ width: `${rateShare(rate, other) * 100}%` }} />
      </span>
      <span class="rate-words" title={rate ? `${exact(rate.from)} to ${exact(rate.to)}` : undefined}>
        <b>{said ? said.main : 'not known'}</b> <span class="t3">{said?.detail}</span>
      </span>
    </div>
  );
}

function WatchBar({ of: c }: { of: CaseDetail }) {
  const watch = watchOf(c, now.value);
  if (!watch) return null;
  return (
    <div class="watch" data-testid="watch">
      <p>
        <b class="main">The watch</b> <span class="t2">{watch.text}</span>
      </p>
      <span class="watch-track" aria-hidden="true">
        <i style={{ width: `${watch.share * 100}%` }} />
      </span>
    </div>
  );
}

/** The fault's rate on one scale, before and after. */
export function ProofCard({ of: c }: { of: CaseDetail }) {
  return (
    <Card title="Did it help?" hint={c.fault ? `faults of the kind ${faultName(c.fault)}` : 'faults of any kind'}>
      <div class="body">
        <p class="verdict" data-testid="why-not-closed">
          {c.state === 'closed'
            ? `It is closed: ${outcomeName(c.outcome)}.`
            : c.why_not_closed
              ? readable(c.why_not_closed)
              : 'It is proven: it can be closed as helped.'}
        </p>
        <WatchBar of={c} />
        <div class="rates" data-testid="rates">
          <Rate name="Before" rate={c.before} other={c.after} />
          <Rate name="After" rate={c.after} other={c.before} />
        </div>
        {!c.after && <p class="t3">The action is not known to be done yet, so there is no time after it.</p>}
        <p class="t2 expects">
          <b class="main">Expected.</b> {sentence(c.expects)}
        </p>
      </div>
    </Card>
  );
}

type Test = CaseDetail['tests'][number];
const kTestColumns: Column<Test>[] = [
  {
    title: 'Result',
    cell: (t) => (
      <>
        <BandShape band={t.passed ? 'healthy' : 'degraded'} /> <b class="severity">{t.passed ? 'passed' : 'failed'}</b>
      </>
    ),
  },
  { title: 'Test', class: 'mono name', cell: (t) => t.name },
  { title: 'What it said', class: 'wrap t2', cell: (t) => t.detail ?? '–' },
  { title: 'When, in UTC', hint: (t) => exact(t.at), cell: (t) => shortTime(t.at) },
  { title: 'By', class: 'wide-only t2', cell: (t) => t.by ?? '–' },
];

export function TestsCard({ of: c }: { of: CaseDetail }) {
  return (
    <Card title="Tests">
      {c.tests.length === 0 && <Empty>No test is on record since it was opened.</Empty>}
      {c.tests.length > 0 && (
        <DataTable
          label="Table of tests"
          testid="tests"
          columns={kTestColumns}
          rows={[...c.tests].reverse()}
          keyOf={(t, i) => `${t.at} ${i}`}
        />
      )}
    </Card>
  );
}

const board = (serial: string | null) =>
  serial ? (
    <a class="link mono" href={gpuHref(serial, 'history')}>
      {serial}
    </a>
  ) : (
    <span class="t3">not known</span>
  );

type Part = CaseDetail['parts'][number];
const kPartColumns: Column<Part>[] = [
  { title: 'Taken out', cell: (p) => board(p.removed) },
  { title: 'Put in', cell: (p) => board(p.installed) },
  { title: 'When, in UTC', hint: (p) => exact(p.at), cell: (p) => shortTime(p.at) },
];

/** Nothing where no part was changed. */
export function PartsCard({ of: c }: { of: CaseDetail }) {
  if (c.parts.length === 0) return null;
  return (
    <Card title="Parts">
      <DataTable label="Table of parts" testid="case-parts" columns={kPartColumns} rows={c.parts} keyOf={(p, i) => `${p.at} ${i}`} />
    </Card>
  );
}
