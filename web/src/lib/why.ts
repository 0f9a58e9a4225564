// Why something happened: whom to ask about, and one line of time with a lane for job, GPU, host and switch.
import type { RanThere, Severity, Why, WhyLane, WhyMoment, WhyWhat } from '../api';
import { count, readable } from './format';

export interface Question {
  what: WhyWhat | 'any'; // any: found out by asking
  name: string;
  at: string | null; // RFC 3339; null: now
  days: number;
}

export const kWhats: { value: Question['what']; text: string }[] = [
  { value: 'any', text: 'GPU, host or job' },
  { value: 'gpu', text: 'GPU' },
  { value: 'host', text: 'Host' },
  { value: 'job', text: 'Job' },
];

/** Serial numbers come first: they are the most certain names. */
export const kOrder: WhyWhat[] = ['gpu', 'host', 'job'];
export const kDays = [1, 7, 30, 90];
export const kUsualDays = 7;

/** What an address asks; null where it asks nothing. */
export function questionOf(query: URLSearchParams): Question | null {
  const what = kOrder.find((w) => query.get(w)) ?? 'any';
  const name = query.get(what === 'any' ? 'name' : what)?.trim();
  if (!name) return null;
  const days = Number(query.get('days'));
  return { what, name, at: query.get('at') || null, days: Number.isInteger(days) && days > 0 ? days : kUsualDays };
}

/** The address of a question. */
export function whyHref({ what, name, at = null, days = kUsualDays }: Pick<Question, 'what' | 'name'> & Partial<Question>): string {
  const search = new URLSearchParams({ [what === 'any' ? 'name' : what]: name });
  if (at) search.set('at', at);
  if (days !== kUsualDays) search.set('days', `${days}`);
  return `/why?${search}`;
}

/** Why an incident: of its board where it names one, else of its host; as it was when it ended, where it has. */
export function whyOfIncident(i: { gpu: string | null; host: string | null; state: string; changed_at: string }): string | null {
  const name = i.gpu ?? i.host;
  if (!name) return null;
  return whyHref({ what: i.gpu ? 'gpu' : 'host', name, at: i.state === 'open' ? null : i.changed_at });
}

/** A datetime-local field's text, read as UTC; empty: now. Null where it is no time. */
export function atOf(text: string): { at: string | null } | null {
  if (!text.trim()) return { at: null };
  const ms = Date.parse(`${text}Z`);
  return Number.isNaN(ms) ? null : { at: new Date(ms).toISOString().replace('.000Z', 'Z') };
}

/** The moment as such a field shows it. */
export function fieldOf(at: string | null): string {
  const ms = at === null ? Number.NaN : Date.parse(at);
  return Number.isNaN(ms) ? '' : new Date(ms).toISOString().slice(0, 19);
}

export const kLanes: { lane: WhyLane; text: string }[] = [
  { lane: 'job', text: 'Job' },
  { lane: 'gpu', text: 'GPU' },
  { lane: 'host', text: 'Host' },
  { lane: 'switch', text: 'Switch' },
];

/** A moment with the steps of incidents that it made. */
export interface Told extends WhyMoment {
  steps: { what: string; incident: string }[];
}

const stepOf = (m: WhyMoment) => ({ what: m.kind ?? 'updated', incident: m.incident ?? '' });

/** The line of time with each step of an incident beside the event that made it, and the first sign first of its instant. */
export function toldOf(timeline: WhyMoment[]): Told[] {
  const told: Told[] = [];
  const at = new Map<string, Told[]>();
  for (const m of timeline) {
    if (m.what === 'incident') continue;
    const moment = { ...m, steps: [] };
    told.push(moment);
    at.set(m.at, [...(at.get(m.at) ?? []), moment]);
  }
  for (const m of timeline) {
    if (m.what !== 'incident') continue;
    const made = at.get(m.at)?.find((t) => t.detail !== '' && m.detail.includes(t.detail));
    if (made) made.steps.push(stepOf(m));
    else told.push({ ...m, steps: [stepOf(m)] });
  }
  // A stable sort: at one instant, events stay before the steps that nothing made.
  return told.sort((a, b) => Date.parse(a.at) - Date.parse(b.at) || Number(b.first) - Number(a.first));
}

export const firstSign = (timeline: WhyMoment[]): WhyMoment | null => timeline.find((m) => m.first) ?? null;

export interface Window {
  from: number; // ms
  to: number;
}

const kLeastMs = 10 * 60_000;
const kBefore = 0.25;
const kAfter = 0.04;
const kNear = 0.5;

/** The part of the time asked about that tells the story: from a little before the first sign on, and to the moment that was asked
about where that is near. Without a sign, all of it. */
export function focusOf(why: Pick<Why, 'about' | 'timeline'>): Window {
  const whole = { from: Date.parse(why.about.from), to: Date.parse(why.about.to) };
  const first = firstSign(why.timeline);
  if (!first) return whole;
  const [start, asked] = [Date.parse(first.at), Date.parse(why.about.at)];
  const heard = Date.parse(why.timeline.at(-1)!.at);
  const last = asked > heard && asked - heard < kNear * (heard - start) ? asked : heard;
  const length = Math.max(kLeastMs, last - start);
  const from = Math.max(whole.from, start - length * kBefore);
  return { from, to: Math.max(Math.min(whole.to, last + length * kAfter), from + kLeastMs) };
}

export const within = ({ from, to }: Window, at: string) => Date.parse(at) >= from && Date.parse(at) <= to;

/** Where a moment stands in a window, from 0 to 1; what lies outside stands on the edge. */
export function place({ from, to }: Window, at: string | number): number {
  const ms = typeof at === 'number' ? at : Date.parse(at);
  return Math.min(1, Math.max(0, (ms - from) / Math.max(1, to - from)));
}

const kSeverities: Severity[] = ['info', 'warning', 'error', 'critical'];
const worse = (a: Severity | null, b: Severity | null): Severity | null =>
  kSeverities.indexOf(b ?? 'info') > kSeverities.indexOf(a ?? 'info') ? b : (a ?? b);

export interface LaneMark {
  x: number; // the middle of its part, from 0 to 1
  count: number;
  severity: Severity | null; // the worst of them
  first: boolean;
  moments: WhyMoment[]; // a handful, for those who point at it
}

const kNamed = 6;

/** A lane's moments in `bins` equal parts of the window: a storm is one mark with its number. */
export function marksOf(moments: WhyMoment[], window: Window, bins: number): LaneMark[] {
  const marks = new Map<number, LaneMark>();
  for (const m of moments) {
    if (!within(window, m.at)) continue;
    const bin = Math.min(bins - 1, Math.floor(place(window, m.at) * bins));
    const mark = marks.get(bin) ?? { x: (bin + 0.5) / bins, count: 0, severity: null, first: false, moments: [] };
    mark.count++;
    mark.severity = worse(mark.severity, m.severity);
    mark.first ||= m.first;
    if (mark.moments.length < kNamed) mark.moments.push(m);
    marks.set(bin, mark);
  }
  return [...marks.values()].sort((a, b) => a.x - b.x);
}

export interface JobBar {
  job: RanThere;
  left: number; // from 0 to 1
  width: number;
  begins: boolean; // inside the window
  ends: boolean;
}

/** Jobs as bars on the line of time, those that touch the window. */
export function barsOf(jobs: RanThere[], window: Window): JobBar[] {
  return jobs
    .map((job) => ({ job, from: Date.parse(job.from), to: job.to === null ? window.to : Date.parse(job.to) }))
    .filter((j) => j.from <= window.to && j.to >= window.from)
    .map(({ job, from, to }) => ({
      job,
      left: place(window, from),
      width: place(window, to) - place(window, from),
      begins: from >= window.from,
      ends: job.to !== null && to <= window.to,
    }));
}

/** Bars that overlap, on rows of their own; what finds none of `most` rows is left out and counted. */
export function stacked(bars: JobBar[], most: number): { rows: JobBar[][]; left: number } {
  const rows: JobBar[][] = [];
  let left = 0;
  for (const bar of [...bars].sort((a, b) => a.left - b.left)) {
    const row = rows.find((r) => r.at(-1)!.left + r.at(-1)!.width <= bar.left);
    if (row) row.push(bar);
    else if (rows.length < most) rows.push([bar]);
    else left++;
  }
  return { rows, left };
}

/** The same thing told again and again, one after the other, is one line. */
export interface Run {
  moment: Told;
  count: number;
  last: string;
}

const same = (a: Told, b: Told) =>
  !b.first &&
  b.steps.length === 0 &&
  (['lane', 'what', 'kind', 'code', 'gpu', 'host', 'job', 'incident', 'detail'] as const).every((k) => a[k] === b[k]);

export function runsOf(moments: Told[]): Run[] {
  const runs: Run[] = [];
  for (const moment of moments) {
    const last = runs.at(-1);
    if (last && same(last.moment, moment)) {
      last.count++;
      last.last = moment.at;
    } else runs.push({ moment, count: 1, last: moment.at });
  }
  return runs;
}

/** "8 GPUs on 1 host": how much of the fleet a job had. */
export const jobReach = (j: Pick<RanThere, 'gpus' | 'hosts'>) => `${count(j.gpus, 'GPU')} on ${count(j.hosts, 'host')}`;

/** The verdict for people: moments as they read them. */
export const verdictWords = readable;

/** The job that is asked about, and those beside it. */
export const jobsOf = (why: Pick<Why, 'job' | 'ran_there'>) => (why.job ? [why.job, ...why.ran_there] : why.ran_there);

/** Whom an answer is about. */
export function aboutName(about: Pick<Why['about'], 'what' | 'gpu' | 'host' | 'job'>): string {
  if (about.what === 'job') return `Job ${about.job}`;
  return about.what === 'host' ? `Host ${about.host}` : `GPU ${about.gpu}`;
}
