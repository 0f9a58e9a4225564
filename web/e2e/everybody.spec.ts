// The pages on small and large screens, and for those who do not see them. Runs against `ghm demo`, as places.spec.ts does.
import { expect, type Page, test } from '@playwright/test';
import { axePath, findings, gpuPath, serverUrl, shot, sickest, sideways } from './support';

for (const [name, width, height, colorScheme] of [
  ['narrow', 320, 700, 'dark'],
  ['laptop', 1440, 900, 'light'],
  ['wall', 2560, 1440, 'dark'],
] as const)
  test(`for everybody, on a ${name} screen`, async ({ browser, request }) => {
    const { gpu } = await sickest(request);
    const context = await browser.newContext({ viewport: { width, height }, colorScheme, bypassCSP: true });
    await context.addInitScript({ path: axePath });
    const page = await context.newPage();
    const pages = [
      '/',
      gpuPath(gpu),
      `${gpuPath(gpu)}?tab=events`,
      `/hosts/${gpu.host}`,
      `/racks/${gpu.rack}`,
      `/sites/${gpu.datacenter}`,
      '/gpus?limit=5',
      '/trust',
    ];
    for (const path of pages) {
      await page.goto(serverUrl + path);
      await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
      await expect(page.locator('.skeleton')).toHaveCount(0);
      await shot(page, `${name}${path.replace(/\W+/g, '-')}`);
      expect(await sideways(page), path).toBeLessThanOrEqual(0);
      // The wall has the laptop's order and the phone's colours.
      if (name !== 'wall') expect(await findings(page), path).toEqual([]);
    }
    await context.close();
  });

/** Names and gzipped bytes of the files that a page needs. */
async function filesOf(page: Page, path: string): Promise<Map<string, number>> {
  const files = new Map<string, number>();
  page.on('response', (r) => {
    const { pathname } = new URL(r.url());
    if (!pathname.startsWith('/api/')) files.set(pathname, Number(r.headers()['content-length'] ?? 0));
  });
  await page.goto(serverUrl + path);
  await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
  await expect(page.locator('.skeleton')).toHaveCount(0);
  return files;
}

const weight = (files: Map<string, number>, of: RegExp) =>
  [...files].filter(([n]) => of.test(n)).reduce((sum, [, bytes]) => sum + bytes, 0);

test('no page is heavy', async ({ browser, request }) => {
  const { gpu } = await sickest(request);
  const load = async (path: string) => {
    const context = await browser.newContext();
    const files = await filesOf(await context.newPage(), path);
    await context.close();
    return files;
  };
  const first = await load('/');
  expect(weight(first, /./)).toBeGreaterThan(50_000);
  expect(weight(first, /./)).toBeLessThan(150_000);
  expect(weight(first, /\.js$/)).toBeLessThan(75_000);
  expect(weight(first, /\.css$/)).toBeLessThan(14_000);
  for (const path of [
    gpuPath(gpu),
    `/hosts/${gpu.host}`,
    `/sites/${gpu.datacenter}`,
    '/gpus',
    '/trust',
    '/events',
    '/incidents',
    '/incidents/1',
    `/why?gpu=${gpu.id}`,
    '/cases',
    '/cases/new',
  ]) {
    const more = new Map([...(await load(path))].filter(([name]) => !first.has(name) && name.startsWith('/assets/')));
    // The chart library comes after the page, and once.
    expect(weight(more, /^(?!.*\/chart-).*$/), path).toBeLessThan(25_000);
    expect(weight(more, /\/chart-/), path).toBeLessThan(30_000);
  }
});
