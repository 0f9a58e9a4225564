// Colours for canvases, which cannot use CSS variables: resolved once per theme, then looked up by byte.
import type { Band } from '../api';
import { type BandEdge, bandOfByte, kNoData, kOutOfService, kScaleSteps } from './cells';

export type Rgb = [number, number, number];

/** "rgb(12, 34, 56)", "rgba(…)" or "#0c2238". */
export function parseColour(text: string): Rgb {
  const hex = /^#([0-9a-f]{6})/i.exec(text.trim());
  if (hex) return [0, 2, 4].map((i) => Number.parseInt(hex[1]!.slice(i, i + 2), 16)) as Rgb;
  const parts = text.match(/[\d.]+/g)?.map(Number) ?? [];
  return [parts[0] ?? 0, parts[1] ?? 0, parts[2] ?? 0];
}

export function mix(a: Rgb, b: Rgb, t: number): Rgb {
  return [0, 1, 2].map((i) => Math.round(a[i]! + (b[i]! - a[i]!) * t)) as Rgb;
}

/** As ImageData holds a pixel, read as one little-endian word. */
export function abgr([r, g, b]: Rgb): number {
  return ((255 << 24) | (b << 16) | (g << 8) | r) >>> 0;
}

export function ramp(stops: Rgb[], t: number): Rgb {
  const at = Math.min(Math.max(t, 0), 1) * (stops.length - 1);
  const i = Math.min(stops.length - 2, Math.floor(at));
  return mix(stops[i]!, stops[i + 1]!, at - i);
}

export interface Palette {
  well: Rgb;
  text: Rgb;
  dim: Rgb;
  line: Rgb;
  bands: Record<Band, Rgb>;
  ramp: Rgb[];
}

/** The colour of each byte. `only`: the bands to show; the others fade. */
export function colourTable(palette: Palette, scaled: boolean, edges: BandEdge[], only: ReadonlySet<Band>): Uint32Array {
  return Uint32Array.from({ length: 256 }, (_, byte) => {
    const colour = scaled ? scaledColour(palette, byte) : palette.bands[bandOfByte(byte, edges)];
    const faded = !scaled && only.size > 0 && !only.has(bandOfByte(byte, edges));
    return abgr(faded ? mix(colour, palette.well, 0.84) : colour);
  });
}

function scaledColour(palette: Palette, byte: number): Rgb {
  if (byte === kOutOfService) return palette.bands.out_of_service;
  if (byte === kNoData || byte > kScaleSteps) return palette.bands.no_data;
  return ramp(palette.ramp, byte / kScaleSteps);
}
