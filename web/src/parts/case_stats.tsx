// What helped: closed cases by action, fault and model, each share with the range in which it may lie.
import { api, type CaseStat } from '../api';
import { summary } from '../app/live';
import { navigate, query, withQuery } from '../app/router';
import { actionName, faultName, helpedWords, rangeWords } from '../lib/cases';
import { kDash, number, percent } from '../lib/format';
import { AsOf } from './as_of';
import { RangeBar } from './range_bar';
import { Card, Empty, ErrorNote, Skeleton } from './states';
import { type Column, DataTable } from './table';
import { useData, useRefresh } from './use_data';

const kBy = [
  { by: 'action', text: 'Action' },
  { by: 'action,fault', text: 'and fault' },
  { by: 'action,fault,model', text: 'and model' },
];

function Helped({ stat }: { stat: CaseStat }) {
  return (
    <span class="helped">
      <RangeBar {...stat} />
      <b class="helped-share">{percent(stat.share)}</b>
      <span class="t3 whole">{rangeWords(stat)}</span>
    </span>
  );
}

function Action({ stat }: { stat: CaseStat }) {
  return (
    <>
      {actionName(stat.action)} {stat.simulated && <span class="t3 sure">simulated</span>}
    </>
  );
}

const columns = (by: string): Column<CaseStat>[] => [
  { title: 'Action', heads: true, class: 'name', cell: (s) => <Action stat={s} /> },
  ...(by.includes('fault') ? [{ title: 'Fault', cell: (s: CaseStat) => (s.fault ? faultName(s.fault) : kDash) }] : []),
  ...(by.includes('model') ? [{ title: 'Model', cell: (s: CaseStat) => s.model ?? kDash }] : []),
  { title: 'Helped, and how sure that is', class: 's-helped', cell: (s) => <Helped stat={s} /> },
  { title: 'Tries', class: 't2', cell: helpedWords },
  { title: 'Cannot tell', class: 'r hidden-on-cards', cell: (s) => number(s.cannot_tell) },
  { title: 'Median time', class: 'r beside', cell: (s) => (s.median_days === null ? kDash : `${number(s.median_days, 1)} d`) },
];

export function CaseStats() {
  const by = kBy.find((b) => b.by === query.value.get('by'))?.by ?? 'action,fault,model';
  const { value, error, reload } = useData(`case stats ${by}`, (signal) => api.caseStats(by, signal));
  useRefresh(reload, summary.value?.as_of, 15_000);
  const items = [...(value?.items ?? [])].sort((a, b) => b.helped + b.did_not_help - a.helped - a.did_not_help || b.closed - a.closed);
  return (
    <Card
      title="What helped"
      hint={value && <AsOf at={value.as_of} />}
      tools={
        <fieldset class="seg" aria-label="Told apart by">
          {kBy.map((b) => (
            <button type="button" key={b.by} aria-pressed={b.by === by} onClick={() => navigate(withQuery({ by: b.by }), 'replace')}>
              {b.text}
            </button>
          ))}
        </fieldset>
      }
    >
      {error && <ErrorNote error={error} retry={reload} />}
      {!value && !error && <Skeleton rows={6} />}
      {value && items.length === 0 && (
        <Empty>No case is closed yet, so nobody can say what helps. A case that is closed with an outcome counts here.</Empty>
      )}
      {items.length > 0 && (
        <>
          <DataTable
            label="Table of what helped"
            class="case-stats as-cards"
            testid="case-stats"
            columns={columns(by)}
            rows={items}
            keyOf={(s) => `${s.action} ${s.fault} ${s.model} ${s.simulated}`}
          />
          <p class="note t3">
            The bar is the range in which the true share lies with {percent(value?.confidence)} confidence (Wilson): few tries, wide bar. A
            relapse and a failed test are tries that did not help; cases that cannot tell, and cancelled ones, are not part of it.
          </p>
        </>
      )}
    </Card>
  );
}
