import { describe, expect, it } from 'vitest';
import type { Incident, IncidentDetail, TimelineItem } from '../api';
import {
  bareDetail,
  byUrgency,
  causeWords,
  concerns,
  evidenceWords,
  kCannotTell,
  momentsOf,
  openFor,
  openWords,
  partName,
  placeHref,
  reach,
  reasons,
  resetOrRma,
  sidesOf,
  signLanes,
  signWindow,
  stepWords,
  strength,
  sureness,
  tickWords,
  turns,
} from './incidents';

const at = (minute: number) => `2026-11-26T08:${String(minute).padStart(2, '0')}:00Z`;

function incident(id: number, more: Partial<Incident> = {}): Incident {
  return {
    id: `${id}`,
    state: 'open',
    severity: 'warning',
    scope: 'board',
    place: 'GPU 1650 on h1',
    gpu: '1650',
    host: 'h1',
    gpus: 1,
    hosts: 1,
    opened_at: at(id),
    last_sign_at: at(id),
    changed_at: at(id),
    reopened: 0,
    cause: 'memory_row',
    cause_says: 'a weak row',
    probability: 0.94,
    cannot_tell: false,
    side: 'hardware',
    action: 'reset_gpu',
    action_says: 'drain the GPU and reset it',
    confirmed_cause: null,
    sign_says: 'Xid 94',
    simulated: false,
    ...more,
  };
}

describe('a row', () => {
  it('stands where it is needed: open, then bad, then new', () => {
    const items = [
      incident(1),
      incident(2, { state: 'cleared', severity: 'critical' }),
      incident(3, { severity: 'critical' }),
      incident(4),
      incident(5, { severity: 'error' }),
    ];
    expect(byUrgency(items).map((i) => i.id)).toEqual(['3', '5', '4', '1', '2']);
    expect(items[0]!.id).toBe('1');
  });

  it('names a cause only where there is one', () => {
    expect(causeWords(incident(1))).toBe('A weak row');
    expect(sureness(incident(1))).toBe('94 %');
    const unknown = incident(1, { cannot_tell: true, cause: null, cause_says: null, probability: null });
    expect(causeWords(unknown)).toBe(kCannotTell);
    expect(sureness(unknown)).toBe('');
    expect(resetOrRma(unknown)).toBe('Cannot tell yet');
  });

  it('answers whether to reset or to replace', () => {
    expect(resetOrRma(incident(1))).toBe('Reset, no RMA yet');
    expect(resetOrRma(incident(1, { action: 'replace_board' }))).toBe('RMA');
    expect(resetOrRma(incident(1, { action: 'of_a_later_server' }))).toBeNull();
  });

  it('says how far it reaches', () => {
    expect(reach(incident(1))).toBe('1 GPU');
    expect(reach(incident(1, { gpus: 64, hosts: 8 }))).toBe('64 GPUs on 8 hosts');
    expect(reach(incident(1, { gpus: 0 }))).toBe('1 host');
  });

  it('says since when', () => {
    expect(openFor(incident(5), Date.parse(at(22)) + 5000)).toBe('17 min');
    expect(openFor(incident(5), Date.parse(at(4)))).toBe('0 s');
  });

  it('leads to its board or host, and to none where it is of several', () => {
    expect(placeHref(incident(1))).toBe('/gpus/1650?tab=events');
    expect(placeHref(incident(1, { scope: 'host', gpu: null }))).toBe('/hosts/h1');
    expect(placeHref(incident(1, { scope: 'rack' }))).toBeNull();
    expect(placeHref(incident(1, { gpu: null }))).toBeNull();
  });

  it('is of a place by its first part', () => {
    expect(concerns(incident(1), new Set(['1650']), new Set())).toBe(true);
    expect(concerns(incident(1), new Set(), new Set(['h1']))).toBe(true);
    expect(concerns(incident(1), new Set(['1651']), new Set(['h2']))).toBe(false);
    expect(concerns(incident(1, { gpu: null, host: null }), new Set(['1650']), new Set(['h1']))).toBe(false);
  });
});

describe('the headline', () => {
  it('counts what is open and what cannot be told', () => {
    const open = [incident(1, { severity: 'critical' }), incident(2, { cannot_tell: true })];
    expect(openWords(open, false)).toEqual({ main: '2 open incidents', detail: '1 critical, 1 without a cause that can be told.' });
    expect(openWords([incident(1)], false).main).toBe('1 open incident');
    expect(openWords(open, true).main).toBe('More than 2 open incidents');
    expect(openWords([], false).main).toBe('No open incident');
  });
});

describe('evidence', () => {
  it('speaks of what was not seen as well', () => {
    expect(evidenceWords({ says: 'a job that failed', present: true })).toBe('A job that failed');
    expect(evidenceWords({ says: 'a job that failed', present: false })).toBe('Not seen: a job that failed');
  });

  it('weighs in words', () => {
    expect([8, -3.1, 1.2, -0.4].map(strength)).toEqual(['strong', 'strong', 'clear', 'slight']);
  });

  it('gives the reasons that were seen, the heaviest first', () => {
    const evidence = (says: string, weight: number, present = true) => ({ evidence: says, says, present, weight, source: 'x' });
    const cause = { evidence_for: [evidence('b', 1), evidence('a', 8), evidence('c', 2, false)] };
    const detail = { cannot_tell: false, causes: [cause] } as unknown as IncidentDetail;
    expect(reasons(detail, 3)).toEqual(['a', 'b']);
    expect(reasons(detail, 1)).toEqual(['a']);
    expect(reasons({ ...detail, cannot_tell: true }, 3)).toEqual([]);
    expect(reasons({ cannot_tell: false, causes: [] }, 3)).toEqual([]);
  });

  it('sorts the sides and leaves the hopeless out', () => {
    expect(sidesOf({ application: 0.004, hardware: 0.3, facility: 0.6 }).map((s) => s.side)).toEqual(['facility', 'hardware']);
  });
});

describe('words of a sign', () => {
  it('leave out the name that stands beside them', () => {
    expect(bareDetail('board 1650: too hot', '1650', 'h1')).toBe('Too hot');
    expect(bareDetail('board 1650 (H100) appeared on h1', '1650', 'h1')).toBe('Board 1650 (H100) appeared on h1');
    expect(bareDetail('h1: 7 of 8 boards at once', null, 'h1')).toBe('7 of 8 boards at once');
    expect(bareDetail('board 1651: too hot', '1650', 'h1')).toBe('Board 1651: too hot');
  });
});

describe('a line of time', () => {
  const item = (minute: number, what: TimelineItem['what'], kind: string, detail: string, of: string | null = null): TimelineItem => ({
    at: at(minute),
    what,
    kind,
    about: 'gpu',
    code: null,
    incident: of,
    detail,
  });
  // As the API gives them: the newest first; of one instant, events before steps.
  const items = [
    item(9, 'incident', 'cleared', 'a new board', '6'),
    item(5, 'event', 'anomaly', 'board 1650: errors'),
    item(3, 'event', 'xid', 'Xid 64'),
    item(3, 'event', 'xid', 'Xid 48'),
    item(3, 'incident', 'opened', 'Xid 48', '6'),
    item(3, 'incident', 'updated', 'Xid 64', '6'),
    item(1, 'event', 'gpu_appeared', 'hello'),
  ];

  it('goes forward, and an incident stands with the sign that made it', () => {
    const moments = momentsOf(items, (i) => i.kind);
    expect(moments.map((m) => [m.title, m.detail, m.first, m.steps.map((s) => `${s.what} ${s.incident}`).join()])).toEqual([
      ['gpu_appeared', 'hello', false, ''],
      ['xid', 'Xid 48', true, 'opened 6'],
      ['xid', 'Xid 64', false, 'updated 6'],
      ['anomaly', 'board 1650: errors', false, ''],
      ['', 'a new board', false, 'cleared 6'],
    ]);
  });

  it('has a repair as a line of its own, also where an incident has a step at that moment', () => {
    const repaired = [item(9, 'case', 'testing', 'repair case 12 (reset_gpu): testing', '6'), ...items];
    const moments = momentsOf(repaired, (i) => `${i.what} ${i.kind}`);
    expect(moments.filter((m) => m.title === 'case testing')).toHaveLength(1);
    expect(moments).toHaveLength(momentsOf(items, (i) => i.kind).length + 1);
  });

  it('marks what an incident was told without a step of its own, once', () => {
    const told = [
      { incident: '6', at: at(5), detail: 'board 1650: errors' },
      { incident: '6', at: at(3), detail: 'Xid 48' },
      { incident: '6', at: at(4), detail: 'of another board' },
    ];
    const moments = momentsOf(items, (i) => i.kind, told);
    expect(moments.map((m) => m.steps.map(stepWords).join())).toEqual([
      '',
      'First sign of incident 6',
      'Part of incident 6',
      'Part of incident 6',
      'Incident 6 cleared',
    ]);
  });

  it('names moments by the second only where that is needed', () => {
    expect(tickWords(Date.parse(at(5)), 60_000)).toBe('08:05:00');
    expect(tickWords(Date.parse(at(5)), 3_600_000)).toBe('26 Nov 08:05');
  });

  it('keeps a step that no event made', () => {
    const moments = momentsOf([item(3, 'incident', 'opened', 'another board', '7')], (i) => i.kind);
    expect(moments).toMatchObject([{ first: true, title: '', steps: [{ what: 'opened', incident: '7' }] }]);
  });

  it('has a lane for each kind of sign, and marks the first of all', () => {
    const line = (minute: number, sign: string) => ({ at: at(minute), sign, says: sign, gpu: '1650', host: 'h1', detail: null });
    const detail = {
      lines: [line(4, 'heat'), line(2, 'brake'), line(6, 'heat')],
      signs: [
        { sign: 'heat', says: 'heat', count: 40 },
        { sign: 'brake', says: 'brake', count: 1 },
      ],
    } as unknown as IncidentDetail;
    const { from, to } = signWindow(detail.lines);
    expect(from).toBeLessThan(Date.parse(at(2)));
    expect(to).toBeGreaterThan(Date.parse(at(6)));
    const lanes = signLanes(detail, from, to);
    expect(lanes.map((l) => [l.says, l.count, l.dots.map((d) => d.first)])).toEqual([
      ['Brake', 1, [true]],
      ['Heat', 40, [false, false]],
    ]);
    expect(lanes[1]!.dots[0]!.x).toBeCloseTo(0.5);
  });

  it('has room around a single sign', () => {
    const { from, to } = signWindow([{ at: at(5) }]);
    expect(to - from).toBe(120_000);
  });

  it('tells turns only: signs stand on the line already', () => {
    const step = (what: string) => ({ at: at(1), what, why: '', by: null });
    expect(turns(['opened', 'updated', 'cleared'].map(step)).map((s) => s.what)).toEqual(['opened', 'cleared']);
  });
});

describe('a part', () => {
  it('is a board, else a host', () => {
    expect(partName({ gpu: '1650', host: 'h1' })).toEqual({ text: '1650', href: '/gpus/1650?tab=events' });
    expect(partName({ gpu: null, host: 'h1' }).href).toBe('/hosts/h1');
    expect(partName({ gpu: null, host: null }).href).toBeNull();
  });
});
