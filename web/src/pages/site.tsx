// A site: its map, its racks, what happened in them.
import { useEffect, useMemo } from 'preact/hooks';
import { api, type Band, type GpuList, type Group, type Layout, type LayoutSite } from '../api';
import { cells, summary, wantTopics } from '../app/live';
import { meta } from '../app/meta';
import { query } from '../app/router';
import { countBands, decodeCells, kBandEdges } from '../lib/cells';
import { count, number, score, sentence } from '../lib/format';
import { gpuHref, rackHref, withKept } from '../lib/places';
import { windowOf } from '../lib/ranges';
import { siteSlice } from '../lib/site';
import { FleetMap } from '../map/fleet_map';
import { AsOf } from '../parts/as_of';
import { kBandNames, kBands } from '../parts/bands';
import { Crumbs } from '../parts/crumbs';
import { EventLanes } from '../parts/event_lanes';
import { GpuTable } from '../parts/gpu_table';
import { GroupFigures, GroupStory } from '../parts/group_figures';
import { BandShape } from '../parts/icons';
import { Card, Empty, ErrorNote, Skeleton } from '../parts/states';
import { type Column, DataTable } from '../parts/table';
import { type Data, useData, useRefresh } from '../parts/use_data';
import { knownFor, useGroup, usePlaceEvents } from './place';
import '../style/place.css';

const kTopics = ['cells'];
const kEvents = 500;
const kWorst = 10;
const kAll: ReadonlySet<Band> = new Set();

/** The site's part of the fleet's drawing and of its bytes. */
function useSlice(name: string) {
  useEffect(() => {
    wantTopics(kTopics);
    return () => wantTopics([]);
  }, []);
  const layout = useData('layout', (signal) => api.layout(signal));
  const asked = useData('cells health', async (signal) => decodeCells(await api.cells('health', signal)));
  const stream = cells.value;
  const fresh = stream && layout.value && stream.layoutVersion === layout.value.layout_version ? stream.bytes : null;
  const bytes = fresh ?? asked.value?.bytes ?? null;
  const slice = useMemo(() => (layout.value && bytes ? siteSlice(layout.value, bytes, name) : null), [layout.value, bytes, name]);
  return { slice, layout: layout.value, error: layout.error ?? asked.error, reload: layout.reload };
}

function SiteMap({ layout, bytes }: { layout: Layout; bytes: Uint8Array }) {
  const edges = meta.value?.bands ?? kBandEdges;
  const shown = useMemo(() => ({ layoutVersion: 0, asOfMs: 0, min: 0, max: 100, bytes }), [bytes]);
  const bands = countBands(bytes, edges);
  const words = `${kBands.map((b) => `${kBandNames[b]} ${bands[b]}`).join(', ')}.`;
  return (
    <Card title="Map" class="c7" hint="a cell is a GPU, a row a host, a block a rack">
      <FleetMap layout={layout} health={bytes} shown={shown} mode="health" only={kAll} edges={edges} summaryText={words} />
      <ul class="legend">
        {kBands.map((b) => (
          <li class="lg" key={b}>
            <BandShape band={b} /> {kBandNames[b]} <b>{number(bands[b])}</b>
          </li>
        ))}
      </ul>
    </Card>
  );
}

const rackColumns = (site: string, keep: URLSearchParams): Column<Group>[] => [
  {
    title: 'Rack',
    heads: true,
    cell: (g) => (
      <a class="link" href={withKept(rackHref(g.name, site), keep)}>
        {g.name}
      </a>
    ),
  },
  { title: 'Index', class: 'r', cell: (g) => number(g.index, 1) },
  { title: 'Below 70', class: 'r', cell: (g) => number(g.below_70) },
  { title: 'Silent', class: 'r', cell: (g) => number(g.silent) },
  { title: 'GPUs', class: 'r', cell: (g) => number(g.gpus) },
  {
    title: 'Lowest',
    class: 'wrap t2',
    cell: (g) =>
      g.lowest && (
        <>
          <a class="link" href={withKept(gpuHref(g.lowest.id), keep)}>
            {score(g.lowest.score)} {g.lowest.name}
          </a>
          {g.lowest.top_finding && <span class="t3"> {sentence(g.lowest.top_finding)}</span>}
        </>
      ),
  },
];

function Racks({ site, known, groups }: { site: string; known: LayoutSite; groups: Group[] }) {
  const names = new Set(known.racks.map((r) => r.name));
  const rows = groups.filter((g) => names.has(g.name));
  const keep = windowOf(query.value);
  return (
    <Card title="Racks, lowest index first" class="c5 site-racks">
      {rows.length === 0 && <Empty>No rack of this site has a score yet.</Empty>}
      {rows.length > 0 && (
        <DataTable
          label="Table of racks"
          testid="site-racks"
          tall={true}
          columns={rackColumns(site, keep)}
          rows={rows}
          keyOf={(g) => g.name}
        />
      )}
    </Card>
  );
}

function useWorst(site: string) {
  const list = useData(`worst of ${site}`, (signal) => api.gpus({ datacenter: site, sort: 'urgency', limit: kWorst }, signal));
  useRefresh(list.reload, summary.value?.as_of, 8000);
  return list;
}

function Worst({ site, list }: { site: string; list: Data<GpuList> }) {
  return (
    <Card title="Look at these first" class="c12" hint={list.value && <AsOf at={list.value.as_of} />}>
      {list.error && <ErrorNote error={list.error} retry={list.reload} />}
      {!list.value && !list.error && <Skeleton rows={5} />}
      {list.value && <GpuTable items={list.value.items} sort="urgency" />}
      <a class="more" href={`/gpus?datacenter=${encodeURIComponent(site)}`}>
        All {list.value && count(list.value.total, 'GPU')} ›
      </a>
    </Card>
  );
}

function useRacks(): Group[] {
  const { value, reload } = useData('groups rack', (signal) => api.groups('rack', signal));
  useRefresh(reload, summary.value?.as_of, 30_000);
  return value?.groups ?? [];
}

function useLanes(known: LayoutSite | null) {
  return useMemo(() => {
    const rackOf = new Map((known?.racks ?? []).flatMap((r) => r.hosts.map((h) => [h.name, r.name || 'no rack given'] as const)));
    const lanes = (known?.racks ?? []).map((r) => ({ name: r.name || 'no rack given', href: rackHref(r.name, known!.name) }));
    return { lanes, laneOf: (e: { host: string | null }) => (e.host ? (rackOf.get(e.host) ?? null) : null) };
  }, [known]);
}

export function SitePage({ name }: { name: string }) {
  const { slice, layout, error, reload } = useSlice(name);
  const group = useGroup('datacenter', name);
  const racks = useRacks();
  const worst = useWorst(name);
  const events = usePlaceEvents({ datacenter: name });
  const known = slice?.layout.sites[0] ?? null;
  const { lanes, laneOf } = useLanes(known);
  if (error && !slice) return <ErrorNote error={error} retry={reload} />;
  if (layout && !layout.sites.some((s) => s.name === name))
    return (
      <div class="story">
        <h1>No site is called {name}</h1>
        <p>
          <a class="link" href="/">
            Go to the overview
          </a>
        </p>
      </div>
    );
  if (!slice || !known) return <Skeleton rows={9} />;
  const hosts = known.racks.reduce((n, r) => n + r.hosts.length, 0);
  return (
    <>
      <Crumbs place={{}} here={name} />
      <div class="story">
        <h1>
          Site {name}
          {group && `: ${group.below_70 === 0 ? 'nobody' : number(group.below_70)} below 70`}
        </h1>
        <p>
          {count(slice.bytes.length, 'GPU')} on {count(hosts, 'host')} in {count(known.racks.length, 'rack')}.
        </p>
      </div>
      {group && <GroupStory group={group} />}
      {group && <GroupFigures group={group} />}
      <div class="grid">
        <SiteMap layout={slice.layout} bytes={slice.bytes} />
        <Racks site={name} known={known} groups={racks} />
        <Worst site={name} list={worst} />
        <EventLanes events={events} lanes={lanes} laneOf={laneOf} limit={kEvents} knownFor={knownFor(worst.value?.items ?? [])} />
      </div>
    </>
  );
}
