import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { useEffect, useRef, useState } from 'preact/hooks';
import { paintVersion } from '../app/theme';
import type { Flag } from '../lib/flags';
import { axisValue } from '../lib/format';
import { joined, type Line, type Signal, yRange } from '../lib/series';

const kHeight = 112;
const kFlagRoom = 17; // above the plot, where the letters of the events stand

function tokens() {
  const probe = document.createElement('i');
  document.body.append(probe);
  const read = (token: string) => {
    probe.style.color = `var(${token})`;
    return getComputedStyle(probe).color;
  };
  const colours = {
    series: read('--series'),
    second: read('--tx2'),
    peers: read('--line2'),
    grid: read('--line'),
    text: read('--tx3'),
    strong: read('--tx2'),
    flag: read('--s2'),
    edge: read('--line2'),
    mark: read('--acc'),
  };
  probe.remove();
  return colours;
}

type Colours = ReturnType<typeof tokens>;

const seeThrough = (rgb: string, part: number) => rgb.replace('rgb(', 'rgba(').replace(')', `, ${part})`);
const kFont = '"Inter Variable", Inter, system-ui, sans-serif';

const pad = (n: number) => `${n}`.padStart(2, '0');

const short = (d: Date) => d.toLocaleDateString('en-GB', { day: 'numeric', month: 'short', timeZone: 'UTC' });

// In UTC like all times of the app; a new day shows its date, and a long window only dates.
function clock(seconds: number, step: number): string {
  const d = new Date(seconds * 1000);
  const midnight = d.getUTCHours() + d.getUTCMinutes() === 0;
  return midnight || step >= 86_400 ? short(d) : `${pad(d.getUTCHours())}:${pad(d.getUTCMinutes())}`;
}

function axes(colours: Colours, live: Live): uPlot.Axis[] {
  const common = { stroke: colours.text, font: `11px ${kFont}`, ticks: { show: false } };
  const times: uPlot.Axis.Values = (_u, splits) => splits.map((s) => clock(s, (splits[1] ?? 0) - (splits[0] ?? 0)));
  return [
    { ...common, size: 20, gap: 3, space: 60, grid: { show: false }, values: times },
    {
      ...common,
      size: 40,
      gap: 4,
      space: 34,
      grid: { stroke: colours.grid, width: 1 },
      values: (_u, splits) => splits.map((v) => axisValue(v, live.line.unit)),
    },
  ];
}

export interface Marks {
  limit: number | null; // dashed: the part's own limit
  flags: Flag[];
  at: number | null; // the moment that somebody asks about, Unix seconds
}

function vertical(u: uPlot, seconds: number, colour: string, dash: number[]): number | null {
  const x = Math.round(u.valToPos(seconds, 'x', true));
  const { left, top, width, height } = u.bbox;
  if (x < left - 1 || x > left + width + 1) return null;
  const c = u.ctx;
  c.strokeStyle = colour;
  c.lineWidth = devicePixelRatio;
  c.setLineDash(dash.map((d) => d * devicePixelRatio));
  c.beginPath();
  c.moveTo(x, top);
  c.lineTo(x, top + height);
  c.stroke();
  c.setLineDash([]);
  return x;
}

function drawFlag(u: uPlot, flag: Flag, colours: Colours): void {
  const x = vertical(u, flag.at, colours.edge, []);
  if (x === null) return;
  const c = u.ctx;
  const size = 14 * devicePixelRatio;
  const top = u.bbox.top - size - devicePixelRatio;
  const left = Math.min(u.bbox.left + u.bbox.width - size, Math.max(0, x - size / 2));
  c.fillStyle = colours.flag;
  c.strokeStyle = colours.edge;
  c.fillRect(left, top, size, size);
  c.strokeRect(left, top, size, size);
  c.fillStyle = colours.strong;
  c.font = `600 ${10 * devicePixelRatio}px ${kFont}`;
  c.textAlign = 'center';
  c.textBaseline = 'middle';
  c.fillText(flag.letter, left + size / 2, top + size / 2 + devicePixelRatio / 2);
}

function drawLimit(u: uPlot, limit: number, colours: Colours): void {
  const y = Math.round(u.valToPos(limit, 'y', true));
  const { left, top, width, height } = u.bbox;
  if (y < top - 1 || y > top + height) return;
  const c = u.ctx;
  c.strokeStyle = colours.strong;
  c.lineWidth = devicePixelRatio;
  c.setLineDash([4 * devicePixelRatio, 3 * devicePixelRatio]);
  c.beginPath();
  c.moveTo(left, y);
  c.lineTo(left + width, y);
  c.stroke();
  c.setLineDash([]);
}

function drawMarks(u: uPlot, marks: Marks, colours: Colours): void {
  u.ctx.save();
  if (marks.limit !== null) drawLimit(u, marks.limit, colours);
  for (const flag of marks.flags) drawFlag(u, flag, colours);
  if (marks.at !== null) vertical(u, marks.at, colours.mark, []);
  u.ctx.restore();
}

const known = (values: (number | null | undefined)[]) => values.filter((v) => typeof v === 'number');

// Framed by the data, the middle of the peers and the limit, unless that lies so far off that the data would be flat.
function frame(signal: Signal, line: Line, marks: Marks): [number, number] {
  const all = [line.low, line.high, line.second ?? [], line.peers?.low ?? [], line.peers?.high ?? []].flatMap(known);
  if (all.length === 0) return yRange(signal, null, null);
  let [low, high] = [Infinity, -Infinity];
  for (const v of all) {
    low = Math.min(low, v);
    high = Math.max(high, v);
  }
  const reach = Math.max(high - low, signal.minSpan) * 3;
  if (marks.limit !== null && Math.abs(marks.limit - high) < reach) high = Math.max(high, marks.limit);
  return yRange(signal, low, high);
}

function mainSeries(signal: Signal, colours: Colours): uPlot.Series {
  const main: uPlot.Series = { stroke: colours.series, width: 1.5, points: { show: false } };
  if (signal.kind === 'steps') main.paths = uPlot.paths.stepped!({ align: 1 });
  if (signal.kind === 'bars') {
    main.paths = uPlot.paths.bars!({ size: [0.8, 12, 1], align: 1 });
    main.fill = colours.series;
    main.width = 0;
  }
  return main;
}

export interface Live {
  line: Line;
  span: [number, number];
  marks: Marks;
}

// `live` moves in place: a plot is made once, its data change every second.
function options(signal: Signal, width: number, live: Live, hover: (i: number | null) => void, zoom: (a: number, b: number) => void) {
  const colours = tokens();
  const edge: uPlot.Series = { stroke: 'transparent', points: { show: false } };
  const second: uPlot.Series = { stroke: colours.second, width: 1, points: { show: false } };
  const all: uPlot.Options = {
    width,
    height: kHeight,
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), 'Etc/UTC'),
    legend: { show: false },
    padding: [kFlagRoom, 14, 0, 0],
    cursor: {
      sync: { key: 'signals', scales: ['x', null], filters: { pub: (type) => type === 'mousemove' || type === 'mouseleave' } },
      drag: { x: true, y: false, setScale: false, dist: 6 },
      bind: { dblclick: () => () => null },
      points: { size: 6 },
      y: false,
    },
    scales: { x: { time: true, range: () => live.span }, y: { range: () => frame(signal, live.line, live.marks) } },
    axes: axes(colours, live),
    series: [{}, edge, edge, edge, edge, second, mainSeries(signal, colours)],
    bands: [
      { series: [2, 1], fill: seeThrough(colours.peers, 0.55) },
      ...(signal.kind === 'line' ? [{ series: [4, 3] as [number, number], fill: seeThrough(colours.series, 0.16) }] : []),
    ],
    hooks: {
      setCursor: [(u) => hover(u.cursor.idx ?? null)],
      setSelect: [
        (u) => {
          const { left, width: wide } = u.select;
          if (wide === 0) return;
          u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
          zoom(u.posToVal(left, 'x'), u.posToVal(left + wide, 'x'));
        },
      ],
      draw: [(u) => drawMarks(u, live.marks, colours)],
    },
  };
  return all;
}

function dataOf({ t, low, high, y, second, peers }: Line): uPlot.AlignedData {
  const none = t.map(() => null);
  return [t, peers?.low ?? none, peers?.high ?? none, joined(low), joined(high), second ? joined(second) : none, joined(y)];
}

interface Props extends Live {
  signal: Signal;
  label: string;
  hover: (i: number | null) => void;
  zoom: (a: number, b: number) => void;
}

/**
 * One signal over time: line with the envelope of its buckets before the grey middle of its peers; gaps stay gaps. `hover` gets the
 * index under the pointer, `zoom` the two ends of a drag.
 */
export function Chart({ signal, label, hover, zoom, ...shown }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const live = useRef<Live>(shown);
  const [width, setWidth] = useState(0);
  const version = paintVersion.value;
  useEffect(() => {
    const observer = new ResizeObserver(([entry]) => setWidth(Math.floor(entry!.contentRect.width)));
    observer.observe(box.current!);
    return () => observer.disconnect();
  }, []);
  useEffect(() => {
    if (width === 0) return;
    const u = new uPlot(options(signal, width, live.current, hover, zoom), dataOf(live.current.line), box.current!);
    plot.current = u;
    return () => {
      u.destroy();
      plot.current = null;
    };
  }, [width, version, signal]);
  useEffect(() => {
    Object.assign(live.current, shown);
    plot.current?.setData(dataOf(shown.line));
  }, [shown.line, shown.span, shown.marks]);
  return <div class="chart" ref={box} role="img" aria-label={label} style={{ height: `${kHeight}px` }} />;
}
