import { useEffect, useMemo, useState } from 'preact/hooks';
import { api, type GpuDetail, type GpuEvent, type GpuMetrics, type Reading } from '../api';
import { lazyPage } from '../app/lazy';
import { liveGpu, now, summary } from '../app/live';
import { navigate, query, withQuery } from '../app/router';
import { eventText } from '../lib/events';
import { type Flag, flagsOf, speaker } from '../lib/flags';
import { count, exact, metricName, shortTime, span as spanText } from '../lib/format';
import { dragged, fitting, moment, type Range, rangeOf } from '../lib/ranges';
import {
  asked,
  kMoreSignals,
  kSignals,
  type Line,
  lastIndex,
  limitOf,
  lineOf,
  remember,
  type Signal,
  shownValue,
  signalOf,
  signalWith,
  tableRows,
  withLive,
  withPeers,
} from '../lib/series';
import type { Marks } from './chart';
import { Card, ErrorNote, Skeleton } from './states';
import { type Column, DataTable } from './table';
import { rangeWords, TimeRange } from './time_range';
import { useData, useRefresh } from './use_data';

// The chart library is larger than the page: scores and words are there before it.
const Chart = lazyPage(
  async () => (await import('./chart')).Chart,
  () => <div class="chart" />,
);

const iso = (seconds: number) => new Date(seconds * 1000).toISOString();
const zoom = (a: number, b: number) => {
  const change = dragged(a, b);
  if (change) navigate(withQuery({ ...change }));
};
const zoomOut = () => navigate(withQuery({ from: null, to: null }));

interface MultipleProps {
  signal: Signal;
  line: Line | null;
  span: [number, number];
  marks: Marks;
  name: string;
  asked: boolean; // somebody followed evidence to this chart
}

function labelOf({ signal, line, marks, name }: MultipleProps, shown: { number: string; unit: string }): string {
  const limit = marks.limit === null ? '' : `, limit ${marks.limit}`;
  const peers = line?.peers ? `, grey band: the middle 80 % of ${count(line.peers.of, 'peer')}` : '';
  return `${signal.title} of ${name}: ${shown.number} ${shown.unit}${limit}${peers}`;
}

function Multiple(props: MultipleProps) {
  const { signal, line, span, marks } = props;
  const [hover, setHover] = useState<number | null>(null);
  if (!line || lastIndex(line) === null)
    return (
      <figure class={props.asked ? 'is-asked' : ''}>
        <figcaption>
          <span>{signal.title}</span>
          <b class="t3" data-testid={`signal-${signal.metric}`}>
            not available
          </b>
        </figcaption>
        <p class="chart none t3">No reading of this signal in the window.</p>
      </figure>
    );
  const shown = shownValue(signal, line, hover);
  return (
    <figure class={props.asked ? 'is-asked' : ''} data-testid={props.asked ? 'asked-signal' : undefined}>
      <figcaption>
        <span>{hover === null ? signal.title : `${shortTime(iso(line.t[hover] ?? 0))} UTC`}</span>
        <b data-testid={`signal-${signal.metric}`}>
          {shown.number} {shown.unit && <span class="unit">{shown.unit}</span>}
        </b>
      </figcaption>
      <Chart signal={signal} line={line} span={span} marks={marks} hover={setHover} zoom={zoom} label={labelOf(props, shown)} />
    </figure>
  );
}

// Readings that came while this page is open: the history is asked again only now and then.
function useLive(id: string): Record<string, Reading[]> {
  const [kept, setKept] = useState<Record<string, Reading[]>>({});
  const gpu = liveGpu.value;
  useEffect(() => {
    if (gpu?.id === id) setKept((k) => remember(k, gpu.readings));
  }, [gpu, id]);
  return kept;
}

const timeOf = (flag: Flag) => shortTime(speaker(flag).at);

function FlagWords({ flags, left, tabHref }: { flags: Flag[]; left: number; tabHref: string }) {
  if (flags.length === 0) return null;
  return (
    <ul class="flags" data-testid="flags">
      {flags.map((f) => (
        <li key={f.letter} title={f.events.map(eventText).join('\n')}>
          <b>{f.letter}</b>
          <span class="flag-text">{eventText(speaker(f))}</span>
          <span class="t3">
            {f.events.length > 1 && `and ${f.events.length - 1} more, `}
            {timeOf(f)}
          </span>
        </li>
      ))}
      {left > 0 && (
        <li>
          <a class="link" href={tabHref}>
            {count(left, 'more event')}
          </a>
        </li>
      )}
    </ul>
  );
}

interface TableRow {
  t: number;
  i: number;
}

function SignalTable({ signals, lines }: { signals: Signal[]; lines: (Line | null)[] }) {
  const longest = lines.reduce<Line | null>((best, l) => (l && l.t.length > (best?.t.length ?? 0) ? l : best), null);
  const rows: TableRow[] = tableRows(longest?.t ?? [], 120).map((i) => ({ i, t: longest!.t[i]! }));
  const columns: Column<TableRow>[] = [
    { title: 'Time', heads: true, cell: (r) => exact(iso(r.t)) },
    ...signals.map((signal, k): Column<TableRow> => {
      const line = lines[k] ?? null;
      return {
        title: signal.title,
        class: 'r',
        cell: (r) => {
          // A line that grew with live readings has times of its own.
          const i = line?.t[r.i] === r.t ? r.i : (line?.t.findIndex((t) => t >= r.t) ?? -1);
          if (!line || i < 0) return '–';
          const { number, unit } = shownValue(signal, line, i);
          return `${number} ${unit}`;
        },
      };
    }),
  ];
  return <DataTable label="Table of the signals" testid="signal-table" tall={true} columns={columns} rows={rows} keyOf={(r) => `${r.t}`} />;
}

/** Which charts: the eight, those behind "More", and the one that evidence points at when it is none of them. */
function useSignals(): { signals: Signal[]; wanted: Signal | null; more: boolean } {
  const metric = query.value.get('metric');
  const all = [...kSignals, ...kMoreSignals];
  const known = metric ? signalWith(metric, all) : null;
  const more = query.value.get('more') === '1' || (known !== null && kMoreSignals.includes(known));
  const own = useMemo(() => (metric && !known ? signalOf(metric, metricName(metric)) : null), [metric, known]);
  return { signals: [...(own ? [own] : []), ...(more ? all : kSignals)], wanted: own ?? known, more };
}

const windowFor = (range: Range) => ({ start: Math.floor(range.from), end: Math.ceil(range.to) });

// The band of the peers costs the server a read of many boards: the board's own lines do not wait for it.
function usePeers(id: string, signals: Signal[], key: string, own: { range: Range; metrics: GpuMetrics } | null): GpuMetrics | null {
  const metrics = asked(signals.filter((s) => s.kind === 'line' || s.kind === 'bars')).join(',');
  const peers = useData(`peers ${id} ${key} ${metrics} ${own !== null}`, async (signal) => {
    if (!own) return null;
    return api.metrics(id, { metrics, peers: 1, interval: `${own.metrics.interval_s}s`, ...windowFor(own.range) }, signal);
  });
  useRefresh(peers.reload, summary.value?.as_of, own?.range.live ? 60_000 : Number.POSITIVE_INFINITY);
  return peers.value;
}

function useHistory(gpu: GpuDetail, signals: Signal[]) {
  const born = gpu.first_seen ? Date.parse(gpu.first_seen) : Number.NaN;
  const known = Number.isNaN(born) ? Number.POSITIVE_INFINITY : (now.peek() - born) / 1000;
  const usual = useMemo(() => fitting(known), [gpu.id]);
  const key = ['from', 'to', 'at'].map((p) => query.value.get(p)).join(' ');
  const at = moment(query.value.get('at'), now.peek() / 1000);
  const metrics = asked(signals).join(',');
  const data = useData(`${gpu.id} ${key} ${usual} ${metrics}`, async (signal) => {
    const range = rangeOf(query.peek(), now.peek() / 1000, usual);
    return { range, metrics: await api.metrics(gpu.id, { metrics, ...windowFor(range) }, signal) };
  });
  const live = data.value?.range.live ?? false;
  const every = Math.max(15_000, (data.value?.metrics.interval_s ?? 0) * 1000);
  useRefresh(data.reload, summary.value?.as_of, live ? every : Number.POSITIVE_INFINITY);
  const peers = usePeers(gpu.id, signals, key, data.value);
  return { ...data, peers, at, range: data.value?.range ?? rangeOf(query.value, now.peek() / 1000, usual) };
}

function Hint({ range, lines }: { range: Range; lines: (Line | null)[] }) {
  const peers = Math.max(0, ...lines.map((l) => l?.peers?.of ?? 0));
  const busy = lines.some((l) => l?.peers?.busy) ? 'busy ' : '';
  return (
    <>
      {range.live ? `last ${spanText(range.to - range.from)}, in UTC` : rangeWords(range)}
      {peers > 0 && ` · grey band: the middle 80 % of ${count(peers, `${busy}peer`)}`} · dashed: its own limit
    </>
  );
}

/** Small multiples on one axis of time: the board, its peers, its limits, what happened. */
export function Signals({ gpu, events }: { gpu: GpuDetail; events: GpuEvent[] }) {
  const { signals, wanted, more } = useSignals();
  const { value, peers, error, reload, at, range } = useHistory(gpu, signals);
  const live = useLive(gpu.id);
  const seconds = range.to - range.from;
  const lines = useMemo(
    () =>
      signals.map((signal) => {
        const line = value && withPeers(lineOf(signal, value.metrics), peers && lineOf(signal, peers));
        return line && value.range.live ? withLive(line, signal, live[signal.metric] ?? [], seconds) : line;
      }),
    [value, peers, live, seconds, signals.length],
  );
  const end = range.live ? Math.max(range.to, ...lines.map((l) => l?.t.at(-1) ?? 0)) : range.to;
  const span = useMemo((): [number, number] => [end - seconds, end], [end, seconds]);
  const { flags, left } = useMemo(() => flagsOf(events, span[0], span[1]), [events, span]);
  const marks = useMemo(
    () => signals.map((s): Marks => ({ limit: limitOf(s, gpu.readings), flags, at })),
    [gpu.readings, flags, at, signals.length],
  );
  const asTable = query.value.get('view') === 'table';
  return (
    <Card
      title="Signals"
      class="c12 signals"
      hint={value && <Hint range={range} lines={lines} />}
      tools={<TimeRange range={range} at={at} />}
    >
      {error && <ErrorNote error={error} retry={reload} />}
      {!value && !error && <Skeleton rows={6} />}
      {value && <FlagWords flags={flags} left={left} tabHref={withQuery({ tab: 'events' })} />}
      {value && asTable && <SignalTable signals={signals} lines={lines} />}
      {value && !asTable && (
        // biome-ignore lint/a11y/noStaticElementInteractions: a shortcut; the preset buttons do the same
        <div class="sm" onDblClick={zoomOut}>
          {signals.map((signal, i) => (
            <Multiple
              key={signal.metric}
              signal={signal}
              line={lines[i] ?? null}
              span={span}
              marks={marks[i]!}
              name={gpu.name}
              asked={signal === wanted}
            />
          ))}
        </div>
      )}
      <div class="card-foot">
        <a class="btn small" href={withQuery({ more: more ? null : '1', metric: null })}>
          {more ? 'Fewer signals' : 'More signals'}
        </a>
        <a class="btn small" href={withQuery({ view: asTable ? null : 'table' })}>
          {asTable ? 'View as charts' : 'View as table'}
        </a>
        {(query.value.has('from') || query.value.has('at')) && (
          <a class="btn small" href={withQuery({ from: null, to: null, at: null, metric: null })}>
            Back to now
          </a>
        )}
      </div>
    </Card>
  );
}
