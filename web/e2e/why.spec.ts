// Why did it happen? Asked of a board, a host and a job, by a field, a link and an address. Runs against `ghm demo`: a fleet with an
// hour behind it and faults of different ages in it.
import { type APIRequestContext, expect, type Page, test } from '@playwright/test';
import type { Incident, Job, Why, WhyMoment } from '../src/api';
import { axePath, becomeOperator, findings, get, serverUrl, shot, sideways, token, unplanned, watch } from './support';

const capital = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);
const whyOf = (request: APIRequestContext, query: string) => get<Why>(request, `/why?${query}`);

/** The worst open incident of one board whose cause is named. */
async function told(request: APIRequestContext): Promise<Incident> {
  const { items } = await get<{ items: Incident[] }>(request, '/incidents?state=open&limit=500');
  const boards = items.filter((i) => i.scope === 'board' && i.gpu && !i.cannot_tell);
  const found = boards.find((i) => i.severity === 'critical') ?? boards[0];
  expect(found, 'an open incident of one board with a cause').toBeDefined();
  return found!;
}

test.beforeAll(async ({ request }) => {
  expect(serverUrl, 'GHM_URL must name a running server').not.toBe('');
  expect(token(), "GHM_TOKEN_FILE must name the server's admin.token").not.toBe('');
  const open = async () => (await get<{ items: Incident[] }>(request, '/incidents?state=open&limit=500')).items.length;
  await expect.poll(open, { timeout: 30_000 }).toBeGreaterThanOrEqual(4);
});

test('an incident leads to why: the verdict first, the next step, causes, and one line of time', async ({ page, request }) => {
  const wrong = watch(page);
  const incident = await told(request);
  await page.goto(`/incidents/${incident.id}`);
  await page.getByRole('link', { name: 'Why did this happen?' }).click();
  await expect(page).toHaveURL(`/why?gpu=${incident.gpu}`);
  const why = await whyOf(request, `gpu=${incident.gpu}`);
  await expect(page.getByTestId('about')).toContainText(incident.gpu!);
  // The sentence may name ages; its beginning stays.
  await expect(page.getByRole('heading', { level: 1 })).toContainText(why.verdict.slice(0, 20));
  await expect(page.getByTestId('next-action')).toHaveText(capital(why.next!.says));
  await expect(page.getByTestId('reset-or-rma')).toBeVisible();
  const causes = page.getByTestId('causes').locator('details');
  await expect(causes).toHaveCount(why.incidents[0]!.causes.length);
  await expect(causes.first()).toContainText(capital(why.incidents[0]!.causes[0]!.says));
  await expect(causes.first().getByText('Speaks against it')).toBeVisible();
  for (const r of why.ruled_out) await expect(page.getByTestId('ruled-out')).toContainText(capital(r.says));
  const moments = page.getByTestId('moments').locator('li');
  await expect(moments.filter({ hasText: 'first abnormal sign' })).toHaveCount(1);
  const times = await moments.locator('time').evaluateAll((all) => all.map((t) => Date.parse(t.getAttribute('datetime') ?? '')));
  expect(times.length).toBeGreaterThan(1);
  expect(times).toEqual([...times].sort((a, b) => a - b));
  await expect(page.getByTestId('why-lanes')).toContainText('GPU');
  await expect(page.getByTestId('why-lanes')).toContainText('1st');
  await shot(page, 'why');
  expect(unplanned(wrong)).toEqual([]);
});

/** A host on whose line of time more than one lane has something. */
async function manyLanes(request: APIRequestContext): Promise<string> {
  const { items } = await get<{ items: Incident[] }>(request, '/incidents?state=open&limit=500');
  for (const host of new Set(items.map((i) => i.host).filter((h) => h !== null))) {
    const { timeline } = await whyOf(request, `host=${host}`);
    if (new Set(timeline.map((m) => m.lane)).size > 1) return host;
  }
  throw new Error('no host with an open incident has two lanes');
}

test('a lane and all of the time are in the address; the address alone gives the same screen', async ({ page, request, browser }) => {
  const host = await manyLanes(request);
  const at = new Date().toISOString();
  await page.goto(`/why?host=${host}&at=${at}`);
  const moments = page.getByTestId('moments').locator('li');
  await expect(moments.first()).toBeVisible();
  const before = await moments.count();
  await page.getByRole('button', { name: /^All of the time: \d+ more$/ }).click();
  await expect(page).toHaveURL(/view=all/);
  expect(await moments.count()).toBeGreaterThan(before);
  await page.getByRole('group', { name: 'Show one lane' }).getByRole('button', { name: 'GPU' }).click();
  await expect(page).toHaveURL(/lane=gpu/);
  await expect(moments.locator('.why-lane').filter({ hasText: 'Host' })).toHaveCount(0);
  for (const lane of await moments.locator('.why-lane').allTextContents()) expect(lane).toBe('GPU');
  const said = await page.getByTestId('verdict').textContent();
  const shown = await moments.allTextContents();
  const other = await browser.newPage();
  await other.goto(page.url());
  await expect(other.getByTestId('verdict')).toHaveText(said!);
  expect(await other.getByTestId('moments').locator('li').allTextContents()).toEqual(shown);
  await other.close();
});

test('a name alone is enough: what it is of is found out', async ({ page, request }) => {
  const incident = await told(request);
  await page.goto('/why');
  await expect(page.getByTestId('why-offers').locator('li').first()).toBeVisible();
  await shot(page, 'why-ask');
  const form = page.getByRole('form', { name: 'Ask why' });
  await form.getByLabel(/^Serial/).fill(incident.host!);
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(`/why?host=${incident.host}`);
  await expect(page.getByTestId('about')).toContainText(`Host ${incident.host}`);
  await shot(page, 'why-host');
  await page.getByText('Ask about something else').click();
  await form.getByLabel(/^Serial/).fill(incident.gpu!);
  await form.getByLabel('Looking back').selectOption('30');
  await form.getByLabel(/^When/).fill(incident.last_sign_at.slice(0, 19));
  await form.getByRole('button', { name: 'Ask why' }).click();
  await expect(page).toHaveURL(
    new RegExp(`/why\\?gpu=${incident.gpu}&at=${encodeURIComponent(incident.last_sign_at.slice(0, 19))}Z&days=30`),
  );
  await expect(page.getByTestId('about')).toContainText(incident.gpu!);
  await page.goBack();
  await expect(page.getByTestId('about')).toContainText(`Host ${incident.host}`);
});

test('nobody knows the name: one sentence, and the question stays to be mended', async ({ page }) => {
  await page.goto('/why?gpu=no-such-board');
  await expect(page.getByRole('alert')).toContainText('no-such-board');
  await expect(page.getByRole('form', { name: 'Ask why' }).getByLabel(/^Serial/)).toHaveValue('no-such-board');
  await page.goto('/why?name=no-such-thing');
  await expect(page.getByRole('alert')).toContainText('No GPU, host or job is known by the name no-such-thing.');
  await shot(page, 'why-nobody');
});

/** Which hosts work on something depends on the hour; some always do. */
async function boardWithJob(request: APIRequestContext): Promise<{ gpu: string; job: Job }> {
  const { items } = await get<{ items: { id: string; host: string }[] }>(request, '/gpus?limit=96');
  const byHost = new Map(items.map((g) => [g.host, g.id]));
  for (const gpu of byHost.values()) {
    const [job] = (await get<{ items: Job[] }>(request, `/gpus/${gpu}/jobs`)).items;
    if (job) return { gpu, job };
  }
  throw new Error('no host of the simulated fleet works on anything');
}

test('a board, its host and its jobs lead there', async ({ page, request }) => {
  const incident = await told(request);
  await page.goto(`/gpus/${incident.gpu}`);
  await expect(page.getByTestId('gpu-incidents').getByRole('link', { name: 'Why did this happen?' })).toHaveAttribute(
    'href',
    `/why?gpu=${incident.gpu}`,
  );
  await page.getByRole('link', { name: 'Why did it happen?' }).click();
  await expect(page).toHaveURL(`/why?gpu=${incident.gpu}`);
  await page.goto(`/hosts/${incident.host}`);
  await page.getByRole('link', { name: 'Why did it happen?' }).click();
  await expect(page).toHaveURL(`/why?host=${incident.host}`);
  await expect(page.getByTestId('verdict')).toBeVisible();
  const { gpu, job } = await boardWithJob(request);
  await page.goto(`/gpus/${gpu}?tab=jobs`);
  await page.getByTestId('jobs').getByRole('link', { name: job.name, exact: true }).first().click();
  await expect(page).toHaveURL(`/why?${new URLSearchParams({ job: job.name })}`);
  await expect(page.getByTestId('about')).toContainText(`Job ${job.name}`);
  await expect(page.getByTestId('about')).toContainText(/\d+ GPUs? on \d+ hosts?/);
  await expect(page.getByTestId('verdict')).toContainText(job.name);
  await shot(page, 'why-job');
});

/** The answer about a board, changed by a test. */
async function spoil(page: Page, change: (why: Why) => Why): Promise<void> {
  await page.route('**/api/v1/why?*', async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, json: change(await response.json()) });
  });
}

test('nothing heard, an answer that fails, and ten thousand moments', async ({ page, request }) => {
  const incident = await told(request);
  const path = `/why?gpu=${incident.gpu}`;
  await spoil(page, (w) => ({
    ...w,
    verdict: 'Nothing was heard.',
    incidents: [],
    next: null,
    reset_or_rma: null,
    timeline: [],
    ran_there: [],
  }));
  await page.goto(path);
  await expect(page.getByTestId('verdict')).toHaveText('Nothing was heard.');
  await expect(page.getByText('Nothing was heard in this time.')).toBeVisible();
  await expect(page.getByText('No incident touches it in this time')).toBeVisible();
  await shot(page, 'why-quiet');
  await page.unroute('**/api/v1/why?*');

  await page.route('**/api/v1/why?*', (route) => route.fulfill({ status: 503, json: { detail: 'The disk is full.', trace_id: 'abc' } }));
  await page.goto(path);
  await expect(page.getByRole('alert')).toContainText('The disk is full.');
  await page.unroute('**/api/v1/why?*');
  await page.getByRole('button', { name: 'Try again' }).click();
  await expect(page.getByTestId('verdict')).toBeVisible();

  await spoil(page, (w) => {
    const from = Date.parse(w.about.to) - 86_400_000;
    const storm = (i: number): WhyMoment => ({
      at: new Date(from + i * 8000).toISOString(),
      lane: i % 3 ? 'gpu' : 'host',
      gpu: w.about.gpu,
      host: w.about.host,
      job: null,
      what: 'event',
      kind: 'anomaly',
      code: null,
      severity: 'warning',
      detail: `thing ${i}`,
      incident: null,
      first: i === 5,
    });
    return { ...w, timeline: Array.from({ length: 10_000 }, (_, i) => storm(i)), left_out: 42 };
  });
  const began = Date.now();
  await page.goto(path);
  await expect(page.getByTestId('moments').locator('li')).toHaveCount(40);
  expect(Date.now() - began, 'ms until ten thousand moments are on screen').toBeLessThan(10_000);
  expect(await page.locator('.lane-mark').count()).toBeLessThan(300);
  await expect(page.getByText('42 more moments are not shown')).toBeVisible();
  await page.getByRole('button', { name: 'Show 200 more' }).click();
  await expect(page.getByTestId('moments').locator('li')).toHaveCount(240);
});

for (const [name, width, height, colorScheme] of [
  ['narrow', 320, 700, 'light'],
  ['phone', 390, 844, 'dark'],
  ['laptop', 1440, 900, 'light'],
  ['wall', 2560, 1440, 'dark'],
] as const)
  test(`for everybody, on a ${name}`, async ({ browser, request }) => {
    const incident = await told(request);
    const context = await browser.newContext({ viewport: { width, height }, colorScheme, bypassCSP: true });
    await context.addInitScript({ path: axePath });
    const page = await context.newPage();
    for (const path of ['/why', `/why?gpu=${incident.gpu}`, `/why?host=${incident.host}`]) {
      await page.goto(serverUrl + path);
      await expect(page.locator('main h2').first()).toBeVisible();
      await expect(page.locator('.skeleton')).toHaveCount(0);
      await shot(page, `${name}${path.replace(/\W+/g, '-')}`);
      expect(await sideways(page), path).toBeLessThanOrEqual(0);
      expect(await findings(page), path).toEqual([]);
    }
    await context.close();
  });

test('an operator says whether the cause was right; a viewer is told why not', async ({ page, request }) => {
  const incident = await told(request);
  await page.goto(`/why?gpu=${incident.gpu}`);
  const right = page.getByRole('button', { name: /^Right: / }).first();
  await expect(page.getByTestId('why-not')).toContainText('operator');
  await expect(right).toHaveAttribute('aria-disabled', 'true');
  await becomeOperator(page);
  await right.click();
  await expect(page.getByTestId('outcome')).toContainText('was right');
  await expect(page.getByTestId('causes')).toContainText('confirmed by an operator');
});
