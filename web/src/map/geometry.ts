// Where every board of the fleet is drawn. A rack is a block with a row per host; blocks flow like words, sites like
// paragraphs that may share a line. Pure: device pixels in, positions out.
import type { Layout } from '../api';

export interface Label {
  text: string;
  hint: string; // drawn quieter behind it
  x: number;
  y: number;
  width: number;
}

export interface Block {
  rack: string;
  site: string;
  x: number;
  y: number;
  first: number; // index of its first host in `hosts`
  hosts: number;
  width: number;
  height: number;
}

export interface Host {
  name: string;
  rack: string;
  site: string;
  silent: boolean;
  first: number; // index of its first board
  slots: number;
  x: number;
  y: number;
}

export interface Geometry {
  cell: number;
  gap: number; // between cells, inside `cell`
  height: number;
  xs: Float32Array; // of every board
  ys: Float32Array;
  ids: string[];
  hosts: Host[];
  blocks: Block[];
  sites: Label[];
  racks: Label[];
}

interface Sizes {
  cell: number;
  rackGap: number;
  siteGap: number;
  siteHead: number;
  rackHead: number;
  margin: number;
}

const kRackNameFrom = 9; // CSS pixels of a cell from which rack names fit

function sizesFor(cell: number, ratio: number): Sizes {
  return {
    cell,
    rackGap: Math.max(1, Math.round(Math.min(cell * 0.8, 18 * ratio))),
    siteGap: Math.round(18 * ratio),
    siteHead: Math.round(20 * ratio),
    rackHead: cell >= kRackNameFrom * ratio ? Math.round(15 * ratio) : 0,
    margin: Math.round(12 * ratio),
  };
}

const kLargestCell = 34; // CSS pixels
const kMostRows = 20;
const kRowsOfPart = 8;

/** Hosts whose rack is not known come as one long "rack": cut into parts, so that one column does not dictate the size. */
export function cutTall(layout: Layout): Layout {
  const parts = (rack: Layout['sites'][0]['racks'][0]) => {
    if (rack.hosts.length <= kMostRows) return [rack];
    const n = Math.ceil(rack.hosts.length / kRowsOfPart);
    return Array.from({ length: n }, (_, i) => ({
      name: i === 0 ? rack.name : '',
      hosts: rack.hosts.slice(i * kRowsOfPart, (i + 1) * kRowsOfPart),
    }));
  };
  return { ...layout, sites: layout.sites.map((site) => ({ ...site, racks: site.racks.flatMap(parts) })) };
}

interface Rack {
  site: number;
  name: string;
  rows: number;
  columns: number;
}

function racksOf(layout: Layout): Rack[] {
  return layout.sites.flatMap((site, i) =>
    site.racks.map((rack) => ({
      site: i,
      name: rack.name,
      rows: rack.hosts.length,
      columns: Math.max(1, ...rack.hosts.map((h) => h.slots.length)),
    })),
  );
}

interface Placed {
  x: number;
  y: number;
  startsSite: boolean;
}

// How far each site reaches when all its racks stand in one line.
function siteWidths(racks: Rack[], s: Sizes): number[] {
  const widths: number[] = [];
  for (const rack of racks) widths[rack.site] = (widths[rack.site] ?? -s.rackGap) + Math.ceil(rack.columns * s.cell) + s.rackGap;
  return widths;
}

// Greedy lines of racks, as words in a paragraph; a site that does not fit behind another begins a line of its own.
function linesOf(racks: Rack[], s: Sizes, width: number): { rack: Rack; x: number; startsSite: boolean }[][] {
  const sites = siteWidths(racks, s);
  const end = width - s.margin;
  const lines: { rack: Rack; x: number; startsSite: boolean }[][] = [[]];
  let x = s.margin;
  let site = -1;
  for (const rack of racks) {
    const w = Math.ceil(rack.columns * s.cell);
    const startsSite = rack.site !== site;
    if (startsSite && x > s.margin) x += s.siteGap;
    if (x > s.margin && x + (startsSite ? sites[rack.site]! : w) > end) {
      x = s.margin;
      lines.push([]);
    }
    lines.at(-1)!.push({ rack, x, startsSite });
    site = rack.site;
    x += w + s.rackGap;
  }
  return lines;
}

// A line is as high as its highest rack, and has a head only where a site begins.
function flow(racks: Rack[], s: Sizes, width: number): { placed: Placed[]; height: number } {
  const placed: Placed[] = [];
  let y = s.margin;
  for (const line of linesOf(racks, s, width)) {
    const head = s.rackHead + (line.some((r) => r.startsSite) ? s.siteHead : 0);
    for (const { x, startsSite } of line) placed.push({ x, y: y + head, startsSite });
    y += head + Math.ceil(Math.max(0, ...line.map((r) => r.rack.rows)) * s.cell) + s.rackGap;
  }
  return { placed, height: y - s.rackGap + s.margin };
}

/** The largest cell for which all racks fit into width x maxHeight: whole pixels above 4, quarters below; never under one
 *  pixel, the map is then higher than asked. */
export function cellSize(layout: Layout, width: number, maxHeight: number, ratio: number): number {
  const racks = racksOf(layout);
  const widest = Math.max(1, ...racks.map((r) => r.columns));
  let cell = Math.floor(Math.max(kLargestCell * ratio, width / 40)); // walls may have larger ones
  while (cell > 1) {
    const s = sizesFor(cell, ratio);
    if (widest * cell <= width - 2 * s.margin && flow(racks, s, width).height <= maxHeight) break;
    cell -= cell > 4 ? 1 : 0.25;
  }
  return fewerLines(racks, cell, width, ratio);
}

// A little smaller is better when it saves a line: racks that stand side by side can be compared.
function fewerLines(racks: Rack[], best: number, width: number, ratio: number): number {
  const lines = (cell: number) => linesOf(racks, sizesFor(cell, ratio), width).length;
  const now = lines(best);
  for (let cell = best - 1; cell >= Math.max(5, best * 0.78); cell--) if (lines(cell) < now) return cell;
  return best;
}

// Room that is left over goes between the racks, as long as no line breaks anew.
function spread(racks: Rack[], s: Sizes, width: number, maxHeight: number): Sizes {
  const lines = linesOf(racks, s, width).length;
  let roomy = s;
  for (let gap = s.rackGap + 1; gap <= s.rackGap + s.cell * 1.6; gap++) {
    const next = { ...s, rackGap: gap };
    if (linesOf(racks, next, width).length > lines || flow(racks, next, width).height > maxHeight) break;
    roomy = next;
  }
  return roomy;
}

/** Positions in device pixels. O(boards) per tried size. */
export function arrange(full: Layout, width: number, maxHeight: number, ratio: number): Geometry {
  const layout = cutTall(full);
  const cell = cellSize(layout, width, maxHeight, ratio);
  const s = spread(racksOf(layout), sizesFor(cell, ratio), width, maxHeight);
  const { placed, height } = flow(racksOf(layout), s, width);
  const total = layout.sites.flatMap((site) => site.racks.flatMap((r) => r.hosts)).reduce((n, h) => n + h.slots.length, 0);
  const g: Geometry = {
    cell,
    gap: cell >= 4 ? Math.max(1, Math.round(cell * 0.11)) : 0,
    height: Math.ceil(height),
    xs: new Float32Array(total),
    ys: new Float32Array(total),
    ids: [],
    hosts: [],
    blocks: [],
    sites: [],
    racks: [],
  };
  let r = 0;
  for (const site of layout.sites)
    for (const rack of site.racks) {
      const at = placed[r++]!;
      if (at.startsSite) g.sites.push(siteLabel(site.name, site.racks, at, s, ratio, width));
      addRack(g, site.name, rack, at, s, ratio);
    }
  return g;
}

function siteLabel(name: string, racks: Layout['sites'][0]['racks'], at: Placed, s: Sizes, ratio: number, width: number): Label {
  const gpus = racks.reduce((n, r) => n + r.hosts.reduce((m, h) => m + h.slots.length, 0), 0);
  return { text: name, hint: `${gpus}`, x: at.x, y: at.y - s.rackHead - Math.round(8 * ratio), width: width - at.x };
}

// The site's name stands above already.
const shortName = (rack: string, site: string) => (site && rack.startsWith(`${site}-`) ? rack.slice(site.length + 1) : rack);

function addRack(g: Geometry, site: string, rack: Layout['sites'][0]['racks'][0], at: Placed, s: Sizes, ratio: number): void {
  const columns = Math.max(1, ...rack.hosts.map((h) => h.slots.length));
  const block = { rack: rack.name, site, x: at.x, y: at.y, first: g.hosts.length, hosts: rack.hosts.length };
  g.blocks.push({ ...block, width: columns * s.cell, height: rack.hosts.length * s.cell });
  if (s.rackHead > 0)
    g.racks.push({ text: shortName(rack.name, site), hint: '', x: at.x, y: at.y - Math.round(4 * ratio), width: columns * s.cell });
  rack.hosts.forEach((host, row) => {
    const y = at.y + row * s.cell;
    g.hosts.push({
      name: host.name,
      rack: rack.name,
      site,
      silent: host.silent,
      first: g.ids.length,
      slots: host.slots.length,
      x: at.x,
      y,
    });
    host.slots.forEach((id, column) => {
      g.xs[g.ids.length] = at.x + column * s.cell;
      g.ys[g.ids.length] = y;
      g.ids.push(id);
    });
  });
}

/** The board under a point, or null. */
export function boardAt(g: Geometry, x: number, y: number): number | null {
  const block = g.blocks.find((b) => x >= b.x && x < b.x + b.width && y >= b.y && y < b.y + b.height);
  if (!block) return null;
  const host = g.hosts[block.first + Math.floor((y - block.y) / g.cell)];
  const column = Math.floor((x - block.x) / g.cell);
  return host && column < host.slots ? host.first + column : null;
}

/** The host that a board stands in. */
export function hostOf(g: Geometry, board: number): Host {
  let low = 0;
  let high = g.hosts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (g.hosts[middle]!.first <= board) low = middle;
    else high = middle - 1;
  }
  // Hosts without boards share `first` with the next one that has some; the last of them is it.
  return g.hosts[low]!;
}

/** Where an arrow key leads: the nearest board whose centre lies that way, straight ahead before sideways. */
export function neighbour(g: Geometry, board: number, dx: -1 | 0 | 1, dy: -1 | 0 | 1): number {
  let best = board;
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < g.ids.length; i++) {
    const x = g.xs[i]! - g.xs[board]!;
    const y = g.ys[i]! - g.ys[board]!;
    const ahead = x * dx + y * dy;
    if (ahead <= 0) continue;
    const aside = Math.abs(dx ? y : x);
    const cost = ahead + 3 * aside;
    if (cost < least) {
      least = cost;
      best = i;
    }
  }
  return best;
}
