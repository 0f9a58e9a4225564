import { expect, test } from '@playwright/test';
import type { Coverage } from '../src/api';
import { get, gpuPath, healthyBoards, inject, serverUrl, shot, takeAssets, token, unplanned, useKey, watch } from './support';

test.beforeAll(() => {
  expect(serverUrl, 'GHM_URL must name a running server').not.toBe('');
  expect(token(), "GHM_TOKEN_FILE must name the server's admin.token").not.toBe('');
});

test('the trust page says what the API says, and a host that falls silent without a reload', async ({ page, request }) => {
  const boards = await healthyBoards(request, 3);
  const gpu = boards[2]!;
  await takeAssets(request, [{ serial: boards[1]!.serial, gpu_uuid: boards[1]!.uuid, model: boards[1]!.model, host: 'elsewhere' }]);
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
