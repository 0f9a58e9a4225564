import { readFileSync } from 'node:fs';
import { type APIRequestContext, expect, type Page, test } from '@playwright/test';
import type { Coverage, Gpu } from '../src/api';
import { get, healthyBoards, inject, serverUrl, shot, sideways, watch } from './support';

// Its file: a key in the environment would be seen by every program of the machine.
const token = () => readFileSync(process.env.GHM_TOKEN_FILE ?? '', 'utf8').trim();

test.beforeAll(() => {
  expect(serverUrl, 'GHM_URL must name a running server').not.toBe('');
  expect(token(), "GHM_TOKEN_FILE must name the server's admin.token").not.toBe('');
});

const gpuPath = (gpu: Gpu) => `/gpus/${encodeURIComponent(gpu.id)}`;

// A refused key and an answer that a test spoils are on purpose; the browser reports both.
const unplanned = (wrong: string[]) => wrong.filter((w) => !w.includes('Failed to load resource'));

async function takeAssets(request: APIRequestContext, items: object[]): Promise<void> {
  const answer = await request.post(`${serverUrl}/api/v1/assets`, {
    data: { items, simulated: true },
    headers: { Authorization: `Bearer ${token()}` },
  });
  expect(await answer.json()).toMatchObject({ accepted: items.length, refused: [] });
}

async function useKey(page: Page, key: string): Promise<void> {
  await page.getByLabel('Key, kept in this tab only').fill(key);
  await page.getByRole('button', { name: 'Use key' }).click();
}

test('the tabs of a GPU are in the address and tell its past', async ({ page, request }) => {
  const [gpu] = await healthyBoards(request, 1);
  const wrong = watch(page);
  await page.goto(gpuPath(gpu!));
  const tabs = page.getByRole('navigation', { name: 'Parts of this page' });
  await tabs.getByRole('link', { name: 'Signals' }).click();
  await expect(page.getByRole('region', { name: 'All readings', exact: true })).toBeVisible();
  await tabs.getByRole('link', { name: 'Events' }).click();
  await expect(page).toHaveURL(/tab=events/);
  await expect(page.getByTestId('events')).toContainText('GPU appeared');
  await tabs.getByRole('link', { name: 'Jobs' }).click();
  await expect(page.getByText('hpc_job')).toBeVisible();
  await tabs.getByRole('link', { name: 'History' }).click();
  await expect(page.getByTestId('life')).toContainText(gpu!.host);
  await expect(page.getByTestId('life')).toContainText(gpu!.driver_version!);
  await expect(tabs.getByRole('link', { name: 'History' })).toHaveAttribute('aria-current', 'page');
  await page.goBack();
  await expect(page).toHaveURL(/tab=jobs/);
  await page.goto(`${gpuPath(gpu!)}?tab=no-such-tab`);
  await expect(page.getByTestId('score')).toBeVisible();
  expect(wrong).toEqual([]);
});

test('jobs that ran and that run', async ({ page, request }) => {
  const [gpu] = await healthyBoards(request, 1);
  const from = new Date(Date.now() - 3 * 3600_000).toISOString();
  const to = new Date(Date.now() - 3600_000).toISOString();
  // The simulator's exporters know no jobs.
  const jobs = [
    { kind: 'job', name: '4711', from, to: null },
    { kind: 'pod', name: 'ml/train-7/main', from, to },
  ];
  await page.route('**/api/v1/gpus/*/jobs', (route) =>
    route.fulfill({ json: { id: gpu!.id, items: jobs, next: null, as_of: new Date().toISOString() } }),
  );
  await page.goto(`${gpuPath(gpu!)}?tab=jobs`);
  const rows = page.getByTestId('jobs').locator('tbody tr');
  await expect(rows.nth(0)).toContainText('runs since 3 h');
  await expect(rows.nth(1)).toContainText('Kubernetes pod');
  await expect(rows.nth(1)).toContainText('2 h');
  await shot(page, 'gpu-jobs');
});

test('what the inventory says is found and leads to the history', async ({ page, request }) => {
  const boards = await healthyBoards(request, 2);
  const [gpu, other] = boards as [Gpu, Gpu];
  const asset = (g: Gpu) => ({ serial: g.serial, gpu_uuid: g.uuid, model: g.model, host: g.host, rack: g.rack });
  await takeAssets(request, [
    {
      ...asset(gpu),
      batch: 'B7-first',
      deployed_at: '2025-01-01T00:00:00Z',
      warranty_until: '2020-01-01T00:00:00Z',
      purchase_price_usd: 25_000,
      attributes: { cage: '2' },
    },
    { ...asset(other), host: 'elsewhere' },
    { serial: 'RETIRED1', model: 'NVIDIA H200', host: 'gone', retired_at: '2024-01-01T00:00:00Z' },
  ]);
  const wrong = watch(page);
  await page.goto('/assets');
  await expect(page.getByTestId('assets')).toBeVisible();
  await page.getByLabel('Part of a serial, UUID, model, host, rack or batch').fill('b7-FIRST');
  await page.getByRole('button', { name: 'Find' }).click();
  await expect(page).toHaveURL(/q=b7-FIRST/);
  await expect(page.getByTestId('assets').locator('tbody tr')).toHaveCount(1);
  await expect(page.getByTestId('assets')).toContainText('ended');
  await shot(page, 'assets');
  await page.getByTestId('assets').getByRole('link').first().click();
  await expect(page).toHaveURL(/tab=history/);
  for (const text of ['B7-first', '1 Jan 2025', '$25,000', 'cage']) await expect(page.getByTestId('inventory')).toContainText(text);
  await expect(page.getByTestId('life')).toContainText('2025-01-01');
  await shot(page, 'gpu-history');
  await page.goto(`${gpuPath(other)}?tab=history`);
  await expect(page.getByTestId('inventory')).toContainText(`it reports from ${other.host}`);
  await page.goto('/gpus/RETIRED1');
  await expect(page.getByTestId('out-of-service')).toBeVisible();
  await page.goto('/assets?q=no-such-asset');
  await expect(page.getByText('Nothing in the ledger matches')).toBeVisible();
  expect(wrong).toEqual([]);
});

test('pages of assets', async ({ page, request }) => {
  const { next } = await get<{ next: string | null }>(request, '/assets?limit=100');
  // A fleet of one page is cut here, so that the buttons are tested with any fleet.
  await page.route('**/api/v1/assets?*limit=100*', (route) => {
    const url = new URL(route.request().url());
    url.searchParams.set('limit', '5');
    return route.continue({ url: next ? route.request().url() : url.toString() });
  });
  await page.goto('/assets');
  const first = await page.getByTestId('assets').getByRole('link').first().textContent();
  await page.getByTestId('next-page').click();
  await expect(page).toHaveURL(/cursor=/);
  await expect(page.getByTestId('assets').getByRole('link').first()).not.toHaveText(first!);
  await page.getByRole('link', { name: 'First page' }).click();
  await expect(page.getByTestId('assets').getByRole('link').first()).toHaveText(first!);
});

test('the trust page says what the API says, and a host that falls silent without a reload', async ({ page, request }) => {
  const gpu = (await healthyBoards(request, 3))[2]!;
  const wrong = watch(page);
  await page.goto('/');
  await page.getByRole('navigation', { name: 'Main', exact: true }).getByRole('link', { name: 'Trust' }).click();
  const known = () => get<Coverage>(request, '/fleet/coverage');
  const headline = async () => {
    const { total_gpus: all, reporting_gpus: heard } = await known();
    return heard === all ? `All ${all} GPUs report` : `${heard} of ${all} GPUs report`;
  };
  await expect.poll(async () => (await headline()) === (await page.getByTestId('trust-headline').textContent())).toBe(true);
  const coverage = await known();
  await expect(page.getByTestId('dimensions').locator('tbody tr')).toHaveCount(coverage.dimensions.length);
  await expect(page.getByTestId('models').locator('tbody tr')).toHaveCount(coverage.models.length);
  await expect(page.getByTestId('least-known').locator('tbody tr')).toHaveCount(coverage.items.length);
  await expect(page.getByTestId('conflicts')).toContainText(/and elsewhere/);
  await expect(page.getByText(/as of \d\d:\d\d:\d\d UTC/).first()).toBeVisible();
  await inject(request, gpu.id, 'page_500');
  await expect(page.getByTestId('silent-hosts')).toContainText(gpu.host, { timeout: 60_000 });
  await expect(page.getByTestId('silent-hosts')).toContainText('500');
  await expect(page.getByTestId('silent-gpus')).toContainText(gpu.name, { timeout: 60_000 });
  await shot(page, 'trust');
  await page.getByRole('link', { name: 'Which sources and metrics' }).click();
  await expect(page).toHaveURL(/quarantine/);
  expect(wrong).toEqual([]);
});

test('a coverage that fails, and one that is old, are said', async ({ page, request }) => {
  const coverage = await get<Coverage>(request, '/fleet/coverage');
  await page.route('**/api/v1/fleet/coverage', (route) => route.fulfill({ status: 503, json: { detail: 'Not now.', trace_id: 'abc' } }));
  await page.goto('/trust');
  await expect(page.getByRole('alert')).toContainText('Not now.');
  await expect(page.getByRole('alert')).toContainText('abc');
  await page.unroute('**/api/v1/fleet/coverage');
  const old = { ...coverage, as_of: new Date(Date.now() - 3_600_000).toISOString() };
  await page.route('**/api/v1/fleet/coverage', (route) => route.fulfill({ json: old }));
  await page.getByRole('button', { name: 'Try again' }).click();
  await expect(page.getByTestId('stale').first()).toContainText('1 h');
});

test('a viewer is told why not; a key opens maintenance and stays in its tab', async ({ page, request }) => {
  const [gpu] = await healthyBoards(request, 1);
  const wrong = watch(page);
  await page.goto('/maintenance');
  const start = page.getByRole('button', { name: 'Start maintenance' });
  await expect(page.getByTestId('why-not')).toContainText('role operator');
  await expect(start).toHaveAttribute('aria-disabled', 'true');
  await useKey(page, 'ghm_0000000000_wrong');
  await expect(page.getByRole('alert')).toContainText('not known');
  expect(await page.evaluate(() => sessionStorage.length)).toBe(0);
  await useKey(page, token());
  await expect(start).toHaveAttribute('aria-disabled', 'false');
  expect(page.url()).not.toContain('ghm_');
  expect(await page.evaluate(() => JSON.stringify(localStorage))).not.toContain('ghm_');

  await page.getByLabel('Host, GPU (serial or UUID) or rack').fill('no-such-host');
  await start.click();
  await expect(page.getByRole('alert')).toContainText('no-such-host');
  await page.getByLabel('Host, GPU (serial or UUID) or rack').fill(gpu!.host);
  await page.getByLabel('For how long').selectOption('1');
  await page.getByLabel('Reason').fill('new fans');
  await start.click();
  await expect(page.getByTestId('outcome')).toContainText(`Host ${gpu!.host} is under maintenance until`);
  await expect(page.getByTestId('active')).toContainText('new fans');
  await shot(page, 'maintenance');

  await page.goto(gpuPath(gpu!));
  await expect(page.getByTestId('under-maintenance')).toContainText('maintenance until');
  await page.goto(`${gpuPath(gpu!)}?tab=history`);
  await expect(page.getByTestId('life')).toContainText('Under maintenance');

  await page.goto('/maintenance');
  await page.getByRole('button', { name: `End the maintenance of ${gpu!.host}` }).click();
  await expect(page.getByTestId('outcome')).toContainText('has ended');
  await expect(page.getByTestId('ended')).toContainText(gpu!.host);
  await page.goto('/about');
  await expect(page.getByTestId('me')).toContainText('admin');
  await page.getByRole('button', { name: 'Forget the key' }).click();
  await expect(page.getByTestId('me')).toContainText('viewer');
  expect(unplanned(wrong)).toEqual([]);
});

test('events are filtered by kind and come without a reload', async ({ page, request }) => {
  const gpu = (await healthyBoards(request, 3))[1]!;
  const wrong = watch(page);
  await page.goto('/events');
  await expect(page.getByTestId('events')).toBeVisible();
  await page.getByRole('combobox', { name: 'Kind' }).selectOption('gpu_missing');
  await expect(page).toHaveURL(/kind=gpu_missing/);
  await page.mouse.move(0, 0);
  await page.getByRole('heading', { level: 1 }).click();
  await inject(request, gpu.id, 'gpu_vanish');
  await expect(page.getByTestId('events')).toContainText(gpu.id, { timeout: 60_000 });
  await shot(page, 'events');
  await page.getByTestId('events').getByRole('link', { name: gpu.id }).click();
  await expect(page).toHaveURL(/tab=events/);
  await page.goto('/events?kind=no_such_kind');
  await expect(page.getByText('No event of the kind')).toBeVisible();
  expect(wrong).toEqual([]);
});

for (const [name, width, height, colorScheme] of [
  ['phone', 390, 844, 'dark'],
  ['narrow', 320, 700, 'light'],
  ['wall', 3840, 2160, 'dark'],
] as const)
  test(`the past fits on a ${name} screen`, async ({ page, request }) => {
    await page.setViewportSize({ width, height });
    await page.emulateMedia({ colorScheme });
    const [gpu] = await healthyBoards(request, 1);
    const wrong = watch(page);
    const tabs = ['events', 'jobs', 'history'].map((t) => `${gpuPath(gpu!)}?tab=${t}`);
    for (const path of ['/trust', '/assets', '/maintenance', '/events', '/more', ...tabs]) {
      await page.goto(path);
      await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
      await page.waitForTimeout(500);
      expect(await sideways(page), path).toBeLessThanOrEqual(0);
      await shot(page, `${name}${path.replace(/\W+/g, '-')}`);
    }
    expect(wrong).toEqual([]);
  });

test('on a phone the other pages are behind More', async ({ page }) => {
  await page.setViewportSize({ width: 390, height: 844 });
  await page.goto('/');
  const tabs = page.getByRole('navigation', { name: 'Main, phone' });
  await tabs.getByRole('link', { name: 'More' }).click();
  await page.getByRole('main').getByRole('link', { name: 'Maintenance' }).click();
  await expect(page).toHaveURL(/maintenance/);
  await expect(tabs.getByRole('link', { name: 'More' })).toHaveAttribute('aria-current', 'page');
});
