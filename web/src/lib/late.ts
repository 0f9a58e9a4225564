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

/** What the overview says of repairs; null where nothing is late. */
export function lateWords(active: RepairCase[]): { text: string; href: string } | null {
  const late = byDue(active.filter((c) => c.overdue));
  const first = late[0];
  if (!first) return null;
  if (late.length === 1) return { text: `The repair of ${placeName(first)} is overdue.`, href: caseHref(first.id) };
  return { text: `${number(late.length)} repairs are overdue.`, href: '/cases?due=overdue' };
}
