// From the list of incidents to causes, evidence and back to the board; who may say what of them. Runs against `ghm demo`: a fleet
// with an hour behind it and faults of different ages in it.
import { type APIRequestContext, expect, test } from '@playwright/test';
import type { Incident, IncidentDetail } from '../src/api';
import { axePath, becomeOperator, findings, get, serverUrl, shot, sideways, token, unplanned, watch } from './support';

const openOf = async (request: APIRequestContext) => (await get<{ items: Incident[] }>(request, '/incidents?state=open&limit=500')).items;
const detailOf = (request: APIRequestContext, id: string) => get<IncidentDetail>(request, `/incidents/${id}`);
const capital = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);

/** The worst open incident of one board whose cause is named. */
async function told(request: APIRequestContext): Promise<Incident> {
  const items = (await openOf(request)).filter((i) => i.scope === 'board' && i.gpu && !i.cannot_tell);
  const found = items.find((i) => i.severity === 'critical') ?? items[0];
  expect(found, 'an open incident of one board with a cause').toBeDefined();
  return found!;
}

test.beforeAll(async ({ request }) => {
  expect(serverUrl, 'GHM_URL must name a running server').not.toBe('');
  expect(token(), "GHM_TOKEN_FILE must name the server's admin.token").not.toBe('');
  await expect.poll(async () => (await openOf(request)).length, { timeout: 30_000 }).toBeGreaterThanOrEqual(4);
});

test('the list has what the API has, the worst first, and leads to causes with their evidence', async ({ page, request }) => {
  const wrong = watch(page);
  const incident = await told(request);
  await page.goto('/incidents');
  const rows = page.getByTestId('incidents').locator('tbody tr');
  // By its number: one board can have two stories at a time. And at one moment: more may open between two questions.
  const rowOf = (i: Incident) => rows.filter({ has: page.locator(`a[href="/incidents/${i.id}"]`) });
  await expect(async () => {
    const open = await openOf(request);
    await expect(rows).toHaveCount(open.length, { timeout: 5000 });
    await expect(page.getByRole('heading', { level: 1 })).toHaveText(`${open.length} open incidents`, { timeout: 5000 });
    await expect(page.getByRole('navigation', { name: 'Main', exact: true }).getByTestId('open-incidents')).toHaveText(
      `${open.length} open`,
      {
        timeout: 5000,
      },
    );
    for (const i of open.filter((o) => o.cannot_tell)) await expect(rowOf(i)).toContainText('Cannot tell', { timeout: 5000 });
  }).toPass({ timeout: 30_000 });
  const shown = await rows.locator('.severity').allTextContents();
  const rank = ['critical', 'error', 'warning', 'info'];
  expect(shown).toEqual([...shown].sort((a, b) => rank.indexOf(a) - rank.indexOf(b)));
  const row = rowOf(incident);
  await expect(row).toContainText(capital(incident.action_says));
  await shot(page, 'incidents');

  const detail = await detailOf(request, incident.id);
  await row.getByRole('link', { name: capital(incident.cause_says!) }).click();
  await expect(page).toHaveURL(`/incidents/${incident.id}`);
  await expect(page).toHaveTitle(`Incident ${incident.id} · GPU Health Monitor`);
  await expect(page.getByRole('heading', { level: 1 })).toContainText(capital(incident.cause_says!));
  await expect(page.getByTestId('next-action')).toHaveText(capital(incident.action_says));
  const causes = page.getByTestId('causes').locator('details');
  await expect(causes).toHaveCount(detail.causes.length);
  for (const e of detail.causes[0]!.evidence_for)
    await expect(causes.first()).toContainText(e.present ? capital(e.says) : `Not seen: ${e.says}`);
  await causes.last().locator('summary').click();
  await expect(causes.last().getByText('Speaks against it')).toBeVisible();
  await expect(page.getByTestId('signs').locator('tbody tr')).toHaveCount(detail.lines.length);
  await expect(page.getByTestId('signs').locator('tbody tr').first()).toContainText('first abnormal sign');
  await expect(page.getByTestId('parts').getByRole('link', { name: incident.gpu!, exact: true })).toHaveAttribute(
    'href',
    new RegExp(incident.gpu!),
  );
  await shot(page, 'incident');
  expect(unplanned(wrong)).toEqual([]);
});

test('a board says why on top of its page, and its events are one line of time', async ({ page, request }) => {
  const incident = await told(request);
  await page.goto(`/gpus/${incident.gpu}`);
  const card = page.getByTestId('gpu-incidents');
  await expect(card).toContainText(capital(incident.cause_says!));
  await expect(card).toContainText(capital(incident.action_says));
  await expect(card).toContainText('Because of');
  await shot(page, 'gpu-incident');
  await page.getByRole('navigation', { name: 'Parts of this page' }).getByRole('link', { name: 'Events' }).click();
  const line = page.getByTestId('timeline');
  await expect(line.getByRole('link', { name: `First sign of incident ${incident.id}` })).toHaveCount(1);
  const times = await line.locator('li > .t3').evaluateAll((all) => all.map((p) => Date.parse(p.getAttribute('title') ?? '')));
  expect(times.length).toBeGreaterThan(1);
  expect(times).toEqual([...times].sort((a, b) => a - b));
  await shot(page, 'gpu-timeline');
  await line.getByRole('link', { name: `First sign of incident ${incident.id}` }).click();
  await expect(page).toHaveURL(`/incidents/${incident.id}`);
});

test('places and the overview name what is open there', async ({ page, request }) => {
  const incident = await told(request);
  const { parts } = await detailOf(request, incident.id);
  for (const path of [`/hosts/${incident.host}`, `/racks/${parts[0]!.rack}`]) {
    await page.goto(path);
    await expect(page.getByTestId('place-incidents').locator(`a[href="/incidents/${incident.id}"]`)).toBeVisible();
  }
  await page.goto('/');
  const open = await openOf(request);
  await expect(page.getByTestId('overview-incidents').locator('li')).toHaveCount(Math.min(3, open.length));
  await page.getByRole('link', { name: /open ›|All incidents/ }).click();
  await expect(page).toHaveURL('/incidents');
});

test('the list is narrowed by words, host, rack and state, all in the address', async ({ page, request }) => {
  const incident = await told(request);
  const { parts } = await detailOf(request, incident.id);
  const rack = parts[0]!.rack!;
  const rows = page.getByTestId('incidents').locator('tbody tr');
  const own = rows.filter({ has: page.locator(`a[href="/incidents/${incident.id}"]`) });
  await page.goto('/incidents');
  await expect(own).toBeVisible();
  if (incident.sign_says) await expect(own).toContainText(capital(incident.sign_says));
  const search = page.getByRole('searchbox', { name: 'Search the incidents' });
  await search.fill(`${incident.gpu} ${incident.severity}`);
  await expect(page).toHaveURL(new RegExp(`q=${incident.gpu}`));
  await expect(own).toBeVisible();
  await expect(page.getByRole('heading', { level: 1 })).toContainText(/^\d+ of \d+ open incident/);
  for (const row of await rows.all()) await expect(row).toContainText(incident.gpu!);
  await shot(page, 'incidents-filtered');
  await search.fill('no such words');
  await expect(page.getByText('No open incident is like that.')).toBeVisible();
  await search.press('Escape');
  await expect(own).toBeVisible();
  for (const [name, value] of [
    ['host', incident.host!],
    ['rack', rack],
  ]) {
    await page.goto(`/incidents?${name}=${value}`);
    await expect(own).toBeVisible();
    const hosts = await rows.locator('.i-where').allTextContents();
    if (name === 'host') for (const h of hosts) expect(h).toContain(value);
    await page.getByRole('button', { name: `Remove the filter ${name} ${value}` }).click();
    await expect(page).toHaveURL('/incidents');
  }
  await page.goto('/incidents?rack=nowhere');
  await expect(page.getByText('No open incident is like that.')).toBeVisible();
  await page.goto('/incidents?state=cleared');
  await expect(page.getByRole('heading', { name: 'Cleared' })).toBeVisible();
  await expect(page.getByTestId('incidents')).toHaveCount(0);
});

test('nothing open, no such incident, and an answer that fails are said', async ({ page }) => {
  const nothing = { items: [], next: null, as_of: new Date().toISOString() };
  await page.route('**/api/v1/incidents?*', (route) => route.fulfill({ json: nothing }));
  await page.goto('/incidents');
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('No open incident');
  await expect(page.getByText('None was ever opened.')).toBeVisible();
  await expect(page.getByTestId('open-incidents')).toHaveCount(0);
  await page.unroute('**/api/v1/incidents?*');
  await page.route('**/api/v1/incidents?*', (route) =>
    route.fulfill({ status: 500, contentType: 'application/problem+json', json: { title: 'Broken', detail: 'The disk is full.' } }),
  );
  await page.goto('/incidents');
  await expect(page.getByRole('alert').first()).toContainText('The disk is full.');
  await page.unroute('**/api/v1/incidents?*');
  await page.getByRole('button', { name: 'Try again' }).first().click();
  await expect(page.getByTestId('incidents')).toBeVisible();
  await page.goto('/incidents/4711');
  await expect(page.getByRole('alert')).toContainText('4711');
});

for (const [name, width, height, colorScheme] of [
  ['phone', 390, 844, 'dark'],
  ['laptop', 1440, 900, 'light'],
] as const)
  test(`for everybody, on a ${name}`, async ({ browser, request }) => {
    const incident = await told(request);
    const context = await browser.newContext({ viewport: { width, height }, colorScheme, bypassCSP: true });
    await context.addInitScript({ path: axePath });
    const page = await context.newPage();
    for (const path of ['/incidents', `/incidents/${incident.id}`, `/gpus/${incident.gpu}?tab=events`]) {
      await page.goto(serverUrl + path);
      await expect(page.locator('main h2').first()).toBeVisible();
      await expect(page.locator('.skeleton')).toHaveCount(0);
      await shot(page, `${name}${path.replace(/\W+/g, '-')}`);
      expect(await sideways(page), path).toBeLessThanOrEqual(0);
      expect(await findings(page), path).toEqual([]);
    }
    await context.close();
  });

test('an operator says what it was and that it is over; a viewer is told why not', async ({ page, request }) => {
  const incident = await told(request);
  const before = (await openOf(request)).length;
  await page.goto(`/incidents/${incident.id}`);
  const clear = page.getByRole('form', { name: 'Clear this incident' });
  const right = page.getByRole('button', { name: /^Right: / }).first();
  await expect(page.getByTestId('why-not')).toContainText('operator');
  await expect(right).toHaveAttribute('aria-disabled', 'true');
  // Playwright waits for what is aria-disabled; a hand does not.
  await right.click({ force: true });
  await clear.getByRole('textbox').fill('not allowed');
  await clear.getByRole('button', { name: 'Clear' }).click({ force: true });
  expect((await detailOf(request, incident.id)).state).toBe('open');
  await becomeOperator(page);
  await right.click();
  await expect(page.getByTestId('outcome')).toContainText('was right');
  await expect(page.getByTestId('causes')).toContainText('confirmed by an operator');
  await clear.getByRole('textbox').fill('board replaced, burn-in passed');
  await clear.getByRole('button', { name: 'Clear' }).click();
  await expect(page.getByTestId('outcome')).toContainText(`Incident ${incident.id} is cleared.`);
  await expect(page.getByTestId('state')).toHaveText('cleared');
  await expect(page.getByTestId('history')).toContainText('Board replaced, burn-in passed');
  const after = await detailOf(request, incident.id);
  expect(after).toMatchObject({ state: 'cleared', confirmed_cause: incident.cause });
  await shot(page, 'incident-cleared');
  await page.goto('/incidents');
  await expect(page.getByTestId('cleared-incidents')).toContainText(capital(incident.cause_says!));
  // Others may open meanwhile; this one is gone from the list of those.
  await expect(page.getByTestId('incidents').locator(`a[href="/incidents/${incident.id}"]`)).toHaveCount(0);
  expect((await openOf(request)).filter((i) => i.id === incident.id)).toHaveLength(0);
  expect(before).toBeGreaterThan(0);
});
