import { describe, expect, it } from 'vitest';
import type { CaseStat, CaseState, CaseStep, Offender, RepairCase } from '../api';
import { kOutcomeChoices, stepChoices } from './case_steps';
import {
  actionName,
  ageOf,
  boardWords,
  byDue,
  caseStepName,
  closesWhen,
  dueWords,
  faultName,
  hasWords,
  helpedWords,
  kRepairs,
  offenderHref,
  outcomeBand,
  outcomeName,
  placeName,
  placeOfCase,
  rangeWords,
  rateShare,
  rateWords,
  stagesOf,
  stepBand,
  watchOf,
} from './cases';
import { lateWords } from './late';

const now = Date.parse('2026-11-26T12:00:00Z');
const at = (hours: number) => new Date(now + hours * 3_600_000).toISOString().replace('.000Z', 'Z');

function repair(id: number, more: Partial<RepairCase> = {}): RepairCase {
  return {
    id: `${id}`,
    state: 'open',
    gpu: '1650',
    host: 'h1',
    slot: 'h1/3',
    model: 'H100',
    fault: 'memory',
    incident: '17',
    symptom: 'the GPU fell off the bus',
    action: 'replace_board',
    action_says: 'take it out',
    expects: 'quiet',
    opened_at: at(-48),
    changed_at: at(-1),
    due_at: null,
    overdue: false,
    watch_until: null,
    outcome: null,
    relapses: 0,
    cost: null,
    opened_by: 'ops',
    simulated: false,
    ...more,
  };
}

describe('a card of the board', () => {
  it('stands before those that can wait: overdue, then due soon, then old', () => {
    const items = [
      repair(1, { opened_at: at(-1) }),
      repair(2, { opened_at: at(-9) }),
      repair(3, { due_at: at(5) }),
      repair(4, { due_at: at(-5), overdue: true }),
      repair(5, { due_at: at(2) }),
    ];
    expect(byDue(items).map((c) => c.id)).toEqual(['4', '5', '3', '2', '1']);
  });

  it('names its place by what is known, and leads there', () => {
    expect(placeName(repair(1))).toBe('GPU 1650');
    expect(placeName(repair(1, { gpu: null }))).toBe('slot h1/3');
    expect(placeName(repair(1, { gpu: null, slot: null }))).toBe('host h1');
    expect(placeName({ gpu: null, slot: null, host: null })).toBe('not named');
    expect(placeOfCase({ gpu: '1', host: 'h1' })).toBe('/gpus/1');
    expect(placeOfCase({ gpu: null, host: 'h1' })).toBe('/hosts/h1');
    expect(placeOfCase({ gpu: null, host: null })).toBeNull();
  });

  it('says how old it is, and of a closed one how long it took', () => {
    expect(ageOf(repair(1), now)).toBe('2 d');
    expect(ageOf(repair(1, { state: 'closed', changed_at: at(-45) }), now)).toBe('3 h');
    expect(ageOf(repair(1, { opened_at: at(1) }), now)).toBe('0 s');
  });

  it('says when it is due, and loudly when that has passed', () => {
    expect(dueWords(repair(1), now)).toBeNull();
    expect(dueWords(repair(1, { due_at: at(-5), overdue: true }), now)).toEqual({ text: 'overdue by 5 h', band: 'critical' });
    expect(dueWords(repair(1, { due_at: at(5) }), now)).toEqual({ text: 'due in 5 h', band: 'watch' });
    expect(dueWords(repair(1, { due_at: at(50) }), now)).toEqual({ text: 'due in 2 d', band: null });
    expect(dueWords(repair(1, { due_at: at(-5), state: 'closed' }), now)).toBeNull();
  });

  it('says what would close it', () => {
    expect(closesWhen(repair(1))).toContain('Nothing is done yet');
    expect(closesWhen(repair(1, { state: 'watching', watch_until: at(24) }))).toBe('Closes 27 Nov 12:00 UTC if the fault stays away');
    expect(closesWhen(repair(1, { state: 'watching' }))).toBe('Closes if the fault stays away');
    expect(closesWhen(repair(1, { state: 'closed', outcome: 'did_not_help' }))).toBe('did not help');
  });

  it('is found by all words of a search', () => {
    for (const q of ['', 'bus 1650', 'H100', 'TAKE out', 'replace_board']) expect(hasWords(repair(1), q), q).toBe(true);
    expect(hasWords(repair(1), 'bus 1651')).toBe(false);
  });
});

describe('the headline', () => {
  it('counts by state, and names what is overdue', () => {
    const items = [repair(1), repair(2, { state: 'watching', overdue: true }), repair(3)];
    expect(boardWords(items, false)).toEqual({ main: '3 repair cases, 1 overdue', detail: '2 open, 1 watching.' });
    expect(boardWords([repair(1)], true).main).toBe('More than 1 repair case');
    expect(boardWords([], false).main).toBe('No open repair case');
  });

  it('of the overview is silent unless something is late or did not hold', () => {
    expect(lateWords([repair(1)])).toBeNull();
    expect(lateWords([repair(1), repair(2, { overdue: true })])).toEqual({ text: 'The repair of GPU 1650 is overdue.', href: '/cases/2' });
    const both = [repair(1, { overdue: true }), repair(2, { overdue: true })];
    expect(lateWords(both)).toEqual({ text: 'Repairs: 2 overdue.', href: '/cases?due=overdue' });
    const back = repair(3, { relapses: 1 });
    expect(lateWords([back])).toEqual({ text: 'The repair of GPU 1650 did not hold: the fault came back.', href: '/cases/3' });
    expect(lateWords([...both, back])).toEqual({ text: 'Repairs: 2 overdue, 1 did not hold.', href: '/cases' });
  });
});

const step = (what: string, from: CaseState, to: CaseState, hours: number): CaseStep => ({
  at: at(hours),
  what,
  from,
  to,
  note: null,
  by: null,
});
const way = [
  step('opened', 'open', 'open', -48),
  step('acting', 'open', 'acting', -40),
  step('testing', 'acting', 'testing', -30),
  step('test_failed', 'testing', 'acting', -29),
  step('testing', 'acting', 'testing', -20),
  step('test_passed', 'testing', 'testing', -13),
  step('watching', 'testing', 'watching', -12),
];

describe('the way of a case', () => {
  it('has each stage with when it was last entered', () => {
    const stages = stagesOf({ state: 'watching', steps: way });
    expect(stages.map((s) => [s.state, s.is])).toEqual([
      ['open', 'done'],
      ['acting', 'done'],
      ['testing', 'done'],
      ['watching', 'now'],
      ['closed', 'ahead'],
    ]);
    expect(stages.map((s) => s.at)).toEqual([at(-48), at(-29), at(-20), at(-12), null]);
  });

  it('goes back: what was reached before is ahead again', () => {
    const stages = stagesOf({ state: 'acting', steps: [...way, step('relapsed', 'watching', 'acting', -1)] });
    expect(stages.map((s) => s.is)).toEqual(['done', 'now', 'ahead', 'ahead', 'ahead']);
    expect(stages[1]!.at).toBe(at(-1));
  });

  it('leaves out what an early end never reached', () => {
    const stages = stagesOf({ state: 'closed', steps: [way[0]!, step('closed', 'open', 'closed', -1)] });
    expect(stages.map((s) => s.is)).toEqual(['done', 'ahead', 'ahead', 'ahead', 'now']);
  });

  it('says how far the watch is', () => {
    const watching = { state: 'watching' as const, steps: way, watch_until: at(36) };
    expect(watchOf(watching, now)).toEqual({ share: 0.25, text: '12 h of 2 d, until 28 Nov 00:00 UTC' });
    expect(watchOf({ ...watching, watch_until: at(-1) }, now)).toEqual({
      share: 1,
      text: 'The watch is over: it can be closed as helped',
    });
    expect(watchOf({ ...watching, state: 'testing' }, now)).toBeNull();
  });

  it('has words and shapes for its steps', () => {
    expect(caseStepName('relapsed')).toBe('The fault came back');
    expect(caseStepName('some_day')).toBe('Some day');
    expect([stepBand('relapsed'), stepBand('test_passed'), stepBand('note')]).toEqual(['degraded', 'healthy', null]);
    expect(outcomeName('did_not_help')).toBe('did not help');
    expect(outcomeBand(null)).toBe('no_data');
  });
});

describe('the next step', () => {
  it('is told as what happened, with what is missing, and never the end', () => {
    const next = [
      { to: 'watching' as const, needs: ['A passed test since the action.'] },
      { to: 'acting' as const, needs: [] },
      { to: 'closed' as const, needs: ['x'] },
    ];
    expect(stepChoices({ state: 'testing', next }).map((s) => [s.to, s.text, s.needs.length])).toEqual([
      ['watching', 'The test passed', 1],
      ['acting', 'The test failed', 0],
    ]);
    expect(stepChoices({ state: 'open', next: [{ to: 'acting', needs: [] }] })[0]!.button).toBe('Begin');
    expect(stepChoices({ state: 'watching', next: [{ to: 'acting', needs: [] }] })[0]!.text).toBe('It came back');
    expect(kOutcomeChoices[0]!.value).toBe('');
  });
});

describe('whether it helped', () => {
  const rate = (per: number | null, days: number, signs: number) => ({ from: at(-9), to: at(0), days, signs, per_30_days: per });

  it('is told as rates on one scale', () => {
    expect(rateWords(rate(14, 30, 14))).toEqual({ main: '14 in 30 days', detail: '14 signs in 30 days' });
    expect(rateWords(rate(3.51, 8.53, 1))).toEqual({ main: '3.5 in 30 days', detail: '1 sign in 8.5 days' });
    expect(rateWords(rate(0, 4, 0))).toEqual({ main: '0 in 30 days', detail: '0 signs in 4 days' });
    expect(rateWords(rate(null, 0, 0)).main).toBe('too short to tell');
    expect(rateShare(rate(5, 1, 1), rate(10, 1, 1))).toBe(0.5);
    expect(rateShare(rate(0, 1, 0), null)).toBe(0);
  });

  it('is a share with its range, or that none tells', () => {
    const stat = { helped: 8, did_not_help: 1, low: 0.5652, high: 0.9801 } as CaseStat;
    expect(helpedWords(stat)).toBe('8 of 9 helped');
    expect(rangeWords(stat)).toBe('57 to 98 %');
    expect(helpedWords({ helped: 0, did_not_help: 0 })).toBe('none that tells');
    expect(rangeWords({ low: null, high: null })).toBe('');
  });

  it('names actions and faults as people do', () => {
    expect(actionName('replace_board')).toBe('Replace the board');
    expect(actionName('new_thing')).toBe('New thing');
    expect(actionName(null)).toBe('any action');
    expect(new Set(kRepairs.map((r) => r.action)).size).toBe(kRepairs.length);
    expect([faultName('pcie'), faultName('memory')]).toEqual(['PCIe', 'Memory']);
  });

  it('leads to the offender', () => {
    const o = { gpu: 'S1', host: 'h1' } as Offender;
    expect(offenderHref(o, 'serial')).toBe('/gpus/S1?tab=history');
    expect(offenderHref(o, 'slot')).toBe('/hosts/h1');
    expect(offenderHref({ gpu: null, host: null }, 'serial')).toBeNull();
  });
});
