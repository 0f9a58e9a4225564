import type { Layout } from '../api';

/** One site's part of the fleet's drawing, and its cells: they follow each other in the layout's order. */
export function siteSlice(layout: Layout, bytes: Uint8Array, name: string): { layout: Layout; bytes: Uint8Array } {
  let at = 0;
  const parts: Uint8Array[] = [];
  for (const site of layout.sites) {
    const cells = site.racks.reduce((n, r) => n + r.hosts.reduce((m, h) => m + h.slots.length, 0), 0);
    if (site.name === name) parts.push(bytes.subarray(at, at + cells));
    at += cells;
  }
  const own = new Uint8Array(parts.reduce((n, p) => n + p.length, 0));
  let to = 0;
  for (const part of parts) {
    own.set(part, to);
    to += part.length;
  }
  return { layout: { ...layout, sites: layout.sites.filter((s) => s.name === name) }, bytes: own };
}
