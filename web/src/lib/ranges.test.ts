import { describe, expect, it } from 'vitest';
import { dragged, fitting, moment, momentText, presetQuery, rangeOf, shifted, windowOf, zoomed } from './ranges';

const now = Date.parse('2026-02-09T19:00:00Z') / 1000;
const ask = (text: string) => new URLSearchParams(text);

describe('moment', () => {
  it.each([
    ['now', 0],
    ['-12h', 12 * 3600],
    ['-7d', 7 * 86_400],
    ['-2w', 14 * 86_400],
    ['2026-02-09T18:00:00Z', 3600],
    [`${now - 5}`, 5],
  ])('%s', (text, ago) => expect(moment(text, now)).toBe(now - ago));
  it.each([null, '', 'yesterday', '-7', '7d', '-1y'])('%s is none', (text) => expect(moment(text, now)).toBeNull());
  it('survives the address', () => expect(moment(momentText(now - 1234), now)).toBe(now - 1234));
});

describe('rangeOf', () => {
  it('is what is usual without an address', () =>
    expect(rangeOf(ask(''), now, 3600)).toEqual({ from: now - 3600, to: now, live: true, preset: '1h' }));
  it('takes a preset, which lives on', () => {
    expect(rangeOf(ask('from=-7d'), now, 3600)).toMatchObject({ from: now - 7 * 86_400, live: true, preset: '7d' });
    expect(rangeOf(ask('from=-12h'), now, 3600)).toMatchObject({ from: now - 43_200, live: true, preset: null });
  });
  it('takes moments, which stand', () => {
    const range = rangeOf(ask('from=2026-02-01T00:00:00Z&to=2026-02-02T00:00:00Z'), now, 3600);
    expect(range.to - range.from).toBe(86_400);
    expect(range.live).toBe(false);
  });
  it('refuses a window that ends before it begins, and one of years', () => {
    expect(rangeOf(ask('from=now&to=-1d'), now, 3600).preset).toBe('1h');
    const long = rangeOf(ask('from=2020-01-01T00:00:00Z'), now, 3600);
    expect(long.to - long.from).toBe(400 * 86_400);
  });
  it('has the marked moment inside', () => {
    const old = rangeOf(ask('at=2026-02-01T00:00:00Z'), now, 3600);
    expect(old.from).toBe(Date.parse('2026-02-01T00:00:00Z') / 1000 - 1800);
    expect(old.live).toBe(false);
    expect(rangeOf(ask(`at=${momentText(now - 60)}`), now, 3600).live).toBe(true);
  });
});

describe('a window moves', () => {
  const range = rangeOf(ask('from=2026-02-01T00:00:00Z&to=2026-02-02T00:00:00Z'), now, 3600);
  it('by half of itself', () => expect(shifted(range, -0.5, now)).toEqual({ from: '2026-01-31T12:00:00Z', to: '2026-02-01T12:00:00Z' }));
  it('never beyond now', () => {
    const live = rangeOf(ask('from=-1h'), now, 3600);
    expect(shifted(live, 0.5, now)).toEqual({ from: '2026-02-09T18:00:00Z', to: '2026-02-09T19:00:00Z' });
  });
  it('closer about its middle or the mark', () => {
    expect(zoomed(range, 0.5, now, null)).toEqual({ from: '2026-02-01T06:00:00Z', to: '2026-02-01T18:00:00Z' });
    expect(zoomed(range, 0.5, now, range.from + 6 * 3600)).toEqual({ from: '2026-02-01T00:00:00Z', to: '2026-02-01T12:00:00Z' });
  });
  it('never below a minute', () => {
    const { from, to } = zoomed({ ...range, to: range.from + 70 }, 0.1, now, null);
    expect(Date.parse(to!) - Date.parse(from!)).toBe(60_000);
  });
  it('to what was dragged over, in either direction', () => {
    expect(dragged(now, now - 3600)).toEqual({ from: '2026-02-09T18:00:00Z', to: '2026-02-09T19:00:00Z' });
    expect(dragged(now, now + 3)).toBeNull();
  });
});

describe('a window goes along', () => {
  it('with its own parameters only', () => expect(windowOf(ask('from=-12h&tab=events&at=x')).toString()).toBe('from=-12h'));
  it('as a preset', () => expect(presetQuery('30d')).toEqual({ from: '-30d', to: null }));
  it.each([
    [60, 3600],
    [4000, 3600],
    [9e6, 86_400],
  ])('a board known for %s s is shown for %s s', (known, shown) => expect(fitting(known)).toBe(shown));
});
