import { api, type Cluster, type FleetSummary } from '../api';
import { now } from '../app/live';
import { ago, exact } from '../lib/format';
import { useData, useRefresh } from './use_data';

function Strongest({ cluster, more }: { cluster: Cluster; more: number }) {
  return (
    <p data-testid="cluster">
      {cluster.evidence ? (
        <a class="link" href={cluster.evidence}>
          {cluster.text}
        </a>
      ) : (
        cluster.text
      )}{' '}
      {cluster.since && (
        <time class="t3" dateTime={cluster.since} title={exact(cluster.since)}>
          {ago(cluster.since, now.value)}
        </time>
      )}
      {more > 0 && <span class="t3"> and {more} more like it</span>}
    </p>
  );
}

/** What to know first: the state of the fleet in a sentence, and the one cluster that stands out, with its evidence. */
export function Story({ fleet }: { fleet: FleetSummary }) {
  const { value, reload } = useData('story', (signal) => api.story(signal));
  useRefresh(reload, fleet.as_of, 5000);
  const [first] = value?.clusters ?? [];
  // Until the story has come, and where it cannot, the summary's own sentence stands.
  const detail = value ? (value.moved[0]?.text ?? null) : fleet.headline_detail;
  return (
    <div class="story">
      <h1 data-testid="headline">{value?.headline ?? fleet.headline}</h1>
      {first && <Strongest cluster={first} more={value!.clusters.length - 1} />}
      {!first && detail && <p>{detail}</p>}
    </div>
  );
}
