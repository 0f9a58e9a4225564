// Repairs that are late: the overview says so, and the board has them first.
import type { RepairCase } from '../api';
import { number } from './format';
import { caseHref } from './places';

const dueAt = (c: RepairCase) => (c.due_at === null ? Number.POSITIVE_INFINITY : Date.parse(c.due_at));
const apart = (a: number, b: number) => (a === b ? 0 : a < b ? -1 : 1);

/** What is overdue first, then what is due soonest, then the oldest. */
export function byDue(items: RepairCase[]): RepairCase[] {
  return [...items].sort(
    (a, b) => Number(b.overdue) - Number(a.overdue) || apart(dueAt(a), dueAt(b)) || apart(Date.parse(a.opened_at), Date.parse(b.opened_at)),
  );
}

export const placeName = (c: Pick<RepairCase, 'gpu' | 'host' | 'slot'>) =>
  c.gpu ? `GPU ${c.gpu}` : c.slot ? `slot ${c.slot}` : c.host ? `host ${c.host}` : 'not named';

/** What the overview says of repairs: those that are late, and those that did not hold. Null where there are none. */
export function lateWords(active: RepairCase[]): { text: string; href: string } | null {
  const late = byDue(active.filter((c) => c.overdue));
  const back = active.filter((c) => c.relapses > 0 && !c.overdue);
  const first = late[0] ?? back[0];
  if (!first) return null;
  const said = late[0] ? 'is overdue' : 'did not hold: the fault came back';
  if (late.length + back.length === 1) return { text: `The repair of ${placeName(first)} ${said}.`, href: caseHref(first.id) };
  const parts = [late.length > 0 && `${number(late.length)} overdue`, back.length > 0 && `${number(back.length)} did not hold`];
  return {
    text: `Repairs: ${parts.filter(Boolean).join(', ')}.`,
    href: late.length > 0 && back.length === 0 ? '/cases?due=overdue' : '/cases',
  };
}
