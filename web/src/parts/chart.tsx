import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { useEffect, useRef, useState } from 'preact/hooks';
import { paintVersion } from '../app/theme';
import { type Line, type Signal, yRange } from '../lib/series';

const kHeight = 104;

function tokens() {
  const probe = document.createElement('i');
  document.body.append(probe);
  const read = (token: string) => {
    probe.style.color = `var(${token})`;
    return getComputedStyle(probe).color;
  };
  const colours = { series: read('--series'), grid: read('--line'), text: read('--tx3') };
  probe.remove();
  return colours;
}

const seeThrough = (rgb: string) => rgb.replace('rgb(', 'rgba(').replace(')', ', 0.16)');

const pad = (n: number) => `${n}`.padStart(2, '0');

// In UTC like all times of the app; a new day shows its date.
function clock(seconds: number): string {
  const d = new Date(seconds * 1000);
  const midnight = d.getUTCHours() + d.getUTCMinutes() === 0;
  return midnight
    ? d.toLocaleDateString('en-GB', { day: 'numeric', month: 'short', timeZone: 'UTC' })
    : `${pad(d.getUTCHours())}:${pad(d.getUTCMinutes())}`;
}

function axes(colours: ReturnType<typeof tokens>): uPlot.Axis[] {
  const font = '11px "Inter Variable", Inter, system-ui, sans-serif';
  const common = { stroke: colours.text, font, ticks: { show: false } };
  return [
    { ...common, size: 20, gap: 3, space: 60, grid: { show: false }, values: (_u, splits) => splits.map(clock) },
    { ...common, size: 40, gap: 4, space: 34, grid: { stroke: colours.grid, width: 1 } },
  ];
}

function options(signal: Signal, width: number, span: [number, number], hover: (i: number | null) => void): uPlot.Options {
  const colours = tokens();
  const steps = signal.kind === 'steps';
  const edge: uPlot.Series = { stroke: 'transparent', points: { show: false } };
  const main: uPlot.Series = { stroke: colours.series, width: 1.5, points: { show: false } };
  if (steps) main.paths = uPlot.paths.stepped!({ align: 1 });
  return {
    width,
    height: kHeight,
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), 'Etc/UTC'),
    legend: { show: false },
    padding: [6, 4, 0, 0],
    cursor: { sync: { key: 'signals', scales: ['x', null] }, drag: { x: false, y: false }, points: { size: 6 }, y: false },
    scales: { x: { time: true, range: () => span }, y: { range: (_u, low, high) => yRange(signal, low, high) } },
    axes: axes(colours),
    series: [{}, edge, edge, main],
    bands: steps ? [] : [{ series: [2, 1], fill: seeThrough(colours.series) }],
    hooks: { setCursor: [(u) => hover(u.cursor.idx ?? null)] },
  };
}

const dataOf = (line: Line): uPlot.AlignedData => [line.t, line.low, line.high, line.y];

/** One signal over time: line with the envelope of its buckets; gaps stay gaps. `hover` gets the index under the pointer. */
export function Chart(props: { signal: Signal; line: Line; span: [number, number]; label: string; hover: (i: number | null) => void }) {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const span = useRef(props.span);
  const [width, setWidth] = useState(0);
  const version = paintVersion.value;
  useEffect(() => {
    const observer = new ResizeObserver(([entry]) => setWidth(Math.floor(entry!.contentRect.width)));
    observer.observe(box.current!);
    return () => observer.disconnect();
  }, []);
  useEffect(() => {
    if (width === 0) return;
    const live = span.current;
    const u = new uPlot(options(props.signal, width, live, props.hover), dataOf(props.line), box.current!);
    plot.current = u;
    return () => {
      u.destroy();
      plot.current = null;
    };
  }, [width, version, props.signal]);
  useEffect(() => {
    // The array is shared with the scale's range function: it moves in place.
    span.current[0] = props.span[0];
    span.current[1] = props.span[1];
    plot.current?.setData(dataOf(props.line));
  }, [props.line, props.span]);
  return <div class="chart" ref={box} role="img" aria-label={props.label} style={{ height: `${kHeight}px` }} />;
}
