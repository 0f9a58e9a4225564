// Incidents in words: how bad, why, and what to do; their signs in the order of time.
import type { Band, CauseEvidence, Incident, IncidentDetail, IncidentPart, IncidentStep, Severity, TimelineItem } from '../api';
import { count, percent, sentence, shortTime, span } from './format';
import { gpuHref, hostHref } from './places';

/** The band whose shape and colour a severity borrows; null: it is no state to act on. */
export const kSeverityBands: Record<Severity, Band | null> = { critical: 'critical', error: 'degraded', warning: 'watch', info: null };
const kSeverities: Severity[] = ['info', 'warning', 'error', 'critical'];

const worth = (i: Pick<Incident, 'severity'>) => kSeverities.indexOf(i.severity);

/** Open before over, bad before mild, new before old. */
export function byUrgency(items: Incident[]): Incident[] {
  const open = (i: Incident) => Number(i.state === 'open');
  return [...items].sort(
    (a, b) => open(b) - open(a) || worth(b) - worth(a) || Date.parse(b.opened_at) - Date.parse(a.opened_at) || Number(b.id) - Number(a.id),
  );
}

export const kCannotTell = 'Cannot tell why';

/** The likeliest cause as a sentence, or that nobody can tell. */
export function causeWords(i: Pick<Incident, 'cause_says' | 'cannot_tell'>): string {
  return i.cannot_tell || !i.cause_says ? kCannotTell : sentence(i.cause_says);
}

/** "99 %" beside a cause that is named; nothing where none is. */
export function sureness(i: Pick<Incident, 'probability' | 'cannot_tell'>): string {
  return i.cannot_tell ? '' : percent(i.probability);
}

const kResetOrRma: Record<string, string> = {
  none: 'Neither: watch it',
  restart_job: 'Neither: it is the job',
  reset_gpu: 'Reset, no RMA yet',
  reboot_host: 'Reboot the host, no RMA yet',
  update_driver: 'Neither: it is the driver',
  replace_board: 'RMA',
  check_seating_and_power: 'Neither yet: seat and power first',
  check_cooling: 'Neither yet: cooling first',
  check_power_feed: 'Neither: it is the power feed',
  check_monitoring: 'Neither: it is the monitoring',
  drain_and_test: 'A test decides',
  drain_then_inspect: 'An inspection decides',
};

/** The short answer to "reset or RMA?"; an action of a later server has none, nor has an incident without a cause. */
export function resetOrRma(i: Pick<Incident, 'action' | 'cannot_tell'>): string | null {
  return i.cannot_tell ? 'Cannot tell yet' : (kResetOrRma[i.action] ?? null);
}

/** "3 GPUs on 2 hosts", "2 hosts", "1 GPU": how far it reaches; a host without a GPU named is told as a host. */
export function reach(i: Pick<Incident, 'gpus' | 'hosts'>): string {
  if (i.gpus === 0) return count(i.hosts, 'host');
  return i.hosts > 1 ? `${count(i.gpus, 'GPU')} on ${count(i.hosts, 'host')}` : count(i.gpus, 'GPU');
}

/** "17 min", "3 d": how long it has been open. */
export const openFor = (i: Pick<Incident, 'opened_at'>, now: number) => span(Math.max(0, (now - Date.parse(i.opened_at)) / 1000));

/** The page of what it is about, where that is one board or one host. */
export function placeHref(i: Pick<Incident, 'scope' | 'gpu' | 'host'>): string | null {
  if ((i.scope === 'board' || i.scope === 'link') && i.gpu) return gpuHref(i.gpu, 'events');
  return i.scope === 'host' && i.host ? hostHref(i.host) : null;
}

/** The headline of the list. */
export function openWords(open: Incident[], more: boolean): { main: string; detail: string } {
  if (open.length === 0) return { main: 'No open incident', detail: 'Nothing that was heard of waits for an explanation.' };
  const critical = open.filter((i) => i.severity === 'critical').length;
  const unknown = open.filter((i) => i.cannot_tell).length;
  const parts = [critical > 0 && `${critical} critical`, unknown > 0 && `${unknown} without a cause that can be told`].filter(Boolean);
  return {
    main: more ? `More than ${open.length} open incidents` : count(open.length, 'open incident'),
    detail: parts.length > 0 ? sentence(`${parts.join(', ')}.`) : 'Each has a likely cause and a next step.',
  };
}

/** What an evidence says, also where it is that something was not seen. */
export function evidenceWords(e: Pick<CauseEvidence, 'says' | 'present'>): string {
  return e.present ? sentence(e.says) : `Not seen: ${e.says}`;
}

/** How much an evidence weighs, in a word: from 20 times as likely on, from 3 times on, below. */
export function strength(weight: number): 'strong' | 'clear' | 'slight' {
  const w = Math.abs(weight);
  if (w >= Math.log(20)) return 'strong';
  return w >= Math.log(3) ? 'clear' : 'slight';
}

/** What speaks for the named cause and was seen, the heaviest first. */
export function reasons(detail: Pick<IncidentDetail, 'causes' | 'cannot_tell'>, most: number): string[] {
  const first = detail.cannot_tell ? undefined : detail.causes[0];
  return (first?.evidence_for ?? [])
    .filter((e) => e.present)
    .sort((a, b) => b.weight - a.weight)
    .slice(0, most)
    .map((e) => e.says);
}

const kSides: Record<string, string> = {
  application: 'the job',
  driver: 'driver or firmware',
  hardware: 'hardware',
  facility: 'cooling or power',
  monitoring: 'monitoring',
  unknown: 'not known',
};
export const sideName = (side: string) => kSides[side] ?? side.replaceAll('_', ' ');

/** By whose fault, the likeliest first; what is below 1 % is no help. */
export function sidesOf(sides: Record<string, number>): { side: string; share: number }[] {
  return Object.entries(sides)
    .map(([side, share]) => ({ side, share }))
    .filter((s) => s.share >= 0.01)
    .sort((a, b) => b.share - a.share);
}

/** Words of an event or a sign without the name that stands beside them anyway. */
export function bareDetail(detail: string, gpu: string | null, host: string | null): string {
  const own = [gpu && `board ${gpu}: `, host && `${host}: `].filter(Boolean) as string[];
  const start = own.find((o) => detail.startsWith(o));
  return sentence(start ? detail.slice(start.length) : detail);
}

export interface Moment {
  at: string;
  kind: string; // a sign's or an event's word; an incident's step
  code: number | null; // of an Xid
  title: string;
  detail: string;
  about: string; // "host" where it is not of the board itself
  first: boolean; // the first abnormal sign of an incident
  steps: { what: string; incident: string }[];
}

const kSteps: Record<string, string> = {
  opened: 'opened',
  updated: 'joined',
  widened: 'widened',
  cleared: 'cleared',
  reopened: 'opened again',
  merged: 'became part of another',
  feedback: 'judged',
};
export const stepName = (what: string) => kSteps[what] ?? what.replaceAll('_', ' ');

const begins = (what: string) => what === 'opened' || what === 'reopened';

/** What a step did to an incident, beside the event that made it. */
export function stepWords({ what, incident }: { what: string; incident: string }): string {
  if (what === 'opened') return `First sign of incident ${incident}`;
  if (what === 'reopened') return `Incident ${incident} is back`;
  return what === 'updated' ? `Part of incident ${incident}` : `Incident ${incident} ${stepName(what)}`;
}

/** What an incident was told; its history keeps only the steps that changed it. */
export interface Told {
  incident: string;
  at: string;
  detail: string;
}

function addSigns(moments: Moment[], told: Told[]): void {
  for (const { incident, at, detail } of told) {
    const made = moments.find((m) => m.at === at && m.detail === detail);
    if (made && !made.steps.some((s) => s.incident === incident)) made.steps.push({ what: 'updated', incident });
  }
}

/** Events and incidents of a board as one line of time, the oldest first: a step of an incident stands with the event that made it. */
export function momentsOf(items: TimelineItem[], name: (item: TimelineItem) => string, told: Told[] = []): Moment[] {
  const sorted = items.map((item, i) => ({ item, i })).sort((a, b) => Date.parse(a.item.at) - Date.parse(b.item.at) || b.i - a.i);
  const moments: Moment[] = [];
  const of = new Map<Moment, TimelineItem>();
  for (const { item } of sorted) {
    if (item.what === 'incident') continue;
    const { at, kind, code, detail, about } = item;
    const moment: Moment = { at, kind, code, title: name(item), detail, about, first: false, steps: [] };
    moments.push(moment);
    of.set(moment, item);
  }
  for (const { item } of sorted) {
    if (item.what !== 'incident') continue;
    const step = { what: item.kind, incident: item.incident ?? '' };
    const made = moments.find((m) => of.has(m) && m.at === item.at && item.detail.includes(m.detail));
    if (made) made.steps.push(step);
    else moments.push({ ...item, title: '', first: false, steps: [step] });
  }
  addSigns(moments, told);
  for (const m of moments) m.first = m.steps.some((s) => begins(s.what));
  // A stable sort: at one instant, events come before the steps that nothing made.
  return moments.sort((a, b) => Date.parse(a.at) - Date.parse(b.at));
}

export interface SignLane {
  sign: string;
  says: string;
  count: number;
  dots: { x: number; at: string; first: boolean; words: string }[]; // x from 0 to 1
}

/** Each kind of sign on a lane of one line of time, in the order in which they began. */
export function signLanes(detail: Pick<IncidentDetail, 'lines' | 'signs'>, from: number, to: number): SignLane[] {
  const lines = [...detail.lines].sort((a, b) => Date.parse(a.at) - Date.parse(b.at));
  const lanes = new Map<string, SignLane>();
  const width = Math.max(1, to - from);
  lines.forEach((line, i) => {
    const total = detail.signs.find((s) => s.sign === line.sign)?.count ?? 0;
    const lane = lanes.get(line.sign) ?? { sign: line.sign, says: sentence(line.says), count: total, dots: [] };
    const x = Math.min(1, Math.max(0, (Date.parse(line.at) - from) / width));
    const where = line.gpu ?? line.host;
    lane.dots.push({ x, at: line.at, first: i === 0, words: [where, line.detail ?? line.says].filter(Boolean).join(': ') });
    lane.count = Math.max(lane.count, lane.dots.length);
    lanes.set(line.sign, lane);
  });
  return [...lanes.values()];
}

/** The window that shows all signs with some room around them, in ms. */
export function signWindow(lines: { at: string }[]): { from: number; to: number } {
  const at = lines.map((l) => Date.parse(l.at));
  const [first, last] = [Math.min(...at), Math.max(...at)];
  const room = Math.max(60_000, (last - first) * 0.08);
  return { from: first - room, to: last + room };
}

/** A moment on the axis of a line of time: with seconds where minutes would say the same twice. */
export function tickWords(at: number, width: number): string {
  const iso = new Date(at).toISOString();
  return width < 15 * 60_000 ? iso.slice(11, 19) : shortTime(iso);
}

/** Steps that say more than that a sign came: those stand on the line of time already. */
export function turns(history: IncidentStep[]): IncidentStep[] {
  return history.filter((h) => h.what !== 'updated');
}

/** Of which board or host a part is. */
export function partName(part: Pick<IncidentPart, 'gpu' | 'host'>): { text: string; href: string | null } {
  if (part.gpu) return { text: part.gpu, href: gpuHref(part.gpu, 'events') };
  if (part.host) return { text: part.host, href: hostHref(part.host) };
  return { text: 'not named', href: null };
}

/** Whether an incident is of one of these boards or hosts, as far as its row says. */
export function concerns(i: Pick<Incident, 'gpu' | 'host'>, gpus: ReadonlySet<string>, hosts: ReadonlySet<string>): boolean {
  return (i.gpu !== null && gpus.has(i.gpu)) || (i.host !== null && hosts.has(i.host));
}
