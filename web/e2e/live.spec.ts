// The built-in UI against a real server with a simulated fleet.
//   GHM_URL          the server, such as http://127.0.0.1:8080
//   GHM_INJECT_PORT  the simulator's first port, whose /-/inject takes faults
//   GHM_SHOTS        optional: a folder for pictures
import { expect, type Page, test } from '@playwright/test';
import type { FleetStory } from '../src/api';
import { detailOf, get, healthyBoards, inject, mapColours, serverUrl, shot, sideways, summaryOf, watch } from './support';

test.beforeAll(() => {
  expect(serverUrl, 'GHM_URL must name a running server').not.toBe('');
});

async function open(page: Page, path: string): Promise<string[]> {
  const wrong = watch(page);
  await page.goto(path);
  await expect(page.getByTestId('live')).toContainText('Live');
  return wrong;
}

const number = (text: string | null) => Number((text ?? '').replace(/[^0-9.]/g, ''));

test('the overview shows what the API says', async ({ page, request }) => {
  const wrong = await open(page, '/');
  const fleet = await summaryOf(request);
  expect(fleet.total_gpus).toBeGreaterThan(0);
  await expect(page.getByTestId('fleet-map')).toHaveAttribute('data-cells', `${fleet.total_gpus}`);
  expect(await mapColours(page)).toBeGreaterThan(1);
  for (const id of ['total_gpus', 'hosts', 'need_action'] as const)
    await expect.poll(async () => number(await page.getByTestId(`figure-${id}`).textContent())).toBe((await summaryOf(request))[id]);
  await expect
    .poll(async () =>
      Math.abs(number(await page.getByTestId('figure-refused_values').textContent()) - (await summaryOf(request)).ingest.refused_values),
    )
    .toBeLessThanOrEqual(1);
  if (fleet.simulated) await expect(page.getByTestId('simulated')).toBeVisible();
  const headline = async () => (await get<FleetStory>(request, '/fleet/story')).headline;
  await expect.poll(async () => (await headline()) === (await page.getByTestId('headline').textContent())).toBe(true);
  await expect(page.getByRole('region', { name: 'Look at these first' }).getByRole('listitem')).toHaveCount(Math.min(5, fleet.total_gpus));
  expect(wrong).toEqual([]);
});

test('light and dark, and the choice is kept', async ({ page }) => {
  await page.emulateMedia({ colorScheme: 'dark' });
  const wrong = await open(page, '/');
  const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const dark = await ground();
  await expect(page.getByTestId('fleet-map')).toBeVisible();
  await shot(page, 'overview-dark');
  await page.getByRole('button', { name: 'Light theme' }).click();
  expect(await ground()).not.toBe(dark);
  await shot(page, 'overview-light');
  await page.reload();
  await expect(page.getByTestId('fleet-map')).toBeVisible();
  expect(await ground()).not.toBe(dark);
  await page.getByRole('button', { name: 'Theme of the system' }).click();
  expect(await ground()).toBe(dark);
  expect(wrong).toEqual([]);
});

test('the map is walked with the keyboard and leads to a GPU', async ({ page, request }) => {
  const wrong = await open(page, '/');
  const layout = await get<{ sites: { racks: { hosts: { slots: string[] }[] }[] }[] }>(request, '/fleet/layout');
  const ids = layout.sites.flatMap((s) => s.racks.flatMap((r) => r.hosts.flatMap((h) => h.slots)));
  // A map that is not drawn yet has nothing to walk on.
  await expect(async () => {
    await page.getByTestId('fleet-map').focus();
    await page.keyboard.press('ArrowRight');
    await expect(page.getByRole('status').filter({ hasText: /, .*: / })).toHaveCount(1, { timeout: 1000 });
  }).toPass();
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(`${serverUrl}/gpus/${encodeURIComponent(ids[1]!)}`);
  await page.goBack();
  await expect(page.getByTestId('fleet-map')).toBeVisible();
  for (const colour of ['temperature', 'power', 'utilisation', 'coverage']) {
    await page.getByLabel('Colour').selectOption(colour);
    await expect(page.locator('.ramp')).toBeVisible();
  }
  await page.getByRole('button', { name: 'Table' }).click();
  await expect(page.getByRole('columnheader', { name: 'Worst' })).toBeVisible();
  expect(wrong).toEqual([]);
});

test('search, filter, sort and pages are in the address', async ({ page, request }) => {
  const wrong = await open(page, '/');
  const [gpu] = await healthyBoards(request, 1);
  await page.keyboard.press('/');
  await page.keyboard.type(gpu!.serial ?? gpu!.id);
  await page.keyboard.press('Enter');
  await expect(page.getByTestId('list-total')).toHaveText('1 GPU');
  await page.getByTestId('gpu-table').getByRole('link').first().click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText(gpu!.name);
  await page.goto('/gpus?band=healthy&sort=-temperature');
  await expect(page.getByTestId('gpu-table')).toBeVisible();
  await expect(page.getByLabel('Band')).toHaveValue('healthy');
  await page.getByRole('button', { name: 'Power' }).click();
  await expect(page).toHaveURL(/sort=power/);
  const { total } = await get<{ total: number }>(request, '/gpus?limit=1');
  await page.goto('/gpus');
  if (total > 100) {
    await page.getByTestId('next-page').click();
    await expect(page).toHaveURL(/cursor=/);
    await page.getByRole('link', { name: 'First page' }).click();
  }
  const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'CSV' }).click()]);
  expect(download.suggestedFilename()).toBe('gpus.csv');
  expect(wrong.filter((w) => !w.includes('blob:'))).toEqual([]);
});

test('the GPU page lives', async ({ page, request }) => {
  const [gpu] = await healthyBoards(request, 1);
  const wrong = await open(page, `/gpus/${encodeURIComponent(gpu!.id)}`);
  await expect(page.getByTestId('score')).toHaveText(`${Math.floor(gpu!.score!)}`);
  await expect(page.locator('.signals canvas').first()).toBeVisible();
  const power = page.getByTestId('signal-DCGM_FI_DEV_POWER_USAGE');
  const before = await power.textContent();
  await expect.poll(() => power.textContent(), { timeout: 60_000 }).not.toBe(before);
  await shot(page, 'gpu');
  expect(wrong).toEqual([]);
});

test('a GPU that heats up is seen without a reload', async ({ page, request }) => {
  const gpu = (await healthyBoards(request, 4))[1]!;
  const wrong = await open(page, `/gpus/${encodeURIComponent(gpu.id)}`);
  const temperature = page.getByTestId('signal-DCGM_FI_DEV_GPU_TEMP');
  await expect(temperature).not.toHaveText('not available');
  const before = number(await temperature.textContent());
  await inject(request, gpu.id, 'thermal_tim');
  await expect.poll(async () => number(await temperature.textContent()), { timeout: 120_000 }).toBeGreaterThan(before + 5);
  expect((await detailOf(request, gpu.id)).temperature).toBeGreaterThan(before + 5);
  await shot(page, 'gpu-hot');
  expect(wrong).toEqual([]);
});

test('a GPU that vanishes is called silent without a reload', async ({ page, request }) => {
  const gpu = (await healthyBoards(request, 4))[2]!;
  const wrong = await open(page, `/gpus/${encodeURIComponent(gpu.id)}`);
  await expect(page.getByTestId('score')).toBeVisible();
  await expect(page.getByTestId('silent')).toHaveCount(0);
  await inject(request, gpu.id, 'gpu_vanish');
  await expect(page.getByTestId('silent')).toBeVisible({ timeout: 120_000 });
  expect(wrong).toEqual([]);
});

test('a host whose page fails is seen on the overview without a reload', async ({ page, request }) => {
  const gpu = (await healthyBoards(request, 4))[3]!;
  const wrong = await open(page, '/');
  const silent = (await summaryOf(request)).silent_hosts;
  await inject(request, gpu.id, 'page_500');
  const hosts = page.getByRole('region', { name: 'Key figures' }).getByRole('link').filter({ hasText: 'Hosts' });
  await expect(hosts).toContainText(`${silent + 1} host`, { timeout: 120_000 });
  await expect(page.getByText('Struck through: the host is silent')).toBeVisible();
  await shot(page, 'overview-silent-host');
  expect(wrong).toEqual([]);
});

for (const [name, width, height] of [
  ['phone', 390, 844],
  ['wall', 3840, 2160],
] as const)
  test(`nothing scrolls sideways on a ${name}`, async ({ page, request }) => {
    await page.setViewportSize({ width, height });
    const [gpu] = await healthyBoards(request, 1);
    const wrong = await open(page, '/');
    await expect(page.getByTestId('fleet-map')).toBeVisible();
    await shot(page, `overview-${name}`);
    for (const path of ['/', '/gpus', `/gpus/${encodeURIComponent(gpu!.id)}`, '/quarantine', '/about']) {
      await page.goto(path);
      await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
      await page.waitForTimeout(500);
      expect(await sideways(page), path).toBeLessThanOrEqual(0);
      if (path.startsWith('/gpus/')) await shot(page, `gpu-${name}`);
    }
    expect(wrong).toEqual([]);
  });

test('what is not there is said in one sentence', async ({ page }) => {
  await page.goto('/gpus/no-such-board');
  await expect(page.getByRole('alert')).toBeVisible();
  await page.goto('/gpus?q=no-such-board');
  await expect(page.getByText('No GPU matches these filters.')).toBeVisible();
  await page.goto('/no/such/page');
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('There is no such page');
});
