import { api, type Gpu } from '../api';
import { openIncidents } from '../app/incidents';
import { summary } from '../app/live';
import { byUrgency, concerns } from '../lib/incidents';
import { incidentsHref } from '../lib/places';
import { IncidentList } from './incident_list';
import { Card, ErrorNote } from './states';
import { useData, useRefresh } from './use_data';

const kShown = 5;

interface Props {
  kind: 'rack' | 'host';
  name: string;
  gpus: Gpu[];
}

// The API knows all that touch a host. Of a rack it is asked by its hosts, as long as those are a handful; beyond, the rows of what
// is open say where each began.
const kMostHosts = 12;

async function openOf(hosts: string[], signal: AbortSignal) {
  const found = await Promise.all(hosts.map((host) => api.incidents({ state: 'open', host }, signal)));
  return new Map(found.flatMap((f) => f.items).map((i) => [i.id, i]));
}

function useOpen({ kind, name, gpus }: Props) {
  const hosts = kind === 'host' ? [name] : [...new Set(gpus.map((g) => g.host))].sort();
  const few = hosts.length <= kMostHosts;
  const { value, error, reload } = useData(`open incidents of ${kind} ${few ? hosts.join() : ''}`, (signal) =>
    openOf(few ? hosts : [], signal),
  );
  useRefresh(reload, summary.value?.as_of, kind === 'host' ? 5000 : 15_000);
  const ids = new Set(gpus.map((g) => g.id));
  const begun = few ? [] : (openIncidents.value ?? []).filter((i) => concerns(i, ids, new Set(hosts)));
  return { open: byUrgency(few ? [...(value?.values() ?? [])] : begun), error: value ? null : error, reload };
}

/** The open incidents of a host's or a rack's members; nothing where none is open. */
export function PlaceIncidents(props: Props) {
  const { open, error, reload } = useOpen(props);
  const { kind, name } = props;
  if (error) return <ErrorNote error={error} retry={reload} />;
  if (open.length === 0) return null;
  return (
    <Card title="Open incidents here" class="gpu-incidents" hint={open.length > 1 && 'the worst first'}>
      <IncidentList incidents={open.slice(0, kShown)} testid="place-incidents" />
      {open.length > kShown && (
        <a class="more" href={incidentsHref(kind, name)}>
          {`${open.length - kShown} more`} ›
        </a>
      )}
    </Card>
  );
}
