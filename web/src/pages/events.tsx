import { useRef, useState } from 'preact/hooks';
import { api } from '../api';
import { summary } from '../app/live';
import { navigate, query, withQuery } from '../app/router';
import { kindChoices, kindName } from '../lib/events';
import { count } from '../lib/format';
import { AsOf } from '../parts/as_of';
import { EventTable } from '../parts/event_table';
import { Card, Empty, ErrorNote, Skeleton } from '../parts/states';
import { useData, useRefresh } from '../parts/use_data';

const kFew = 100;
const kMost = 1000;

function NoEvents({ kind }: { kind: string }) {
  if (!kind) return <Empty>Nothing has happened yet. The first event comes when a GPU appears.</Empty>;
  return (
    <Empty>
      No event of the kind “{kindName(kind)}” is kept.{' '}
      <a class="link" href={withQuery({ kind: null })}>
        Show all kinds
      </a>
    </Empty>
  );
}

function listTitle(shown: number | null, limit: number): string {
  if (shown === null) return 'List';
  return shown === limit ? `The newest ${count(shown, 'event')}` : count(shown, 'event');
}

/** What happened in the fleet, newest first. */
export function Events() {
  const kind = query.value.get('kind') ?? '';
  const [limit, setLimit] = useState(kFew);
  const box = useRef<HTMLDivElement>(null);
  const { value, error, reload } = useData(`events ${kind} ${limit}`, (signal) => api.events({ kind, limit }, signal));
  useRefresh(reload, summary.value?.as_of, 3000, () => box.current?.matches(':hover, :focus-within') ?? false);
  return (
    <>
      <div class="story">
        <h1>Events</h1>
        <p>What the ledger noticed, newest first; the list waits while you point at it.</p>
      </div>
      <div class="filters">
        <label class="pick">
          <span class="t3">Kind</span>
          <select value={kind} onChange={(e) => navigate(withQuery({ kind: e.currentTarget.value }))}>
            <option value="">All</option>
            {kindChoices(value?.items ?? [], kind).map((k) => (
              <option value={k} key={k}>
                {kindName(k)}
              </option>
            ))}
          </select>
        </label>
      </div>
      {error && <ErrorNote error={error} retry={reload} />}
      <Card title={listTitle(value?.items.length ?? null, limit)} hint={value && <AsOf at={value.as_of} />}>
        {!value && !error && <Skeleton rows={10} />}
        {value?.items.length === 0 && <NoEvents kind={kind} />}
        {value && value.items.length > 0 && (
          <div ref={box}>
            <EventTable events={value.items} places={true} />
          </div>
        )}
        {value?.items.length === limit && limit < kMost && (
          <div class="pager">
            <button type="button" class="btn" onClick={() => setLimit(kMost)}>
              Show up to {kMost}
            </button>
          </div>
        )}
      </Card>
    </>
  );
}
