// Cells into pixels. One word per pixel, no canvas calls per cell: 100,000 boards stay within a frame.
import type { Geometry } from './geometry';

/** Fills `pixels` (width x height of words) with the well and then a square per board. */
export function paintCells(pixels: Uint32Array, width: number, g: Geometry, bytes: Uint8Array, table: Uint32Array, well: number): void {
  pixels.fill(well);
  const height = Math.floor(pixels.length / width);
  const n = Math.min(bytes.length, g.ids.length);
  for (let i = 0; i < n; i++) {
    const x0 = Math.floor(g.xs[i]!);
    const y0 = Math.floor(g.ys[i]!);
    const x1 = Math.min(width, Math.max(x0 + 1, Math.floor(g.xs[i]! + g.cell) - g.gap));
    const y1 = Math.min(height, Math.max(y0 + 1, Math.floor(g.ys[i]! + g.cell) - g.gap));
    fill(pixels, width, x0, y0, x1, y1, table[bytes[i]!]!);
  }
}

/** Bad boards never shrink below `least` pixels: painted again, larger, over their neighbours. */
export function paintLoud(
  pixels: Uint32Array,
  width: number,
  g: Geometry,
  bytes: Uint8Array,
  table: Uint32Array,
  loud: (byte: number) => boolean,
  least: number,
) {
  if (g.cell >= least) return;
  const height = Math.floor(pixels.length / width);
  const n = Math.min(bytes.length, g.ids.length);
  for (let i = 0; i < n; i++) {
    if (!loud(bytes[i]!)) continue;
    const x0 = Math.max(0, Math.round(g.xs[i]! + g.cell / 2 - least / 2));
    const y0 = Math.max(0, Math.round(g.ys[i]! + g.cell / 2 - least / 2));
    fill(pixels, width, x0, y0, Math.min(width, x0 + least), Math.min(height, y0 + least), table[bytes[i]!]!);
  }
}

function fill(pixels: Uint32Array, width: number, x0: number, y0: number, x1: number, y1: number, colour: number): void {
  for (let y = y0; y < y1; y++) pixels.fill(colour, y * width + x0, y * width + x1);
}
