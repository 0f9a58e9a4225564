import { describe, expect, it } from 'vitest';
import { kBandEdges } from './cells';
import { abgr, colourTable, mix, type Palette, parseColour, type Rgb, ramp } from './colour';

const grey = (n: number): Rgb => [n, n, n];
const palette: Palette = {
  well: grey(0),
  text: grey(255),
  dim: grey(128),
  line: grey(64),
  bands: {
    healthy: [0, 100, 0],
    watch: [200, 200, 0],
    degraded: [250, 120, 0],
    critical: [250, 0, 100],
    out_of_service: [0, 0, 200],
    no_data: grey(40),
  },
  ramp: [grey(10), grey(110), grey(210)],
};

describe('colours', () => {
  it('are read as browsers and token files write them', () => {
    expect(parseColour('rgb(12, 34, 56)')).toEqual([12, 34, 56]);
    expect(parseColour('#0c2238')).toEqual([12, 34, 56]);
  });
  it('become one word per pixel', () => {
    const bytes = new Uint8Array(Uint32Array.of(abgr([1, 2, 3])).buffer);
    expect([...bytes]).toEqual([1, 2, 3, 255]);
  });
  it('mix, and run along a ramp that never leaves its ends', () => {
    expect(mix(grey(0), grey(100), 0.25)).toEqual(grey(25));
    expect([-1, 0, 0.25, 0.5, 1, 7].map((t) => ramp(palette.ramp, t)[0])).toEqual([10, 10, 60, 110, 210, 210]);
  });
});

describe('colourTable', () => {
  it('gives each band its colour', () => {
    const table = colourTable(palette, false, kBandEdges, new Set());
    expect([100, 80, 79, 69, 49, 254, 255].map((b) => table[b])).toEqual(
      (['healthy', 'healthy', 'watch', 'degraded', 'critical', 'out_of_service', 'no_data'] as const).map((b) => abgr(palette.bands[b])),
    );
  });
  it('fades the bands that are not wanted', () => {
    const table = colourTable(palette, false, kBandEdges, new Set(['critical']));
    expect(table[10]).toBe(abgr(palette.bands.critical));
    expect(table[90]).toBe(abgr([0, 16, 0]));
  });
  it('scales the others, and keeps the two special bytes apart', () => {
    const table = colourTable(palette, true, kBandEdges, new Set(['critical']));
    expect(table[0]).toBe(abgr(grey(10)));
    expect(table[250]).toBe(abgr(grey(210)));
    expect(table[254]).toBe(abgr(palette.bands.out_of_service));
    expect(table[255]).toBe(abgr(palette.bands.no_data));
  });
});
