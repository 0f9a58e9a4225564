import { useEffect, useMemo, useState } from 'preact/hooks';
import { api, type Band, type ColourMode, type FleetSummary } from '../api';
import { cells } from '../app/live';
import { meta } from '../app/meta';
import { type Cells, decodeCells, kBandEdges } from '../lib/cells';
import { number, percent } from '../lib/format';
import { rackHref, siteHref } from '../lib/places';
import { FleetMap } from '../map/fleet_map';
import { kModes, modeValue } from '../map/map_tip';
import { kBandNames, kBands } from './bands';
import { BandShape } from './icons';
import { Card, Empty, ErrorNote, Skeleton } from './states';
import { type Column, DataTable } from './table';
import { useData, useRefresh } from './use_data';

const kNothing: ReadonlySet<Band> = new Set();

function Legend({ fleet, only, setOnly }: { fleet: FleetSummary; only: ReadonlySet<Band>; setOnly: (only: ReadonlySet<Band>) => void }) {
  const toggle = (band: Band) => {
    const next = new Set(only);
    if (!next.delete(band)) next.add(band);
    setOnly(next);
  };
  return (
    <fieldset class="legend" aria-label="Show only these bands">
      {kBands.map((band) => (
        <button type="button" class="lg" key={band} aria-pressed={only.has(band)} onClick={() => toggle(band)}>
          <BandShape band={band} />
          {kBandNames[band]} <b data-testid={`band-${band}`}>{number(fleet.bands[band])}</b>
        </button>
      ))}
    </fieldset>
  );
}

function MapNotes({ fleet }: { fleet: FleetSummary }) {
  const notes = [
    fleet.need_action > 0 && 'Ringed: needs action, whatever it scores.',
    fleet.silent_hosts > 0 && 'Struck through: the host is silent, its cells show the last that was known.',
    fleet.coverage !== null && fleet.coverage < 0.6 && `Scores stand on ${percent(fleet.coverage)} of the facts they need.`,
  ].filter(Boolean);
  return notes.length > 0 ? <p class="map-note t2">{notes.join(' ')}</p> : null;
}

function Scale({ mode, shown }: { mode: ColourMode; shown: Cells }) {
  return (
    <div class="legend scale">
      <span>{modeValue(mode, shown.min)}</span>
      <i class="ramp" />
      <span>{modeValue(mode, shown.max)}</span>
      <span class="t3">no reading</span>
      <i class="swatch f-no_data" />
    </div>
  );
}

interface RackRow {
  site: string;
  rack: string;
  hosts: number;
  silent: number;
  boards: number[];
  scores: number[];
}

const kRackColumns: Column<RackRow>[] = [
  {
    title: 'Site',
    cell: (r) => (
      <a class="link" href={siteHref(r.site)}>
        {r.site}
      </a>
    ),
  },
  {
    title: 'Rack',
    cell: (r) =>
      r.rack ? (
        <a class="link" href={rackHref(r.rack, r.site)}>
          {r.rack}
        </a>
      ) : (
        'no rack given'
      ),
  },
  { title: 'Hosts', class: 'r', cell: (r) => number(r.hosts) },
  { title: 'Silent', class: 'r', cell: (r) => number(r.silent) },
  { title: 'GPUs', class: 'r', cell: (r) => number(r.boards.length) },
  { title: 'Below 70', class: 'r', cell: (r) => number(r.scores.filter((s) => s < 70).length) },
  { title: 'Worst', class: 'r', cell: (r) => number(r.scores.length ? Math.min(...r.scores) : null) },
  { title: 'Mean', class: 'r', cell: (r) => number(r.scores.length ? r.scores.reduce((a, b) => a + b, 0) / r.scores.length : null, 1) },
];

// A table of the racks says in words what the map says in colour.
function RackTable({ layout, health }: { layout: import('../api').Layout; health: Uint8Array }) {
  const rows = useMemo(() => {
    let at = 0;
    return layout.sites.flatMap((site) =>
      site.racks.map((rack) => {
        const boards = rack.hosts.flatMap((h) => h.slots.map(() => health[at++] ?? 255));
        const scores = boards.filter((b) => b <= 100);
        const silent = rack.hosts.filter((h) => h.silent).length;
        return { site: site.name, rack: rack.name, hosts: rack.hosts.length, silent, boards, scores };
      }),
    );
  }, [layout, health]);
  return <DataTable label="Table of racks" columns={kRackColumns} rows={rows} keyOf={(r) => `${r.site} ${r.rack}`} />;
}

function useShown(mode: ColourMode, health: Uint8Array | null, tick: string) {
  const other = useData(`cells ${mode}`, async (signal) => decodeCells(await api.cells(mode, signal)));
  // Health comes with the stream; the other colours are asked for.
  useRefresh(other.reload, tick, mode === 'health' ? Number.POSITIVE_INFINITY : 4000);
  const live = useMemo(() => health && { layoutVersion: 0, asOfMs: 0, min: 0, max: 100, bytes: health }, [health]);
  return { shown: mode === 'health' ? (live ?? other.value) : other.value, error: other.error, reload: other.reload };
}

export function FleetCard({ fleet }: { fleet: FleetSummary }) {
  const [mode, setMode] = useState<ColourMode>('health');
  const [only, setOnly] = useState(kNothing);
  const [asTable, setAsTable] = useState(false);
  const layout = useData('layout', (signal) => api.layout(signal));
  const stream = cells.value;
  const { shown, error, reload } = useShown(mode, stream?.bytes ?? null, fleet.as_of);
  const health = stream?.bytes ?? (mode === 'health' ? shown?.bytes : null) ?? null;
  const edges = meta.value?.bands ?? kBandEdges;

  // Boards came, went or fell silent: the bytes belong to another drawing now.
  const stale = stream !== null && layout.value !== null && stream.layoutVersion !== layout.value.layout_version;
  useEffect(() => {
    if (stale) layout.reload();
  }, [stream?.layoutVersion, stale]);

  const words = `${kBands.map((b) => `${kBandNames[b]} ${fleet.bands[b]}`).join(', ')}.`;
  const failed = layout.error ?? (shown ? null : error);
  return (
    <Card
      title="Fleet map"
      hint="a cell is a GPU, a row a host, a block a rack"
      class="c8 fleet"
      tools={
        <>
          <label class="pick">
            <span class="t3">Colour</span>
            <select value={mode} onChange={(e) => setMode(e.currentTarget.value as ColourMode)}>
              {kModes.map((m) => (
                <option value={m.name} key={m.name}>
                  {m.text}
                </option>
              ))}
            </select>
          </label>
          <button type="button" class="btn small" aria-pressed={asTable} onClick={() => setAsTable(!asTable)}>
            Table
          </button>
        </>
      }
    >
      {failed && (
        <ErrorNote
          error={failed}
          retry={() => {
            layout.reload();
            reload();
          }}
        />
      )}
      {!failed && (!layout.value || !shown || !health) && <Skeleton rows={7} />}
      {layout.value?.sites.length === 0 && <Empty>No host is known yet. The map fills as soon as a host answers.</Empty>}
      {layout.value && shown && health && layout.value.sites.length > 0 && (
        <>
          {asTable ? (
            <RackTable layout={layout.value} health={health} />
          ) : (
            <FleetMap layout={layout.value} health={health} shown={shown} mode={mode} only={only} edges={edges} summaryText={words} />
          )}
          {mode === 'health' ? <Legend fleet={fleet} only={only} setOnly={setOnly} /> : <Scale mode={mode} shown={shown} />}
          <MapNotes fleet={fleet} />
        </>
      )}
    </Card>
  );
}
