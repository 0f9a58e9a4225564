import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { Band, ColourMode, Layout } from '../api';
import { navigate } from '../app/router';
import { paintVersion } from '../app/theme';
import { urgent } from '../app/urgent';
import { type BandEdge, bandOfByte, type Cells, valueOfByte } from '../lib/cells';
import { abgr, colourTable } from '../lib/colour';
import { arrange, boardAt, type Geometry, neighbour } from './geometry';
import { MapTip, wordsOf } from './map_tip';
import { drawOverlay } from './overlay';
import { readPalette } from './palette';
import { paintCells, paintLoud } from './raster';

export interface MapProps {
  layout: Layout;
  health: Uint8Array;
  shown: Cells; // of the colour on screen; health itself when that is it
  mode: ColourMode;
  only: ReadonlySet<Band>;
  edges: BandEdge[];
  summaryText: string;
}

const kArrows: Record<string, [-1 | 0 | 1, -1 | 0 | 1]> = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

// The width follows the page; the height is what the fleet needs, up to most of the window.
function useWidth(box: preact.RefObject<HTMLElement>): number {
  const [width, setWidth] = useState(0);
  useEffect(() => {
    const observer = new ResizeObserver(([entry]) => setWidth(Math.floor(entry!.contentRect.width)));
    observer.observe(box.current!);
    return () => observer.disconnect();
  }, [box]);
  return width;
}

function mostHeight(width: number): number {
  return Math.round(Math.max(300, Math.min(width < 600 ? width * 1.25 : width * 0.5, innerHeight * 0.66)));
}

function draw(pixels: HTMLCanvasElement, over: HTMLCanvasElement, g: Geometry, p: MapProps, ratio: number, cursor: number | null): void {
  const palette = readPalette();
  const table = colourTable(palette, p.mode !== 'health', p.edges, p.only);
  const context = pixels.getContext('2d', { alpha: false })!;
  const image = context.createImageData(pixels.width, pixels.height);
  const words = new Uint32Array(image.data.buffer);
  paintCells(words, pixels.width, g, p.shown.bytes, table, abgr(palette.well));
  if (p.mode === 'health') {
    const loud = (byte: number) => byte < 70 && (p.only.size === 0 || p.only.has(bandOfByte(byte, p.edges)));
    paintLoud(words, pixels.width, g, p.shown.bytes, table, loud, Math.round(3 * ratio));
  }
  context.putImageData(image, 0, 0);
  drawOverlay(over.getContext('2d')!, {
    g,
    ringed: (i) => urgent.value.has(g.ids[i]!) || bandOfByte(p.health[i] ?? 255, p.edges) === 'critical',
    values: (i) => cellText(p, i),
    colour: (i) => table[p.shown.bytes[i] ?? 255]!,
    palette,
    ratio,
    cursor,
  });
}

function cellText(p: MapProps, board: number): string | null {
  const byte = p.shown.bytes[board] ?? 255;
  if (p.mode === 'health') return byte <= 100 ? `${byte}` : null;
  const value = valueOfByte(byte, p.shown.min, p.shown.max);
  if (value === null) return null;
  return `${Math.round(p.mode === 'coverage' ? value * 100 : value)}`;
}

export function FleetMap(props: MapProps) {
  const box = useRef<HTMLDivElement>(null);
  const pixels = useRef<HTMLCanvasElement>(null);
  const over = useRef<HTMLCanvasElement>(null);
  const width = useWidth(box);
  const ratio = Math.min(devicePixelRatio || 1, 3);
  const g = useMemo(
    () => (width > 0 ? arrange(props.layout, Math.floor(width * ratio), Math.floor(mostHeight(width) * ratio), ratio) : null),
    [props.layout, width, ratio],
  );
  const [cursor, setCursor] = useState<number | null>(null);
  const [pointer, setPointer] = useState<{ x: number; y: number } | null>(null);
  const version = paintVersion.value;
  const rings = urgent.value;

  useEffect(() => {
    if (g && pixels.current && over.current) draw(pixels.current, over.current, g, props, ratio, cursor);
  }, [g, props.shown, props.health, props.mode, props.only, props.edges, cursor, version, rings]);

  const at = (e: MouseEvent) => {
    const b = pixels.current!.getBoundingClientRect();
    return g && boardAt(g, (e.clientX - b.left) * ratio, (e.clientY - b.top) * ratio);
  };
  const open = (board: number | null) => {
    if (g && board !== null) navigate(`/gpus/${encodeURIComponent(g.ids[board]!)}`);
  };
  const move = (e: PointerEvent) => {
    const board = at(e);
    setCursor(board);
    setPointer(board === null ? null : { x: e.clientX, y: e.clientY });
  };
  const leave = () => {
    setCursor(null);
    setPointer(null);
  };
  const key = (e: KeyboardEvent) => {
    if (!g || g.ids.length === 0) return;
    const arrow = kArrows[e.key];
    if (e.key === 'Enter') return open(cursor);
    if (e.key === 'Escape') return leave();
    if (!arrow) return;
    e.preventDefault();
    const next = cursor === null ? 0 : neighbour(g, cursor, ...arrow);
    const b = pixels.current!.getBoundingClientRect();
    setCursor(next);
    setPointer({ x: b.left + (g.xs[next]! + g.cell) / ratio, y: b.top + (g.ys[next]! + g.cell) / ratio });
  };
  const height = g ? g.height / ratio : 300;
  const size = { width: Math.floor(width * ratio), height: g?.height ?? 0, style: { width: `${width}px`, height: `${height}px` } };
  return (
    <>
      <div
        class="map"
        ref={box}
        role="application"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: its keys need the focus
        tabIndex={0}
        data-testid="fleet-map"
        data-cells={g?.ids.length ?? 0}
        aria-label={`Fleet map. ${props.summaryText} Arrow keys move between GPUs, Enter opens one. The table below the map has the same facts.`}
        style={{ minHeight: `${height}px` }}
        onPointerMove={move}
        onPointerLeave={leave}
        onClick={(e) => open(at(e))}
        onKeyDown={key}
        onBlur={leave}
      >
        <canvas ref={pixels} {...size} />
        <canvas ref={over} {...size} />
      </div>
      <p class="vh" role="status">
        {g && cursor !== null && wordsOf(g, props, cursor)}
      </p>
      {g && cursor !== null && pointer && <MapTip g={g} map={props} board={cursor} at={pointer} />}
    </>
  );
}
