import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { type APIRequestContext, expect, type Page } from '@playwright/test';
import type { FleetSummary, Gpu, GpuDetail, GpuHealth } from '../src/api';

export const serverUrl = process.env.GHM_URL ?? '';
const injectPort = process.env.GHM_INJECT_PORT ?? '';

/** The administrator's key. In its file: in the environment it would be seen by every program of the machine. */
export const token = () => readFileSync(process.env.GHM_TOKEN_FILE ?? '', 'utf8').trim();

export async function useKey(page: Page, key: string): Promise<void> {
  await page.getByLabel('Key, kept in this tab only').fill(key);
  await page.getByRole('button', { name: 'Use key' }).click();
}

export async function takeAssets(request: APIRequestContext, items: object[]): Promise<void> {
  const answer = await request.post(`${serverUrl}/api/v1/assets`, {
    data: { items, simulated: true },
    headers: { Authorization: `Bearer ${token()}` },
  });
  expect(await answer.json()).toMatchObject({ accepted: items.length, refused: [] });
}

/** A refused key and an answer that a test spoils are on purpose; the browser reports both. */
export const unplanned = (wrong: string[]) => wrong.filter((w) => !w.includes('Failed to load resource'));

/** Everything that must not happen while a page is open: errors in the console, refused content, other origins. */
export function watch(page: Page): string[] {
  const wrong: string[] = [];
  page.on('console', (m) => {
    if (m.type() === 'error') wrong.push(`console: ${m.text()}`);
  });
  page.on('pageerror', (e) => wrong.push(`error: ${e.message}`));
  page.on('request', (r) => {
    if (new URL(r.url()).origin !== new URL(serverUrl).origin) wrong.push(`foreign request: ${r.url()}`);
  });
  return wrong;
}

export async function get<T>(request: APIRequestContext, path: string): Promise<T> {
  const response = await request.get(`${serverUrl}/api/v1${path}`);
  expect(response.ok(), path).toBe(true);
  return response.json();
}

export const summaryOf = (request: APIRequestContext) => get<FleetSummary>(request, '/fleet/summary');

/** Healthy boards that answer, each on another host, so that one fault does not disturb the next test. */
export async function healthyBoards(request: APIRequestContext, n: number): Promise<Gpu[]> {
  const { items } = await get<{ items: Gpu[] }>(request, '/gpus?sort=-score&limit=1000');
  const hosts = new Map<string, Gpu>();
  for (const gpu of items) if (!gpu.silent && gpu.in_service && gpu.temperature !== null && !hosts.has(gpu.host)) hosts.set(gpu.host, gpu);
  expect(hosts.size, 'hosts with a healthy board').toBeGreaterThanOrEqual(n);
  return [...hosts.values()].slice(0, n);
}

export const detailOf = (request: APIRequestContext, id: string) => get<GpuDetail>(request, `/gpus/${encodeURIComponent(id)}`);

export async function inject(request: APIRequestContext, gpu: string, fault: string): Promise<void> {
  const response = await request.post(`http://127.0.0.1:${injectPort}/-/inject`, { data: { gpu, fault } });
  expect(response.ok(), `inject ${fault}: ${await response.text()}`).toBe(true);
}

export const sideways = (page: Page) => page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);

export async function shot(page: Page, name: string): Promise<void> {
  if (!process.env.GHM_SHOTS) return;
  await page.waitForTimeout(400);
  await page.screenshot({ path: `${process.env.GHM_SHOTS}/${name}.png`, fullPage: true });
}

/** How many different colours the fleet map's own pixels have. */
export const mapColours = (page: Page) =>
  page.getByTestId('fleet-map').evaluate((map) => {
    const canvas = map.querySelector('canvas')!;
    const data = canvas.getContext('2d')!.getImageData(0, 0, canvas.width, canvas.height).data;
    const seen = new Set<number>();
    for (let i = 0; i < data.length; i += 4) seen.add((data[i]! << 16) | (data[i + 1]! << 8) | data[i + 2]!);
    return seen.size;
  });

/** With the administrator's key; forms say no longer why not. */
export async function becomeOperator(page: Page): Promise<void> {
  await useKey(page, token());
  await expect(page.getByTestId('why-not')).toHaveCount(0);
}

export const gpuPath = (gpu: Gpu) => `/gpus/${encodeURIComponent(gpu.id)}`;

/** The board with the lowest score: it has findings. */
export async function sickest(request: APIRequestContext): Promise<{ gpu: Gpu; health: GpuHealth }> {
  let found: { gpu: Gpu; health: GpuHealth } | null = null;
  await expect
    .poll(
      async () => {
        const { items } = await get<{ items: Gpu[] }>(request, '/gpus?sort=score&limit=5');
        const gpu = items.find((g) => !g.silent && g.in_service && (g.score ?? 100) < 100);
        if (!gpu) return 0;
        const health = await get<GpuHealth>(request, `/gpus/${gpu.id}/health`);
        found = { gpu, health };
        return health.dimensions.flatMap((d) => d.findings).length;
      },
      { timeout: 60_000 },
    )
    .toBeGreaterThan(0);
  return found!;
}

export const axePath = createRequire(import.meta.url).resolve('axe-core/axe.min.js');

/** Everything that axe finds against WCAG 2.2 A and AA. */
export async function findings(page: Page): Promise<string[]> {
  return page.evaluate(async () => {
    const axe = (window as unknown as { axe: { run: (o: object) => Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> } })
      .axe;
    const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];
    const { violations } = await axe.run({ runOnly: { type: 'tag', values: tags } });
    return violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.html.slice(0, 120)).join(' | ')}`);
  });
}
