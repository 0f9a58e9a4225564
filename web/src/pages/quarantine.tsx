import { api } from '../api';
import { summary } from '../app/live';
import { query, withQuery } from '../app/router';
import { count, metricName, number, title } from '../lib/format';
import { Card, Empty, ErrorNote, Scroll, Skeleton } from '../parts/states';
import { useData, useRefresh } from '../parts/use_data';

function headline(refused: number): string {
  return refused === 0 ? 'No value was refused' : `${count(refused, 'value')} ${refused === 1 ? 'was' : 'were'} refused`;
}

/** What the server read and did not believe: nothing of it reaches a score. */
export function Quarantine() {
  const { value, error, reload } = useData('quarantine', (signal) => api.quarantine(signal));
  useRefresh(reload, summary.value?.as_of, 5000);
  const reason = query.value.get('reason');
  const items = value?.items.filter((i) => !reason || i.reason === reason) ?? [];
  return (
    <>
      <div class="story">
        <h1>{value ? headline(value.refused) : 'Refused values'}</h1>
        <p>
          Each value is checked when it is read; one that cannot be true is kept out of every score and chart
          {value && `. ${number(value.accepted)} were accepted`}.
        </p>
      </div>
      {reason && (
        <div class="filters">
          <a class="btn chip" href={withQuery({ reason: null })} aria-label="Remove the filter reason">
            <span class="t3">reason</span> {title(reason)} <span aria-hidden="true">×</span>
          </a>
        </div>
      )}
      {error && <ErrorNote error={error} retry={reload} />}
      {!value && !error && <Skeleton rows={6} />}
      {value && (
        <Card title="By source, metric and reason" hint="since the server started">
          {items.length === 0 ? (
            <Empty>
              {reason ? 'No value was refused for this reason.' : 'Nothing here: every value that was read so far is plausible.'}
            </Empty>
          ) : (
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
          )}
        </Card>
      )}
    </>
  );
}
