import { describe, expect, it } from 'vitest';
import type { Maintenance, Me } from '../api';
import { covering, untilOf, untilWords, whyNot } from './maintenance';

const kNow = Date.parse('2026-02-09T19:00:00Z');
const kGpu = { id: 'S1', serial: 'S1', uuid: 'GPU-1', host: 'h1', rack: null };

function window(scope: Maintenance['scope'], target: string, until: string | null, active = true): Maintenance {
  return { id: `${scope} ${target}`, scope, target, from: '2026-02-09T18:00:00Z', until, active, reason: null, by: null };
}

describe('which window covers a board', () => {
  it.each([
    ['gpu', 'S1'],
    ['gpu', 'GPU-1'],
    ['host', 'h1'],
  ] as const)('%s %s does', (scope, target) => expect(covering([window(scope, target, null)], kGpu)?.target).toBe(target));

  it('not one that has ended, names something else, or a rack that is not known', () => {
    expect(covering([window('host', 'h1', null, false), window('host', 'h2', null), window('gpu', 'h1', null)], kGpu)).toBeNull();
    expect(covering([window('rack', '', null)], kGpu)).toBeNull();
  });

  it('of two the one that holds longest', () => {
    const short = window('gpu', 'S1', '2026-02-09T20:00:00Z');
    expect(covering([short, window('host', 'h1', '2026-02-09T22:00:00Z')], kGpu)?.target).toBe('h1');
    expect(covering([window('host', 'h1', null), short], kGpu)?.target).toBe('h1');
  });
});

it('says until when, to the minute', () => {
  expect(untilWords('2026-02-09T19:00:30Z')).toBe('until 2026-02-09 19:00 UTC');
  expect(untilWords(null)).toBe('until it is ended');
});

describe('the form', () => {
  it.each([
    ['1', '', { until: '2026-02-09T20:00:00Z' }],
    ['168', '', { until: '2026-02-16T19:00:00Z' }],
    ['open', '', { until: null }],
    ['at', '2026-02-09T19:30', { until: '2026-02-09T19:30:00Z' }],
  ])('%s %s', (choice, at, expected) => expect(untilOf(choice, at, kNow)).toEqual(expected));

  it('names what is wrong with a time', () => {
    expect(untilOf('at', '', kNow).problem).toContain('Say when');
    expect(untilOf('at', '2026-02-09T19:00', kNow).problem).toContain('has passed');
  });
});

describe('who may', () => {
  const me = (role: Me['role'], auth: Me['auth']): Me => ({ as_of: '', role, auth, key_id: null });
  it('operators and admins', () => {
    expect(whyNot(me('operator', 'key'))).toBeNull();
    expect(whyNot(me('admin', 'key'))).toBeNull();
  });
  it('not viewers, and it says why', () => {
    expect(whyNot(me('viewer', 'loopback'))).toContain('Without a key');
    expect(whyNot(me('viewer', 'key'))).toContain('Your key has the role viewer');
    expect(whyNot(null)).not.toBeNull();
  });
});
