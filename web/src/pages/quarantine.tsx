import { api, type Quarantine as Held, type QuarantineSample } from '../api';
import { summary } from '../app/live';
import { navigate, query, withQuery } from '../app/router';
import { count, exact, kDash, metricName, number, title } from '../lib/format';
import { Card, Empty, ErrorNote, Scroll, Skeleton } from '../parts/states';
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

function Counts({ items }: { items: Held['items'] }) {
  if (items.length === 0) return <Empty>Nothing here: every value that was read so far is plausible.</Empty>;
  return (
    <Scroll label="Table of refused values">
      <table>
        <thead>
          <tr>
            <th scope="col">Source</th>
            <th scope="col">Metric</th>
            <th scope="col">Reason</th>
            <th scope="col" class="r">
              Values
            </th>
          </tr>
        </thead>
        <tbody>
          {items.map((i) => (
            <tr key={`${i.source} ${i.metric} ${i.reason}`}>
              <td class="mono">{i.source}</td>
              <td title={i.metric}>{i.metric ? metricName(i.metric) : 'not a metric'}</td>
              <td>{title(i.reason)}</td>
              <td class="r">{number(i.count)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}

function Sample({ sample: s }: { sample: QuarantineSample }) {
  const where = s.entity === 'gpu' ? '' : ` ${s.entity}`;
  return (
    <tr>
      <td title={s.count > 1 ? `first ${exact(s.first)}` : undefined}>{exact(s.at)}</td>
      <td class="mono">{s.gpu ?? s.host ?? kDash}</td>
      <td title={s.metric ?? undefined}>{(s.metric ? metricName(s.metric) : 'not a metric') + where}</td>
      <td class="mono r">{s.value || kDash}</td>
      <td>{title(s.reason)}</td>
      <td class="r">{s.replayable ? 'kept' : `${number(s.count)} times`}</td>
      <td class="mono">{s.source}</td>
    </tr>
  );
}

function Samples({ samples }: { samples: QuarantineSample[] }) {
  if (samples.length === 0) return <Empty>None is held.</Empty>;
  return (
    <Scroll label="Table of held values" tall>
      <table>
        <thead>
          <tr>
            <th scope="col">Last</th>
            <th scope="col">GPU</th>
            <th scope="col">Metric</th>
            <th scope="col" class="r">
              Value on the page
            </th>
            <th scope="col">Reason</th>
            <th scope="col" class="r">
              Held as
            </th>
            <th scope="col">Source</th>
          </tr>
        </thead>
        <tbody>
          {samples.map((s) => (
            <Sample key={s.id} sample={s} />
          ))}
        </tbody>
      </table>
    </Scroll>
  );
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
