import { expect, it } from 'vitest';
import type { Layout } from '../api';
import { siteSlice } from './site';

const site = (name: string, ...slots: string[][]) => ({
  name,
  region: '',
  racks: [{ name: 'r', hosts: slots.map((s) => ({ name: '', silent: false, slots: s })) }],
});

it('a site has its own cells, in their order', () => {
  const layout: Layout = { as_of: '', layout_version: 1, sites: [site('a', ['1', '2']), site('b', ['3'], ['4', '5']), site('c', ['6'])] };
  const slice = siteSlice(layout, new Uint8Array([10, 20, 30, 40, 50, 60]), 'b');
  expect([...slice.bytes]).toEqual([30, 40, 50]);
  expect(slice.layout.sites.map((s) => s.name)).toEqual(['b']);
  expect(siteSlice(layout, new Uint8Array(6), 'none').bytes).toHaveLength(0);
});
