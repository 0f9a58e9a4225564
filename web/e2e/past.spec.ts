import { expect, test } from '@playwright/test';
import type { Gpu } from '../src/api';
import { get, gpuPath, healthyBoards, serverUrl, shot, sideways, takeAssets, token, watch } from './support';

test.beforeAll(() => {
  expect(serverUrl, 'GHM_URL must name a running server').not.toBe('');
  expect(token(), "GHM_TOKEN_FILE must name the server's admin.token").not.toBe('');
});

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
