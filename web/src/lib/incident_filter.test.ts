import { describe, expect, it } from 'vitest';
import type { Incident } from '../api';
import { hostsOf, matches } from './incident_filter';

const row = {
  id: '17',
  state: 'open',
  severity: 'critical',
  place: 'GPU 1650 on fra1-h3',
  gpu: '1650',
  host: 'fra1-h3',
  cause: 'off_bus',
  cause_says: 'the board fell off the bus',
  cannot_tell: false,
  sign_says: 'Xid 79',
  action_says: 'reboot the host',
} as Incident;

describe('a filter', () => {
  it('wants every word, wherever it stands, whatever its case', () => {
    for (const q of ['', '  ', 'xid 79', 'BUS h3', '1650', 'critical reboot', 'off_bus']) expect(matches(row, q, null), q).toBe(true);
    for (const q of ['xid 80', 'bus h4']) expect(matches(row, q, null), q).toBe(false);
  });

  it('finds a row whose sign and cause nobody told', () => {
    const bare = { ...row, cause: null, cause_says: null, sign_says: undefined } as unknown as Incident;
    expect(matches(bare, 'cannot tell', null)).toBe(true);
    expect(matches(bare, 'undefined', null)).toBe(false);
  });

  it('keeps to the hosts of a rack', () => {
    expect(matches(row, '', new Set(['fra1-h3']))).toBe(true);
    expect(matches(row, '', new Set(['fra1-h4']))).toBe(false);
    expect(matches({ ...row, host: null }, '', new Set(['fra1-h3']))).toBe(false);
  });

  it('tells racks of two sites apart that have one name', () => {
    const rack = (host: string) => ({ name: 'R1', hosts: [{ name: host, silent: false, slots: [] }] });
    const sites = [
      { name: 'ash2', region: 'us', racks: [rack('ash2-h1'), { name: 'R2', hosts: [] }] },
      { name: 'fra1', region: 'eu', racks: [rack('fra1-h1')] },
    ];
    expect([...hostsOf({ sites }, 'R1', '')]).toEqual(['ash2-h1', 'fra1-h1']);
    expect([...hostsOf({ sites }, 'R1', 'fra1')]).toEqual(['fra1-h1']);
    expect(hostsOf(null, 'R1', '').size).toBe(0);
  });
});
