import { describe, expect, it } from 'vitest';
import type { RanThere, WhyMoment } from '../api';
import {
  aboutName,
  atOf,
  barsOf,
  fieldOf,
  firstSign,
  focusOf,
  jobReach,
  jobsOf,
  marksOf,
  place,
  questionOf,
  runsOf,
  stacked,
  toldOf,
  verdictWords,
  whyHref,
  whyOfIncident,
} from './why';

const at = (minute: number) => new Date(Date.UTC(2026, 10, 26, 8, minute)).toISOString().replace('.000Z', 'Z');
const ms = (minute: number) => Date.parse(at(minute));

function moment(minute: number, more: Partial<WhyMoment> = {}): WhyMoment {
  return {
    at: at(minute),
    lane: 'gpu',
    gpu: 'S1',
    host: 'h1',
    job: null,
    what: 'event',
    kind: 'xid',
    code: 94,
    severity: 'info',
    detail: 'Xid 94',
    incident: null,
    first: false,
    ...more,
  };
}

const ran = (from: number, to: number | null, more: Partial<RanThere> = {}): RanThere => ({
  job: `job-${from}`,
  user: null,
  gpus: 8,
  hosts: 1,
  from: at(from),
  to: to === null ? null : at(to),
  end: to === null ? 'running' : 'finished',
  ...more,
});

describe('a question', () => {
  it('is in the address, and comes back from it', () => {
    for (const q of [
      { what: 'gpu', name: 'h1:3', at: null, days: 7 },
      { what: 'host', name: 'a b&c', at: at(5), days: 30 },
      { what: 'job', name: 'train/42', at: null, days: 1 },
      { what: 'any', name: 'S1', at: null, days: 7 },
    ] as const)
      expect(questionOf(new URLSearchParams(whyHref(q).split('?')[1]))).toEqual(q);
    expect(whyHref({ what: 'gpu', name: 'S1' })).toBe('/why?gpu=S1');
  });

  it('is none without a name; days that are none are the usual ones', () => {
    expect(questionOf(new URLSearchParams(''))).toBeNull();
    expect(questionOf(new URLSearchParams('gpu=&host=%20'))).toBeNull();
    for (const days of ['', '0', '-1', '1.5', 'x']) expect(questionOf(new URLSearchParams(`host=h1&days=${days}`))?.days).toBe(7);
  });

  it('takes the time of a field as UTC, nothing as now, and refuses what is no time', () => {
    expect(atOf('2026-11-26T08:05')).toEqual({ at: '2026-11-26T08:05:00Z' });
    expect(atOf(' ')).toEqual({ at: null });
    expect(atOf('soon')).toBeNull();
    expect(fieldOf('2026-11-26T08:05:00Z')).toBe('2026-11-26T08:05:00');
    expect(fieldOf(null)).toBe('');
    expect(fieldOf('-1h')).toBe('');
  });

  it('of an incident is about its board, else its host, and about then when it is over', () => {
    const i = { gpu: 'S1', host: 'h1', state: 'open', changed_at: at(1) };
    expect(whyOfIncident(i)).toBe('/why?gpu=S1');
    expect(whyOfIncident({ ...i, gpu: null })).toBe('/why?host=h1');
    expect(whyOfIncident({ ...i, state: 'cleared' })).toBe('/why?gpu=S1&at=2026-11-26T08%3A01%3A00Z');
    expect(whyOfIncident({ ...i, gpu: null, host: null })).toBeNull();
  });
});

describe('the part of the time that tells the story', () => {
  const about = { what: 'gpu', gpu: 'S1', host: 'h1', job: null, from: at(-6000), to: at(60), at: at(60) } as const;

  it('begins a little before the first sign, and reaches to the moment that was asked about where that is near', () => {
    const timeline = [moment(-3000), moment(0, { first: true }), moment(40)];
    expect(firstSign(timeline)?.at).toBe(at(0));
    expect(focusOf({ about: { ...about, at: at(50), to: at(50) }, timeline })).toEqual({ from: ms(0) - 750_000, to: ms(50) });
    const far = focusOf({ about: { ...about, at: at(600), to: at(600) }, timeline });
    expect(far).toEqual({ from: ms(-10), to: ms(40) + 96_000 });
  });

  it('is never less than ten minutes, and all of it without a sign', () => {
    const short = focusOf({ about, timeline: [moment(0, { first: true })] });
    expect(short.to - short.from).toBeGreaterThanOrEqual(600_000);
    expect(focusOf({ about, timeline: [moment(0)] })).toEqual({ from: ms(-6000), to: ms(60) });
    expect(focusOf({ about, timeline: [] })).toEqual({ from: ms(-6000), to: ms(60) });
  });
});

describe('a lane', () => {
  const window = { from: ms(0), to: ms(60) };

  it('gathers a storm in marks with its number and its worst; what is outside is not there', () => {
    const storm = Array.from({ length: 10_000 }, (_, i) => moment(i / 200, { severity: i === 7 ? 'critical' : null, first: i === 3 }));
    const marks = marksOf([...storm, moment(-5), moment(99)], window, 12);
    expect(marks.length).toBeLessThanOrEqual(12);
    expect(marks.reduce((n, m) => n + m.count, 0)).toBe(10_000);
    expect(marks[0]).toMatchObject({ severity: 'critical', first: true });
    expect(marks[1]).toMatchObject({ severity: null, first: false });
    expect(marks[0]!.moments.length).toBeLessThan(10);
  });

  it('has places from 0 to 1, also for what lies outside and in a window without length', () => {
    expect(place(window, at(15))).toBe(0.25);
    expect(place(window, at(-5))).toBe(0);
    expect(place(window, at(99))).toBe(1);
    expect(place({ from: 5, to: 5 }, 5)).toBe(0);
  });

  it('shows jobs as bars; one that still runs reaches the end', () => {
    const bars = barsOf([ran(-30, 30), ran(45, null), ran(-90, -80)], window);
    expect(bars.map((b) => [b.left, b.width, b.begins, b.ends])).toEqual([
      [0, 0.5, false, true],
      [0.75, 0.25, true, false],
    ]);
  });

  it('puts bars that overlap on rows of their own, and counts what finds none', () => {
    const bars = barsOf([ran(0, 30), ran(10, 40), ran(20, 50), ran(30, 60)], window);
    const { rows, left } = stacked(bars, 2);
    expect(rows.map((r) => r.map((b) => b.job.job))).toEqual([['job-0', 'job-30'], ['job-10']]);
    expect(left).toBe(1);
  });
});

describe('in words', () => {
  it('the same thing again and again is one line, but never the first sign', () => {
    const all = [moment(0), moment(1), moment(2, { first: true }), moment(3), moment(4, { code: 63 }), moment(5)];
    expect(runsOf(toldOf(all)).map((r) => [r.count, r.last])).toEqual([
      [2, at(1)],
      [2, at(3)],
      [1, at(4)],
      [1, at(5)],
    ]);
  });

  it('a step of an incident stands with the event that made it, and the first sign leads its instant', () => {
    const step = (kind: string, detail: string) => moment(3, { what: 'incident', kind, code: null, incident: '7', detail });
    const told = toldOf([
      moment(1),
      moment(3, { code: 64, detail: 'Xid 64' }),
      moment(3, { code: 48, detail: 'Xid 48', first: true }),
      step('opened', 'Xid 48'),
      step('updated', 'Xid 64'),
      step('cleared', 'a new board'),
    ]);
    expect(told.map((m) => [m.detail, m.steps.map((s) => `${s.what} ${s.incident}`).join()])).toEqual([
      ['Xid 94', ''],
      ['Xid 48', 'opened 7'],
      ['Xid 64', 'updated 7'],
      ['a new board', 'cleared 7'],
    ]);
  });

  it('says how large a job is, and puts the one that is asked about first', () => {
    expect(jobReach({ gpus: 8, hosts: 1 })).toBe('8 GPUs on 1 host');
    const [own, other] = [ran(5, 6), ran(0, 1)];
    expect(jobsOf({ job: own, ran_there: [other] })).toEqual([own, other]);
    expect(jobsOf({ ran_there: [other] })).toEqual([other]);
  });

  it('tells the verdict without the words of machines', () => {
    expect(verdictWords('GPU S1: Xid 79 at 2026-11-26T08:05:00Z; most likely: the bus was lost (79 %) (incident 4).')).toBe(
      'GPU S1: Xid 79 at 26 Nov 08:05 UTC; most likely: the bus was lost (79 %) (incident 4).',
    );
    expect(verdictWords('Nothing was heard.')).toBe('Nothing was heard.');
  });

  it('names whom it is about', () => {
    const about = { gpu: 'S1', host: 'h1', job: 'j' };
    expect((['gpu', 'host', 'job'] as const).map((what) => aboutName({ ...about, what }))).toEqual(['GPU S1', 'Host h1', 'Job j']);
  });
});
