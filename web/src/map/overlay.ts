// What lies over the cells: names, rings round critical boards, scores where there is room, the cursor.
import type { Palette } from '../lib/colour';
import type { Geometry, Label } from './geometry';
import { css } from './palette';

export interface Overlay {
  g: Geometry;
  ringed: (board: number) => boolean;
  values: ((board: number) => string | null) | null; // text inside the cells
  colour: (board: number) => number; // its pixel
  palette: Palette;
  ratio: number;
  cursor: number | null;
}

const kSans = '"Inter Variable", Inter, system-ui, sans-serif';
const kTextFrom = 20; // CSS pixels of a cell from which two digits can be read

export function drawOverlay(c: CanvasRenderingContext2D, o: Overlay): void {
  c.clearRect(0, 0, c.canvas.width, c.canvas.height);
  c.textBaseline = 'alphabetic';
  for (const label of o.g.sites) drawSite(c, o, label);
  for (const label of o.g.racks) drawRack(c, o, label);
  drawSilent(c, o);
  const roomy = o.g.cell >= kTextFrom * o.ratio;
  if (roomy && o.values) drawValues(c, o, o.values);
  drawRings(c, o);
  if (o.cursor !== null) drawCursor(c, o, o.cursor);
}

function drawSite(c: CanvasRenderingContext2D, o: Overlay, label: Label): void {
  c.font = `600 ${11.5 * o.ratio}px ${kSans}`;
  c.fillStyle = css(o.palette.text);
  c.fillText(label.text, label.x, label.y);
  const after = c.measureText(`${label.text}  `).width;
  c.font = `400 ${11.5 * o.ratio}px ${kSans}`;
  c.fillStyle = css(o.palette.dim);
  c.fillText(`${Number(label.hint).toLocaleString('en-US')} GPUs`, label.x + after, label.y);
}

function drawRack(c: CanvasRenderingContext2D, o: Overlay, label: Label): void {
  c.font = `500 ${10 * o.ratio}px ${kSans}`;
  c.fillStyle = css(o.palette.dim);
  const short = label.text.split('-').pop() ?? '';
  const text = c.measureText(label.text).width <= label.width ? label.text : short;
  if (c.measureText(text).width <= label.width) c.fillText(text, label.x, label.y);
}

// A silent host is struck through: its last values may stand there, but nobody vouches for them.
function drawSilent(c: CanvasRenderingContext2D, o: Overlay): void {
  c.strokeStyle = css(o.palette.text);
  c.lineWidth = Math.max(1, 1.25 * o.ratio);
  for (const host of o.g.hosts) {
    if (!host.silent || host.slots === 0) continue;
    const y = host.y + (o.g.cell - o.g.gap) / 2;
    c.beginPath();
    c.moveTo(host.x - 3 * o.ratio, y);
    c.lineTo(host.x + host.slots * o.g.cell - o.g.gap + 3 * o.ratio, y);
    c.stroke();
  }
}

function drawValues(c: CanvasRenderingContext2D, o: Overlay, values: (board: number) => string | null): void {
  const { g, ratio } = o;
  c.font = `600 ${Math.min(g.cell * 0.38, 18 * ratio)}px ${kSans}`;
  c.textAlign = 'center';
  c.textBaseline = 'middle';
  for (let i = 0; i < g.ids.length; i++) {
    const text = values(i);
    if (!text) continue;
    c.fillStyle = inkOn(o.colour(i));
    c.fillText(text, g.xs[i]! + (g.cell - g.gap) / 2, g.ys[i]! + (g.cell - g.gap) / 2 + ratio * 0.5);
  }
  c.textAlign = 'left';
  c.textBaseline = 'alphabetic';
}

// Black or white, whichever stands out from the cell's own colour.
function inkOn(pixel: number): string {
  const light = 0.299 * (pixel & 255) + 0.587 * ((pixel >> 8) & 255) + 0.114 * ((pixel >> 16) & 255);
  return light > 140 ? '#0b0e12' : '#ffffff';
}

// A circle round a small cell, a frame round one that carries a number; both with a rim, to stand off their neighbours.
function drawRings(c: CanvasRenderingContext2D, o: Overlay): void {
  const { g, ratio } = o;
  const size = g.cell - g.gap;
  const framed = g.cell >= kTextFrom * ratio;
  const radius = Math.max(5.5 * ratio, g.cell * 0.85);
  for (let i = 0; i < g.ids.length; i++) {
    if (!o.ringed(i)) continue;
    c.beginPath();
    if (framed) c.rect(g.xs[i]! - ratio, g.ys[i]! - ratio, size + 2 * ratio, size + 2 * ratio);
    else c.arc(g.xs[i]! + size / 2, g.ys[i]! + size / 2, radius, 0, 7);
    c.strokeStyle = css(o.palette.well);
    c.lineWidth = (framed ? 5 : 3.6) * ratio;
    c.stroke();
    c.strokeStyle = css(o.palette.bands.critical);
    c.lineWidth = (framed ? 2.4 : 1.6) * ratio;
    c.stroke();
  }
}

function drawCursor(c: CanvasRenderingContext2D, o: Overlay, board: number): void {
  const { g, ratio } = o;
  const size = Math.max(g.cell - g.gap, 4 * ratio);
  c.strokeStyle = css(o.palette.text);
  c.lineWidth = 2 * ratio;
  c.strokeRect(g.xs[board]! - 1.5 * ratio, g.ys[board]! - 1.5 * ratio, size + 3 * ratio, size + 3 * ratio);
}
