// The board of repair cases: a column a state, groups below each other where there is no room for columns.
import type { RepairCase } from '../api';
import { now } from '../app/live';
import { actionName, ageOf, byDue, closesWhen, dueWords, kColumns, placeName } from '../lib/cases';
import { count, exact, sentence } from '../lib/format';
import { caseHref } from '../lib/places';
import { BandShape } from './icons';

export function Due({ of: c }: { of: RepairCase }) {
  const due = dueWords(c, now.value);
  if (!due) return null;
  return (
    <span class={`whole ${due.band ? `t-${due.band}` : ''}`} title={exact(c.due_at)}>
      {due.band && <BandShape band={due.band} />} {due.text}
    </span>
  );
}

function CaseCard({ of: c }: { of: RepairCase }) {
  return (
    <li class={`case-card ${c.overdue ? 'is-overdue' : ''}`} data-testid="case-card">
      <h3>
        <a href={caseHref(c.id)}>{sentence(c.symptom)}</a>
      </h3>
      <p class="t2 case-place">
        <span class="mono">{placeName(c)}</span>
        {c.gpu && c.host && ` on ${c.host}`}
      </p>
      <p class="case-action">{actionName(c.action)}</p>
      <p class="case-foot">
        <span class="t3" title={`opened ${exact(c.opened_at)} by ${c.opened_by}`}>
          open {ageOf(c, now.value)}
        </span>
        {c.relapses > 0 && (
          <span class="t-degraded whole">
            <BandShape band="degraded" /> came back {count(c.relapses, 'time')}
          </span>
        )}
        <Due of={c} />
      </p>
      <p class="t3 case-closes">{closesWhen(c)}</p>
    </li>
  );
}

/** Active cases by state; within one, what is overdue first. */
export function CaseBoard({ cases }: { cases: RepairCase[] }) {
  return (
    <div class="case-board" data-testid="board">
      {kColumns.map((column) => {
        const items = byDue(cases.filter((c) => c.state === column.state));
        return (
          <section class={`case-column ${items.length === 0 ? 'is-empty' : ''}`} aria-label={column.text} key={column.state}>
            <header>
              <h2>{column.text}</h2>
              <b class="case-count">{items.length}</b>
              <span class="t3">{column.about}</span>
            </header>
            {items.length === 0 ? (
              <p class="t3 case-none">None</p>
            ) : (
              <ul>
                {items.map((c) => (
                  <CaseCard of={c} key={c.id} />
                ))}
              </ul>
            )}
          </section>
        );
      })}
    </div>
  );
}
