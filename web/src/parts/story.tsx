import { api, type Cluster, type FleetSummary } from '../api';
import { lateWords } from '../lib/late';
import { chance } from '../lib/share';
import { useData, useRefresh } from './use_data';

function ClusterWords({ cluster }: { cluster: Cluster }) {
  if (!cluster.evidence) return <>{cluster.text}</>;
  return (
    <a class="link" href={cluster.evidence} title={`By chance: ${chance(cluster.p_chance ?? 1)}`}>
      {cluster.text}
    </a>
  );
}

const kShown = 3;

/** One cluster a place: what else is wrong there is on its page. */
function places(clusters: Cluster[]): Cluster[] {
  const seen = new Set<string>();
  return clusters.filter((c) => !seen.has(`${c.kind} ${c.id}`) && seen.add(`${c.kind} ${c.id}`)).slice(0, kShown);
}

const kCasesEveryMs = 15_000;

/** Repairs that are late; nothing where none is. */
function LateRepairs({ tick }: { tick: string }) {
  const { value, reload } = useData('active cases', (signal) => api.cases({ state: 'active', limit: 500 }, signal));
  useRefresh(reload, tick, kCasesEveryMs);
  const late = value && lateWords(value.items);
  if (!late) return null;
  return (
    <p class="also" data-testid="late-repairs">
      <a class="link" href={late.href}>
        {late.text}
      </a>
    </p>
  );
}

/** What to know first: the state of the fleet in a sentence, and what stands out, the least likely first, with its evidence. */
export function Story({ fleet }: { fleet: FleetSummary }) {
  const { value, reload } = useData('story', (signal) => api.story(signal));
  useRefresh(reload, fleet.as_of, 5000);
  const [first, ...others] = places(value?.clusters ?? []);
  // Until the story has come, and where it cannot, the summary's own sentence stands.
  const detail = value ? (value.moved[0]?.text ?? null) : fleet.headline_detail;
  return (
    <div class="story">
      <h1 data-testid="headline">{value?.headline ?? fleet.headline}</h1>
      {first && (
        <p data-testid="cluster">
          <ClusterWords cluster={first} />
        </p>
      )}
      {others.map((c) => (
        <p key={c.id} class="also">
          <ClusterWords cluster={c} />
        </p>
      ))}
      {!first && detail && <p>{detail}</p>}
      <LateRepairs tick={fleet.as_of} />
    </div>
  );
}
