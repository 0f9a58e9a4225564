// Repair cases from the incident to the proof, on the board and on their own pages; who may lead them on. Runs against `ghm demo`: a
// fleet with an hour behind it and faults of different ages in it.
import { type APIRequestContext, expect, test } from '@playwright/test';
import type { CaseDetail, CaseStats, Gpu, Incident, Offenders, RepairCase } from '../src/api';
import { axePath, becomeOperator, findings, get, healthyBoards, serverUrl, shot, sideways, token, unplanned, watch } from './support';

const capital = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);
const caseOf = (request: APIRequestContext, id: string) => get<CaseDetail>(request, `/cases/${id}`);
const activeOf = async (request: APIRequestContext) => (await get<{ items: RepairCase[] }>(request, '/cases?state=active')).items;

async function post<T>(request: APIRequestContext, path: string, data: object): Promise<T> {
  const response = await request.post(`${serverUrl}/api/v1${path}`, { data, headers: { Authorization: `Bearer ${token()}` } });
  expect(response.ok(), `${path}: ${await response.text()}`).toBe(true);
  return response.json();
}

/** The worst open incident of one board whose cause is named and whose next step is a repair. */
async function told(request: APIRequestContext): Promise<Incident> {
  const { items } = await get<{ items: Incident[] }>(request, '/incidents?state=open&limit=500');
  const boards = items.filter((i) => i.scope === 'board' && i.gpu && !i.cannot_tell && i.action !== 'none');
  const found = boards.find((i) => i.severity === 'critical') ?? boards[0];
  expect(found, 'an open incident of one board with a cause').toBeDefined();
  return found!;
}

/** A board that nothing happens to: no sign may disturb its case. */
let quiet: Gpu;
let late: Gpu;

test.beforeAll(async ({ request }) => {
  expect(serverUrl, 'GHM_URL must name a running server').not.toBe('');
  expect(token(), "GHM_TOKEN_FILE must name the server's admin.token").not.toBe('');
  const open = async () => (await get<{ items: Incident[] }>(request, '/incidents?state=open&limit=500')).items.length;
  await expect.poll(open, { timeout: 30_000 }).toBeGreaterThanOrEqual(4);
  [quiet, late] = (await healthyBoards(request, 2)) as [Gpu, Gpu];
});

test('without a case there is a sentence; a viewer sees the form and why it cannot be sent', async ({ page, request }) => {
  await page.goto('/cases');
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('No open repair case');
  await page.getByRole('navigation', { name: 'Parts of this page' }).getByRole('link', { name: 'What helped' }).click();
  await expect(page.getByText('No case is closed yet')).toBeVisible();
  await page.goto('/cases');
  await page.getByRole('link', { name: 'Open a case' }).click();
  await expect(page).toHaveURL('/cases/new');
  await expect(page.getByTestId('why-not')).toContainText('operator');
  const form = page.getByRole('form', { name: 'Open a repair case' });
  await form.getByLabel(/^Serial/).fill(quiet.id);
  await form.getByLabel('What is to be done').selectOption('reset_gpu');
  await form.getByLabel('What is wrong').fill('not allowed');
  // Playwright waits for what is aria-disabled; a hand does not.
  await form.getByRole('button', { name: 'Open the case' }).click({ force: true });
  expect(await activeOf(request)).toEqual([]);
});

test('an operator opens a case from an incident; the incident, the board and the list know of it', async ({ page, request }) => {
  const wrong = watch(page);
  const incident = await told(request);
  await page.goto(`/incidents/${incident.id}`);
  await becomeOperator(page);
  await page.getByRole('link', { name: 'Open a repair case' }).click();
  await expect(page).toHaveURL(`/cases/new?incident=${incident.id}`);
  const form = page.getByRole('form', { name: 'Open a repair case' });
  await expect(form.getByLabel('What is to be done')).toHaveValue(incident.action);
  await form.getByLabel('To be done by').selectOption('24');
  await form.getByLabel('Note').fill('spare board is in cage 4');
  await shot(page, 'case-new');
  await form.getByRole('button', { name: 'Open the case' }).click();
  await expect(page).toHaveURL(/\/cases\/\d+$/);
  const id = page.url().split('/').at(-1)!;
  const made = await caseOf(request, id);
  expect(made).toMatchObject({ state: 'open', incident: incident.id, gpu: incident.gpu, action: incident.action });
  await expect(page.getByRole('heading', { level: 1 })).toHaveText(capital(made.symptom));
  await expect(page).toHaveTitle(`Case ${id} · GPU Health Monitor`);
  await expect(page.getByTestId('stages').locator('li[aria-current=step]')).toContainText('Open');
  await expect(page.getByTestId('steps')).toContainText('Spare board is in cage 4');
  await shot(page, 'case-open');
  await page.goto(`/gpus/${incident.gpu}`);
  await expect(page.getByTestId('case-badge')).toContainText('repair open');
  await page.getByTestId('case-badge').click();
  await expect(page).toHaveURL(`/cases/${id}`);
  await page.getByRole('navigation', { name: 'Main', exact: true }).getByRole('link', { name: 'Cases' }).click();
  await expect(page.getByTestId('board').locator(`a[href="/cases/${id}"]`)).toBeVisible();
  // The same thing has one case of one fault.
  await page.goto(`/cases/new?incident=${incident.id}`);
  await form.getByRole('button', { name: 'Open the case' }).click();
  await expect(page.getByRole('alert')).toContainText(id);
  expect(unplanned(wrong)).toEqual([]);
});

test('a case is led on, falls back after a failed test, is watched, and does not end as helped before that is proven', async ({
  page,
  request,
}) => {
  await page.goto(`/gpus/${quiet.id}`);
  await page.getByRole('link', { name: 'Open a repair case' }).click();
  await becomeOperator(page);
  const form = page.getByRole('form', { name: 'Open a repair case' });
  await expect(form.getByLabel(/^Serial/)).toHaveValue(quiet.id);
  await form.getByLabel('What is to be done').selectOption('reset_gpu');
  await form.getByLabel('What is wrong').fill('corrected errors after the move');
  await form.getByRole('button', { name: 'Open the case' }).click();
  await expect(page).toHaveURL(/\/cases\/\d+$/);
  const id = page.url().split('/').at(-1)!;
  const state = page.getByTestId('state');
  const on = page.getByRole('form', { name: 'Lead the case on' });
  const now = page.getByTestId('stages').locator('li[aria-current=step]');

  await on.getByLabel('Note').fill('drained');
  await on.getByRole('button', { name: 'Begin' }).click();
  await expect(state).toHaveText('acting');
  await on.getByRole('button', { name: 'Done: test it' }).click();
  await expect(state).toHaveText('testing');
  await expect(page.getByTestId('needs')).toContainText('passed test');
  await on.getByRole('button', { name: 'The test failed' }).click();
  await on.getByLabel('The test that failed').fill('dcgmi diag -r 3');
  await on.getByLabel('What it said').fill('memory: fail');
  await on.getByRole('button', { name: 'Back to the action' }).click();
  await expect(state).toHaveText('acting');
  await expect(page.getByTestId('tests').locator('tbody tr').first()).toContainText('failed');
  await on.getByRole('button', { name: 'Done: test it' }).click();
  await expect(state).toHaveText('testing');
  await on.getByLabel('The test that passed').fill('dcgmi diag -r 4');
  await on.getByLabel('Cost so far').fill('120');
  await on.getByRole('button', { name: 'Passed: watch it' }).click();
  await expect(state).toHaveText('watching');
  await expect(now).toContainText('Watching');
  await expect(page.getByTestId('watch')).toBeVisible();
  await expect(page.getByTestId('rates')).toContainText('Before');
  const watching = await caseOf(request, id);
  expect(watching).toMatchObject({ state: 'watching', cost: 120 });
  expect(watching.tests.map((t) => t.passed)).toEqual([false, true]);

  await page.getByRole('form', { name: 'Write a note' }).getByRole('textbox').fill('back in the queue');
  await page.getByRole('button', { name: 'Keep' }).click();
  await expect(page.getByTestId('steps')).toContainText('Back in the queue');
  await shot(page, 'case-watching');

  await page.getByText('Close this case').click();
  const end = page.getByRole('form', { name: 'Close this case' });
  await end.getByLabel('What became of it').selectOption('');
  await end.getByRole('button', { name: 'Close the case' }).click();
  await expect(page.getByTestId('outcome')).toContainText(/watch/i);
  expect((await caseOf(request, id)).state).toBe('watching');
  await end.getByLabel('What became of it').selectOption('did_not_help');
  await end.getByLabel('Reason').fill('the job fails as before');
  await end.getByRole('button', { name: 'Close the case' }).click();
  await expect(state).toContainText('closed: did not help');
  await shot(page, 'case-closed');

  await page.goto('/cases');
  await expect(page.getByTestId('closed-cases').locator('tr').filter({ hasText: 'Corrected errors after the move' })).toContainText(
    'did not help',
  );
  await page.goto('/cases?tab=helped&by=action');
  const stats = await get<CaseStats>(request, '/cases/stats?by=action');
  const tried = stats.items.find((s) => s.action === 'reset_gpu')!;
  expect(tried.did_not_help).toBeGreaterThanOrEqual(1);
  const row = page.getByTestId('case-stats').locator('tbody tr').filter({ hasText: 'Drain the GPU and reset it' });
  await expect(row).toContainText(`${tried.helped} of ${tried.helped + tried.did_not_help} helped`);
  await expect(row.locator('.range-bar i')).toHaveCount(1);
  await shot(page, 'cases-helped');
});

test('what is overdue stands first, is narrowed to by a button, and is said on the overview', async ({ page, request }) => {
  // A due date may lie in the past when it was agreed before the case was written down.
  const due = new Date(Date.now() + 2000).toISOString().replace(/\.\d+Z/, 'Z');
  const made = await post<CaseDetail>(request, '/cases', { gpu: late.id, action: 'check_cooling', symptom: 'runs hot', due });
  await expect.poll(async () => (await caseOf(request, made.id)).overdue, { timeout: 15_000 }).toBe(true);
  await page.goto('/cases');
  const cards = page.getByRole('region', { name: 'Open', exact: true }).getByTestId('case-card');
  await expect(cards.first()).toContainText('overdue by');
  await expect(cards.first()).toContainText('Runs hot');
  await shot(page, 'cases');
  await page.getByRole('button', { name: 'Overdue 1' }).click();
  await expect(page).toHaveURL('/cases?due=overdue');
  await expect(page.getByTestId('case-card')).toHaveCount(1);
  await page.getByRole('searchbox', { name: 'Search the cases' }).fill('no such words');
  await expect(page.getByText('No open case is like that.')).toBeVisible();
  await page.goto(`/cases?gpu=${late.id}`);
  await expect(page.getByTestId('case-card')).toHaveCount(1);
  await page.getByRole('button', { name: `Remove the filter gpu ${late.id}` }).click();
  await expect(page).toHaveURL('/cases');
  await page.goto('/');
  await expect(page.getByTestId('late-repairs')).toContainText('overdue');
  await page.getByTestId('late-repairs').getByRole('link').click();
  await expect(page).toHaveURL(/\/cases/);
});

const offenders: Offenders = {
  as_of: new Date().toISOString(),
  by: 'slot',
  days: 90,
  items: [
    {
      name: 'h1/3',
      gpu: 'S1',
      host: 'h1',
      slot: 'h1/3',
      model: 'H100',
      incidents: 3,
      reopened: 1,
      cases: 2,
      relapses: 1,
      boards: 2,
      faults: ['memory', 'pcie'],
      last_at: new Date().toISOString(),
      says: '3 incidents, 1 opened again, 2 repairs, 1 relapse after a repair in 90 days: memory, pcie; on 2 boards',
    },
  ],
};

test('repeat offenders by board, slot and host, since 7, 30 or 90 days, are in the address', async ({ page, request }) => {
  const real = await get<Offenders>(request, '/cases/offenders?by=host&days=90');
  await page.goto('/cases?tab=offenders&of=host&days=90');
  if (real.items.length > 0) await expect(page.getByTestId('offenders').locator('tbody tr')).toHaveCount(real.items.length);
  else await expect(page.getByText('No host had two incidents or relapses in 90 days.')).toBeVisible();
  await page.route('**/api/v1/cases/offenders?*', (route) => route.fulfill({ json: offenders }));
  await page.getByRole('button', { name: 'Slot' }).click();
  await expect(page).toHaveURL(/of=slot/);
  const row = page.getByTestId('offenders').locator('tbody tr');
  await expect(row).toContainText('h1/3');
  await expect(row).toContainText('Memory, PCIe');
  await expect(row.getByRole('link', { name: 'h1/3' })).toHaveAttribute('href', '/hosts/h1');
  await shot(page, 'cases-offenders');
  await page.getByRole('button', { name: '7 d' }).click();
  await expect(page).toHaveURL(/days=7/);
});

test('no such case, and an answer that fails, are said', async ({ page }) => {
  await page.goto('/cases/4711');
  await expect(page.getByRole('alert')).toContainText('4711');
  await page.route('**/api/v1/cases?*', (route) => route.fulfill({ status: 500, json: { detail: 'The disk is full.', trace_id: 'abc' } }));
  await page.goto('/cases');
  await expect(page.getByRole('alert').first()).toContainText('The disk is full.');
  await page.unroute('**/api/v1/cases?*');
  await page.getByRole('button', { name: 'Try again' }).first().click();
  await expect(page.getByTestId('board')).toBeVisible();
});

for (const [name, width, height, colorScheme] of [
  ['narrow', 320, 700, 'light'],
  ['phone', 390, 844, 'dark'],
  ['laptop', 1440, 900, 'light'],
  ['wall', 2560, 1440, 'dark'],
] as const)
  test(`for everybody, on a ${name}`, async ({ browser, request }) => {
    const [first] = await activeOf(request);
    const context = await browser.newContext({ viewport: { width, height }, colorScheme, bypassCSP: true });
    await context.addInitScript({ path: axePath });
    const page = await context.newPage();
    await page.route('**/api/v1/cases/offenders?*', (route) => route.fulfill({ json: offenders }));
    for (const path of ['/cases', '/cases?tab=helped', '/cases?tab=offenders&of=slot', `/cases/${first!.id}`, '/cases/new', '/more']) {
      await page.goto(serverUrl + path);
      await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
      await expect(page.locator('.skeleton')).toHaveCount(0);
      await shot(page, `${name}${path.replace(/\W+/g, '-')}`);
      expect(await sideways(page), path).toBeLessThanOrEqual(0);
      expect(await findings(page), path).toEqual([]);
    }
    await context.close();
  });
