// Repair cases in words and figures: where they stand, what closes them, and what helped before.
import type { Band, CaseDetail, CaseOutcome, CaseStat, CaseState, CaseStep, FaultRate, Offender, RepairCase } from '../api';
import { count, number, percent, sentence, shortTime, span, title } from './format';
import { gpuHref, hostHref } from './places';

export { byDue, placeName } from './late';

/** The columns of the board. */
export const kColumns: { state: CaseState; text: string; about: string }[] = [
  { state: 'open', text: 'Open', about: 'decided, not begun' },
  { state: 'acting', text: 'Acting', about: 'somebody works on it' },
  { state: 'testing', text: 'Testing', about: 'done, and to be proven' },
  { state: 'watching', text: 'Watching', about: 'a test passed; does the fault stay away?' },
];

/** All states in their order, for the line on a case's page. */
export const kStates: CaseState[] = ['open', 'acting', 'testing', 'watching', 'closed'];

export const placeOfCase = (c: Pick<RepairCase, 'gpu' | 'host'>) => (c.gpu ? gpuHref(c.gpu) : c.host ? hostHref(c.host) : null);

const wordsOf = (c: RepairCase) =>
  [c.id, c.symptom, c.action, c.action_says, c.fault, c.model, c.gpu, c.host, c.slot, c.opened_by, c.outcome].join(' ').toLowerCase();

/** Whether a case has all words of `q`, wherever they stand in it. */
export function hasWords(c: RepairCase, q: string): boolean {
  const words = wordsOf(c);
  return q
    .toLowerCase()
    .split(/\s+/)
    .every((w) => words.includes(w));
}

const seconds = (from: number, to: number) => Math.max(0, (to - from) / 1000);

/** How long ago it was opened; of a closed case how long it took. */
export function ageOf(c: Pick<RepairCase, 'opened_at' | 'changed_at' | 'state'>, now: number): string {
  return span(seconds(Date.parse(c.opened_at), c.state === 'closed' ? Date.parse(c.changed_at) : now));
}

const kSoonMs = 86_400_000;

/** "overdue by 5 h", "due in 2 d"; nothing where nobody said when, or it is over. */
export function dueWords(c: Pick<RepairCase, 'due_at' | 'overdue' | 'state'>, now: number): { text: string; band: Band | null } | null {
  if (c.due_at === null || c.state === 'closed') return null;
  const due = Date.parse(c.due_at);
  if (c.overdue || due <= now) return { text: `overdue by ${span(seconds(due, now))}`, band: 'critical' };
  return { text: `due in ${span(seconds(now, due))}`, band: due - now < kSoonMs ? 'watch' : null };
}

/** What would close a case as proven, from where it stands. */
export function closesWhen(c: Pick<RepairCase, 'state' | 'watch_until' | 'outcome'>): string {
  switch (c.state) {
    case 'open':
      return 'Nothing is done yet: action, test and watch are missing';
    case 'acting':
      return 'A passed test and a watch are missing';
    case 'testing':
      return 'A passed test is missing, then a watch';
    case 'watching':
      return c.watch_until ? `Closes ${shortTime(c.watch_until)} UTC if the fault stays away` : 'Closes if the fault stays away';
    case 'closed':
      return outcomeName(c.outcome);
  }
}

const kOutcomes: Record<CaseOutcome, { text: string; band: Band }> = {
  helped: { text: 'helped', band: 'healthy' },
  did_not_help: { text: 'did not help', band: 'degraded' },
  cannot_tell: { text: 'cannot tell', band: 'no_data' },
  cancelled: { text: 'cancelled', band: 'out_of_service' },
};
export const outcomeName = (o: CaseOutcome | null) => (o ? kOutcomes[o].text : 'not known');
/** The shape that an outcome borrows. */
export const outcomeBand = (o: CaseOutcome | null): Band => (o ? kOutcomes[o].band : 'no_data');

/** The headline of the board. */
export function boardWords(active: RepairCase[], more: boolean): { main: string; detail: string } {
  if (active.length === 0) return { main: 'No open repair case', detail: 'Nothing is being repaired, as far as anybody wrote down.' };
  const of = (state: CaseState) => active.filter((c) => c.state === state).length;
  const overdue = active.filter((c) => c.overdue).length;
  const parts = kColumns.filter((k) => of(k.state) > 0).map((k) => `${of(k.state)} ${k.text.toLowerCase()}`);
  return {
    main: `${more ? 'More than ' : ''}${count(active.length, 'repair case')}${overdue > 0 ? `, ${overdue} overdue` : ''}`,
    detail: sentence(`${parts.join(', ')}.`),
  };
}

const kSteps: Record<string, string> = {
  opened: 'Opened',
  acting: 'Acting',
  testing: 'Testing',
  test_passed: 'A test passed',
  test_failed: 'A test failed',
  watching: 'Watching',
  relapsed: 'The fault came back',
  extended: 'The watch lasts longer',
  note: 'Note',
  closed: 'Closed',
};
export const caseStepName = (what: string) => kSteps[what] ?? title(what);

/** The shape of a step that is good or bad news; null: it is neither. */
export function stepBand(what: string): Band | null {
  if (what === 'test_failed' || what === 'relapsed') return 'degraded';
  return what === 'test_passed' ? 'healthy' : null;
}

export interface Stage {
  state: CaseState;
  text: string;
  at: string | null; // when it was last entered
  is: 'done' | 'now' | 'ahead';
}

/** The way of a case through its states. What was gone back from is ahead again; a case that was closed early leaves stages out. */
export function stagesOf(c: Pick<CaseDetail, 'state' | 'steps'>): Stage[] {
  const at = kStates.indexOf(c.state);
  const entered = (state: CaseState) =>
    c.steps.filter((s) => s.to === state && (s.from !== state || s.what === 'opened')).at(-1)?.at ?? null;
  return kStates.map((state, i) => {
    const known = i <= at ? entered(state) : null;
    const is = i === at ? 'now' : i < at && known ? 'done' : 'ahead';
    return { state, text: title(state), at: known, is };
  });
}

export interface Watch {
  share: number; // of it that is over, from 0 to 1
  text: string;
}

/** How far the watch is; null in other states. */
export function watchOf(c: Pick<CaseDetail, 'state' | 'steps' | 'watch_until'>, now: number): Watch | null {
  const from = c.steps.filter((s: CaseStep) => s.to === 'watching' && s.from !== 'watching').at(-1)?.at;
  if (c.state !== 'watching' || !c.watch_until || !from) return null;
  const [start, end] = [Date.parse(from), Date.parse(c.watch_until)];
  const share = Math.min(1, Math.max(0, (now - start) / Math.max(1, end - start)));
  if (share === 1) return { share, text: 'The watch is over: it can be closed as helped' };
  return { share, text: `${span(seconds(start, now))} of ${span(seconds(start, end))}, until ${shortTime(c.watch_until)} UTC` };
}

const short = (n: number) => number(n, n < 10 && !Number.isInteger(Number(n.toFixed(1))) ? 1 : 0);

/** "3.5 in 30 days": a fault's rate; nothing to say where no time has passed. */
export function rateWords(rate: FaultRate): { main: string; detail: string } {
  const main = rate.per_30_days === null ? 'too short to tell' : `${short(rate.per_30_days)} in 30 days`;
  return { main, detail: `${count(rate.signs, 'sign')} in ${short(rate.days)} days` };
}

/** The longest bar of two rates has the whole length. */
export function rateShare(rate: FaultRate | null, other: FaultRate | null): number {
  const most = Math.max(rate?.per_30_days ?? 0, other?.per_30_days ?? 0);
  return most > 0 ? (rate?.per_30_days ?? 0) / most : 0;
}

/** Families of signs that a repair can be about. */
export const kFamilies = ['memory', 'pcie', 'nvlink', 'thermal', 'power', 'firmware', 'software', 'silence'];
const kFaults: Record<string, string> = { pcie: 'PCIe', nvlink: 'NVLink' };
/** A family of signs, as people write it. */
export const faultName = (fault: string) => kFaults[fault] ?? title(fault);

/** Actions that a case can be opened with: the API's words, and how a person says them. */
export const kRepairs: { action: string; text: string }[] = [
  { action: 'reset_gpu', text: 'Drain the GPU and reset it' },
  { action: 'reboot_host', text: 'Drain the host and reboot it' },
  { action: 'drain_and_test', text: 'Drain it and run diagnostics' },
  { action: 'drain_then_inspect', text: 'Drain it and have it looked at' },
  { action: 'check_seating_and_power', text: 'Reseat the board, check its power cables' },
  { action: 'check_cooling', text: 'Check the cooling' },
  { action: 'check_power_feed', text: 'Check the power feed' },
  { action: 'check_monitoring', text: 'Check exporter, agent and network' },
  { action: 'update_driver', text: 'Change driver or firmware' },
  { action: 'restart_job', text: 'Restart the job' },
  { action: 'replace_board', text: 'Replace the board' },
];
export const actionName = (action: string | null) =>
  kRepairs.find((r) => r.action === action)?.text ?? (action ? title(action) : 'any action');

/** "8 of 9 helped". */
export const helpedWords = (s: Pick<CaseStat, 'helped' | 'did_not_help'>) =>
  s.helped + s.did_not_help === 0 ? 'none that tells' : `${number(s.helped)} of ${number(s.helped + s.did_not_help)} helped`;

/** "57 to 98 %"; nothing where no case tells. */
export function rangeWords(s: Pick<CaseStat, 'low' | 'high'>): string {
  return s.low === null || s.high === null ? '' : `${percent(s.low).replace(' %', '')} to ${percent(s.high)}`;
}

/** Where an offender is looked at. */
export function offenderHref(o: Pick<Offender, 'gpu' | 'host'>, by: string): string | null {
  if (by === 'serial' && o.gpu) return gpuHref(o.gpu, 'history');
  return o.host ? hostHref(o.host) : null;
}
