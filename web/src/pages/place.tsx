// A rack and a host: who is in it, and is it the GPU or its surroundings?
import { useMemo } from 'preact/hooks';
import { api, type Gpu, type GpuEvent, type GroupHealth, type GroupKind } from '../api';
import { now, summary } from '../app/live';
import { navigate, query, withQuery } from '../app/router';
import { count, number } from '../lib/format';
import { gpuHref, hostHref, withKept } from '../lib/places';
import { windowOf } from '../lib/ranges';
import { whyHref } from '../lib/why';
import { AsOf } from '../parts/as_of';
import { CompareCard } from '../parts/compare_card';
import { Crumbs } from '../parts/crumbs';
import { byHost, Elevation } from '../parts/elevation';
import { EventLanes, type Lane } from '../parts/event_lanes';
import { GpuTable } from '../parts/gpu_table';
import { GroupFigures, GroupStory } from '../parts/group_figures';
import { PlaceIncidents } from '../parts/place_incidents';
import { Card, ErrorNote, Skeleton } from '../parts/states';
import { useData, useRefresh } from '../parts/use_data';
import '../style/place.css';

type Kind = 'rack' | 'host';
const kMembers = 1000;
const kEvents = 500;

const sortAsked = () => query.value.get('sort') ?? 'urgency';

function useMembers(kind: Kind, name: string, site: string | null) {
  const sort = sortAsked();
  const data = useData(`${kind} ${name} ${site} ${sort}`, (signal) =>
    api.gpus({ [kind]: name, datacenter: site, sort, limit: kMembers }, signal),
  );
  useRefresh(data.reload, summary.value?.as_of, 4000);
  return data;
}

export function useGroup(kind: GroupKind, name: string): GroupHealth | null {
  const { value, reload } = useData(`group ${kind} ${name}`, (signal) => api.group(kind, name, signal));
  useRefresh(reload, summary.value?.as_of, 10_000);
  return value;
}

export function usePlaceEvents(params: Record<string, string | null>) {
  const data = useData(`events ${JSON.stringify(params)}`, (signal) => api.events({ ...params, limit: kEvents }, signal));
  useRefresh(data.reload, summary.value?.as_of, 10_000);
  return data;
}

/** Seconds since the first of them was seen. */
export function knownFor(gpus: Gpu[]): number {
  const first = Math.min(...gpus.map((g) => (g.first_seen ? Date.parse(g.first_seen) : Number.POSITIVE_INFINITY)));
  return Number.isFinite(first) ? (now.peek() - first) / 1000 : Number.POSITIVE_INFINITY;
}

function headline(kind: Kind, name: string, gpus: Gpu[]): { main: string; more: string } {
  const bad = gpus.filter((g) => g.score !== null && g.score < 70).length;
  const urgent = gpus.filter((g) => g.risk === 'critical' && g.in_service).length;
  const silent = gpus.filter((g) => g.silent).length;
  const hosts = kind === 'rack' ? ` on ${count(byHost(gpus).length, 'host')}` : '';
  const parts = [
    urgent > 0 && `${number(urgent)} need action`,
    bad > 0 && `${number(bad)} below 70`,
    silent > 0 && `${number(silent)} silent`,
  ];
  const state = parts.filter(Boolean).join(', ') || 'nothing to do';
  return { main: `${kind === 'rack' ? 'Rack' : 'Host'} ${name}: ${state}`, more: `${count(gpus.length, 'GPU')}${hosts}.` };
}

function lanesOf(kind: Kind, gpus: Gpu[], name: string): { lanes: Lane[]; laneOf: (e: GpuEvent) => string | null } {
  const keep = windowOf(query.value);
  if (kind === 'rack')
    return { lanes: byHost(gpus).map(({ host }) => ({ name: host, href: withKept(hostHref(host), keep) })), laneOf: (e) => e.host };
  const own = byHost(gpus).flatMap((h) => h.gpus);
  const names = new Map(own.map((g) => [g.id, g.slot === null ? g.id : `GPU ${g.slot}`]));
  const lanes = own.map((g) => ({ name: names.get(g.id)!, href: withKept(gpuHref(g.id), keep) }));
  return {
    lanes: [{ name: 'the host', href: withKept(hostHref(name), keep) }, ...lanes],
    laneOf: (e) => (e.gpu === null ? 'the host' : (names.get(e.gpu) ?? null)),
  };
}

function NotHere({ kind, name }: { kind: Kind; name: string }) {
  return (
    <div class="story">
      <h1>
        No GPU is known in {kind} {name}
      </h1>
      <p>
        It was renamed, or nobody has reported from it yet.{' '}
        <a class="link" href="/gpus">
          All GPUs
        </a>
      </p>
    </div>
  );
}

function Members({ gpus, asOf }: { gpus: Gpu[]; asOf: string }) {
  return (
    <Card title="Members" class="c12" hint={<AsOf at={asOf} />}>
      <GpuTable items={gpus} sort={sortAsked()} onSort={(sort) => navigate(withQuery({ sort }))} />
    </Card>
  );
}

function Place({ kind, name }: { kind: Kind; name: string }) {
  const site = query.value.get('site');
  const members = useMembers(kind, name, site);
  const group = useGroup(kind, name);
  const events = usePlaceEvents({ [kind]: name, ...(kind === 'rack' ? { datacenter: site } : {}) });
  const gpus = members.value?.items ?? [];
  const { lanes, laneOf } = useMemo(() => lanesOf(kind, gpus, name), [gpus, kind, name]);
  const first = gpus[0];
  if (members.error && !members.value) return <ErrorNote error={members.error} retry={members.reload} />;
  if (!members.value) return <Skeleton rows={9} />;
  if (!first) return <NotHere kind={kind} name={name} />;
  const said = headline(kind, name, gpus);
  const place = kind === 'host' ? { datacenter: first.datacenter, rack: first.rack } : { datacenter: first.datacenter };
  return (
    <>
      <Crumbs place={place} here={name} />
      <div class="story">
        <h1>{said.main}</h1>
        <p>
          {said.more}{' '}
          {kind === 'host' && (
            <a class="link" href={whyHref({ what: 'host', name })}>
              Why did it happen?
            </a>
          )}
        </p>
      </div>
      {members.error && <ErrorNote error={members.error} retry={members.reload} />}
      {group && <GroupStory group={group} />}
      {group && <GroupFigures group={group} />}
      <PlaceIncidents kind={kind} name={name} gpus={gpus} />
      <div class="grid">
        <Elevation gpus={gpus} what={kind} />
        <CompareCard gpus={gpus} what={kind} />
        <EventLanes events={events} lanes={lanes} laneOf={laneOf} limit={kEvents} knownFor={knownFor(gpus)} />
        <Members gpus={gpus} asOf={members.value.as_of} />
      </div>
    </>
  );
}

export const RackPage = ({ name }: { name: string }) => <Place kind="rack" name={name} />;
export const HostPage = ({ name }: { name: string }) => <Place kind="host" name={name} />;
