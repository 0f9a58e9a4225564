// From a line in a host's kernel log to the page of somebody who is looking: ghm-agent → ghm serve → browser. Run by
// tests/endtoend/agent_screen_test.py, whose host is made up.
import { appendFileSync } from 'node:fs';
import { uptime } from 'node:os';
import { expect, test } from '@playwright/test';
import { shot, watch } from './support';

const kmsg = process.env.GHM_KMSG ?? '';
const board = process.env.GHM_BOARD ?? '';
const kMostSeconds = 15;

test('a kernel line is an incident on an open page within 15 s', async ({ page }) => {
  const wrong = watch(page);
  await page.goto('/incidents');
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('No open incident');

  const began = performance.now();
  appendFileSync(
    kmsg,
    `4,1,${Math.round(uptime() * 1e6)},-;NVRM: Xid (PCI:0000:1b:00): 79, pid=4711, name=python3, GPU has fallen off the bus.\n SUBSYSTEM=pci\n`,
  );
  const row = page.getByTestId('incidents').locator('tbody tr').filter({ hasText: board });
  await expect(row).toContainText('cannot reach the GPU', { timeout: 1000 * kMostSeconds });
  const took = (performance.now() - began) / 1000;
  console.log(`from the kernel's line to the page: ${took.toFixed(1)} s`);
  expect(took).toBeLessThan(kMostSeconds);
  await shot(page, 'kernel-line');

  await page.goto(`/gpus/${board}`);
  await expect(page.getByTestId('gpu-incidents')).toContainText('cannot reach the GPU');
  await shot(page, 'kernel-line-gpu');
  expect(wrong).toEqual([]);
});
