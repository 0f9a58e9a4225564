import { describe, expect, it } from 'vitest';
import type { Layout } from '../api';
import { arrange, boardAt, cellSize, hostOf, neighbour } from './geometry';
import { paintCells, paintLoud } from './raster';

function fleet(sites: number, racks: number, hosts: number, slots: number): Layout {
  let id = 0;
  return {
    as_of: '',
    layout_version: 1,
    sites: Array.from({ length: sites }, (_, s) => ({
      name: `dc${s}`,
      region: 'r',
      racks: Array.from({ length: racks }, (_, r) => ({
        name: `R${r}`,
        hosts: Array.from({ length: hosts }, (_, h) => ({
          name: `dc${s}-R${r}-h${h}`,
          silent: false,
          slots: Array.from({ length: slots }, () => `S${id++}`),
        })),
      })),
    })),
  };
}

const shapes: [string, Layout][] = [
  ['one board', fleet(1, 1, 1, 1)],
  ['64 hosts', fleet(2, 8, 4, 8)],
  ['10,000 boards', fleet(4, 52, 6, 8)],
  ['98,304 boards', fleet(4, 512, 6, 8)],
  ['a rack of 72', fleet(1, 8, 18, 4)],
  ['500 hosts in no rack', fleet(1, 1, 500, 8)],
];

describe('arrange', () => {
  for (const [name, layout] of shapes)
    for (const [width, height, ratio] of [
      [850, 392, 1],
      [366, 420, 1],
      [1500, 900, 2],
    ] as const)
      it(`${name} in ${width} x ${height}: all inside, none over another, found again`, () => {
        const g = arrange(layout, width, height, ratio);
        if (g.cell > 1) expect(g.height).toBeLessThanOrEqual(height);
        const step = Math.max(1, Math.floor(g.ids.length / 500));
        for (let i = 0; i < g.ids.length; i += step) {
          expect(g.xs[i]).toBeGreaterThanOrEqual(0);
          expect(g.xs[i]! + g.cell).toBeLessThanOrEqual(width);
          expect(g.ys[i]! + g.cell).toBeLessThanOrEqual(g.height);
          expect(boardAt(g, g.xs[i]! + g.cell / 2, g.ys[i]! + g.cell / 2)).toBe(i);
        }
        expect(new Set(g.ids.map((_, i) => `${g.xs[i]} ${g.ys[i]}`)).size).toBe(g.ids.length);
      });

  it('gives fewer boards larger cells', () => {
    const sizes = [fleet(1, 1, 4, 8), fleet(2, 8, 4, 8), fleet(4, 52, 6, 8)].map((l) => cellSize(l, 850, 392, 1));
    expect(sizes[0]).toBeGreaterThan(sizes[1]!);
    expect(sizes[1]).toBeGreaterThan(sizes[2]!);
  });

  it('keeps the order of the layout', () =>
    expect(arrange(fleet(2, 2, 2, 2), 800, 400, 1).ids).toEqual(Array.from({ length: 16 }, (_, i) => `S${i}`)));
});

describe('looking up', () => {
  const layout = fleet(1, 2, 2, 4);
  layout.sites[0]!.racks[0]!.hosts.splice(1, 0, { name: 'empty', silent: true, slots: [] });
  const g = arrange(layout, 600, 400, 1);
  it('names the host, also beside one without boards', () => {
    expect(hostOf(g, 0).name).toBe('dc0-R0-h0');
    expect(hostOf(g, 4).name).toBe('dc0-R0-h1');
    expect(hostOf(g, 15).name).toBe('dc0-R1-h1');
  });
  it('finds nothing between the racks', () => expect(boardAt(g, 1, 1)).toBeNull());
  it('walks by arrow keys, and stays at the edge', () => {
    expect(neighbour(g, 0, 1, 0)).toBe(1);
    expect(neighbour(g, 0, 0, 1)).toBe(4);
    expect(neighbour(g, 3, 1, 0)).toBe(8);
    expect(neighbour(g, 0, -1, 0)).toBe(0);
    expect(neighbour(g, 0, 0, -1)).toBe(0);
  });
});

describe('paintCells', () => {
  const g = arrange(fleet(1, 1, 2, 2), 200, 120, 1);
  const table = Uint32Array.from({ length: 256 }, (_, i) => 1000 + i);
  it('puts each byte where its board is, and the well elsewhere', () => {
    const pixels = new Uint32Array(200 * g.height);
    paintCells(pixels, 200, g, Uint8Array.of(1, 2, 3, 4), table, 7);
    [1, 2, 3, 4].forEach((byte, i) => {
      expect(pixels[(g.ys[i]! + 1) * 200 + g.xs[i]! + 1]).toBe(1000 + byte);
    });
    expect(pixels[0]).toBe(7);
    expect(pixels[(g.ys[0]! + 1) * 200 + g.xs[1]! - 1]).toBe(7);
  });
  it('draws no board that the cells do not have yet', () => {
    const pixels = new Uint32Array(200 * g.height);
    paintCells(pixels, 200, g, Uint8Array.of(1), table, 7);
    expect(new Set(pixels)).toEqual(new Set([7, 1001]));
  });
  it('never lets a bad board shrink away', () => {
    const tiny = arrange(fleet(4, 512, 6, 8), 300, 200, 1);
    const pixels = new Uint32Array(300 * tiny.height);
    const bytes = new Uint8Array(tiny.ids.length).fill(97);
    bytes[50_000] = 12;
    paintLoud(pixels, 300, tiny, bytes, table, (b) => b < 50, 3);
    expect(pixels.filter((p) => p === 1012).length).toBe(9);
  });
});
