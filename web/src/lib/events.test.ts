import { describe, expect, it } from 'vitest';
import type { GpuEvent, Xid } from '../api';
import { eventText, kEventKinds, kindChoices, kindName, loudness, meaningOf } from './events';

it.each([
  ['gpu_moved', 'GPU moved'],
  ['source_silent', 'Source silent'],
  ['vbios_change', 'VBIOS change'],
  [null, 'Other'],
])('%s is %s', (kind, text) => expect(kindName(kind)).toBe(text));

it('offers what is known, seen and chosen, each once', () => {
  const event = (kind: string | null) => ({ at: '', kind, gpu: null, host: null, detail: null });
  const choices = kindChoices([event('page_frozen'), event('gpu_moved'), event(null)], 'chosen_kind');
  expect(choices).toEqual([...kEventKinds, 'page_frozen', 'chosen_kind']);
});

it.each([
  ['board 1 is no longer there', 'h1', 'Board 1 is no longer there'],
  ['h1 does not answer', 'h1', 'h1 does not answer'],
  ['board 1 moved', null, 'Board 1 moved'],
  [null, 'h1', '–'],
])('%s on %s is told as %s', (detail, host, text) => expect(eventText({ detail, host, gpu: null })).toBe(text));

const xids: Xid[] = [
  {
    code: 79,
    name: 'gpu_has_fallen_off_the_bus',
    component: 'pcie_bus',
    origin: 'hardware',
    severity: 'critical',
    first_action: 'drain_then_inspect',
  },
  { code: 13, name: 'graphics_exception', component: 'application', origin: 'application', severity: 'info', first_action: 'none' },
];
const told = (kind: string, detail: string): GpuEvent => ({ at: '', kind, gpu: 'S1', host: 'h1', detail });

describe('what an event means', () => {
  it('is in the catalogue of Xids', () => {
    expect(meaningOf({ ...told('xid', 'the driver reported it'), code: 79 }, xids)).toEqual({
      meaning: 'GPU has fallen off the bus; most likely the hardware',
      action: 'Drain the host, then inspect the board',
    });
    expect(meaningOf({ ...told('xid', 'the driver reported it'), code: 13 }, xids)).toEqual({
      meaning: 'Graphics exception; most likely the job',
      action: null,
    });
    expect(meaningOf({ ...told('xid', 'the driver reported it'), code: 999 }, xids).meaning).toContain('Not in the catalogue');
  });
  it('is known for the kinds of the ledger, and nothing for news of later servers', () => {
    for (const kind of kEventKinds) expect(meaningOf(told(kind, ''), []).meaning, kind).not.toBe('');
    expect(meaningOf(told('something_new', ''), [])).toEqual({ meaning: '', action: null });
  });
});

it('a GPU that is named beside the words is not named again', () =>
  expect(eventText(told('anomaly', 'board S1: power fell'))).toBe('Power fell'));

it.each([
  ['xid', 'critical', 2],
  ['anomaly', 'info', 1],
  ['anomaly', 'error', 2],
  ['anomaly_cleared', 'error', 0],
  ['gpu_appeared', '', 0],
])('%s, %s, is as loud as %s', (kind, severity, loud) =>
  expect(loudness({ ...told(kind, ''), anomaly: { metric: 'M', severity } })).toBe(loud),
);
