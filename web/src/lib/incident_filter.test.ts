import { describe, expect, it } from 'vitest';
import type { Incident } from '../api';
import { matches } from './incident_filter';

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
    for (const q of ['', '  ', 'xid 79', 'BUS h3', '1650', 'critical reboot', 'off_bus']) expect(matches(row, q), q).toBe(true);
    for (const q of ['xid 80', 'bus h4']) expect(matches(row, q), q).toBe(false);
  });

  it('finds a row whose sign and cause nobody told', () => {
    const bare = { ...row, cause: null, cause_says: null, sign_says: null } as unknown as Incident;
    expect(matches(bare, 'cannot tell')).toBe(true);
    expect(matches(bare, 'null')).toBe(false);
  });
});
