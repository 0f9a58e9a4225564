import { api, type Quarantine as Held, type QuarantineSample } from '../api';
import { summary } from '../app/live';
import { navigate, query, withQuery } from '../app/router';
import { count, exact, kDash, metricName, number, title } from '../lib/format';
import { Card, Empty, ErrorNote, Skeleton } from '../parts/states';
import { type Column, DataTable } from '../parts/table';
import { useData, useRefresh } from '../parts/use_data';

const kPage = 100;
// The contract's words, in its order.
const kReasons = [
  'sentinel',
  'not_finite',
  'out_of_range',
  'impossible_rate',
  'future',
  'too_old',
  'duplicate',
  'unknown_identity',
  'unparsable',
  'conversion_error',
];

const go = (changes: Record<string, string | null>) => navigate(withQuery({ cursor: null, ...changes }));

function headline(refused: number): string {
  return refused === 0 ? 'No value was refused' : `${count(refused, 'value')} ${refused === 1 ? 'was' : 'were'} refused`;
}

function ReasonFilter() {
  return (
    <label class="pick">
      <span class="t3">Reason</span>
      <select value={query.value.get('reason') ?? ''} onChange={(e) => go({ reason: e.currentTarget.value })}>
        <option value="">All</option>
        {kReasons.map((r) => (
          <option value={r} key={r}>
            {title(r)}
          </option>
        ))}
      </select>
    </label>
  );
}

const kCountColumns: Column<Held['items'][number]>[] = [
  { title: 'Source', class: 'mono', cell: (i) => i.source },
  { title: 'Metric', hint: (i) => i.metric, cell: (i) => (i.metric ? metricName(i.metric) : 'not a metric') },
  { title: 'Reason', cell: (i) => title(i.reason) },
  { title: 'Values', class: 'r', cell: (i) => number(i.count) },
];

const metricOf = (s: QuarantineSample) => (s.metric ? metricName(s.metric) : 'not a metric') + (s.entity === 'gpu' ? '' : ` ${s.entity}`);

const kSampleColumns: Column<QuarantineSample>[] = [
  { title: 'Last', hint: (s) => (s.count > 1 ? `first ${exact(s.first)}` : undefined), cell: (s) => exact(s.at) },
  { title: 'GPU', class: 'mono', cell: (s) => s.gpu ?? s.host ?? kDash },
  { title: 'Metric', hint: (s) => s.metric ?? undefined, cell: metricOf },
  { title: 'Value on the page', class: 'mono r', cell: (s) => s.value || kDash },
  { title: 'Reason', cell: (s) => title(s.reason) },
  { title: 'Held as', class: 'r', cell: (s) => (s.replayable ? 'kept' : `${number(s.count)} times`) },
  { title: 'Source', class: 'mono', cell: (s) => s.source },
];

function Counts({ items }: { items: Held['items'] }) {
  if (items.length === 0) return <Empty>Nothing here: every value that was read so far is plausible.</Empty>;
  return (
    <DataTable label="Table of refused values" columns={kCountColumns} rows={items} keyOf={(i) => `${i.source} ${i.metric} ${i.reason}`} />
  );
}

function Samples({ samples }: { samples: QuarantineSample[] }) {
  if (samples.length === 0) return <Empty>None is held.</Empty>;
  return <DataTable label="Table of held values" tall={true} columns={kSampleColumns} rows={samples} keyOf={(s) => `${s.id}`} />;
}

/** What the server read and did not believe: nothing of it reaches a score. */
export function Quarantine() {
  const asked = { reason: query.value.get('reason'), cursor: query.value.get('cursor'), limit: kPage };
  const { value, error, reload } = useData(`quarantine ${asked.reason} ${asked.cursor}`, (signal) => api.quarantine(asked, signal));
  useRefresh(reload, summary.value?.as_of, 5000);
  return (
    <>
      <div class="story">
        <h1>{value ? headline(value.refused) : 'Refused values'}</h1>
        <p>
          Each value is checked when it is read; one that cannot be true is kept out of every score and chart
          {value && `. ${number(value.accepted)} were accepted since the start`}.
        </p>
      </div>
      {error && <ErrorNote error={error} retry={reload} />}
      {!value && !error && <Skeleton rows={6} />}
      {value && (
        <>
          <Card title="By source, metric and reason" hint="all that is remembered">
            <Counts items={value.items} />
          </Card>
          <Card
            title="The values themselves"
            hint={`${number(value.kept)} could be judged again: ghm quarantine replay`}
            tools={<ReasonFilter />}
          >
            <Samples samples={value.samples} />
            {(value.next || asked.cursor) && (
              <p class="note">
                {asked.cursor && (
                  <button type="button" class="btn" onClick={() => go({})}>
                    Newest
                  </button>
                )}{' '}
                {value.next && (
                  <button type="button" class="btn" onClick={() => go({ cursor: value.next })}>
                    Older
                  </button>
                )}
              </p>
            )}
          </Card>
        </>
      )}
    </>
  );
}
