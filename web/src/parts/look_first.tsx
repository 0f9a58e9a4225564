import { useEffect, useRef } from 'preact/hooks';
import { api, type FleetSummary, type Gpu } from '../api';
import { setUrgent } from '../app/urgent';
import { number, score, sentence } from '../lib/format';
import { needsAction } from '../lib/urgency';
import { kBandNames } from './bands';
import { BandShape } from './icons';
import { Card, Empty, ErrorNote, Skeleton } from './states';
import { useData, useRefresh } from './use_data';

const kRows = 5;
// Every board that needs action is ringed on the map, not only those that the list has room for.
const kAsked = 200;

function reason(gpu: Gpu): string {
  const silent = gpu.silent ? 'Silent. ' : '';
  if (gpu.top_finding) return silent + sentence(gpu.top_finding);
  return silent + (gpu.score === null ? 'Not enough data for a score' : 'No finding');
}

function Row({ gpu }: { gpu: Gpu }) {
  const why = reason(gpu);
  return (
    <li>
      <a href={`/gpus/${encodeURIComponent(gpu.id)}`} title={why}>
        <BandShape band={needsAction(gpu) ? 'critical' : gpu.band} />
        <span class="who">
          <span class="id">{gpu.name}</span>
          <span class="why">{why}</span>
        </span>
        <span class={`sc t-${gpu.band}`}>
          {score(gpu.score)}
          <span class="vh">, {kBandNames[gpu.band]}</span>
        </span>
      </a>
    </li>
  );
}

/** The worst boards, with their reason. Rows do not move under a pointer that is on them. */
export function LookFirst({ fleet }: { fleet: FleetSummary }) {
  const list = useRef<HTMLUListElement>(null);
  const { value, error, reload } = useData('worst', (signal) => api.gpus({ sort: 'urgency', limit: kAsked }, signal));
  useRefresh(reload, fleet.as_of, 4000, () => list.current?.matches(':hover, :focus-within') ?? false);
  useEffect(() => {
    if (value) setUrgent(value.items.filter(needsAction).map((g) => g.id));
  }, [value]);
  const below = fleet.bands.critical + fleet.bands.degraded;
  return (
    <Card title="Look at these first" hint="need action, then lowest score">
      {error && <ErrorNote error={error} retry={reload} />}
      {!value && !error && <Skeleton rows={kRows} />}
      {value?.items.length === 0 && <Empty>No GPU has reported yet. They appear here as soon as a host answers.</Empty>}
      {value && value.items.length > 0 && (
        <ul class="wl" ref={list}>
          {value.items.slice(0, kRows).map((gpu) => (
            <Row gpu={gpu} key={gpu.id} />
          ))}
        </ul>
      )}
      <a class="more" href="/gpus?sort=urgency">
        {below > 0 ? `All ${number(below)} below 70` : 'All GPUs'} ›
      </a>
    </Card>
  );
}
