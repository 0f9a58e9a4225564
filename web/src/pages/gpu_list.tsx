import { useRef, useState } from 'preact/hooks';
import { ApiError, api, type FleetSummary } from '../api';
import { summary } from '../app/live';
import { navigate, query, withQuery } from '../app/router';
import { count, number } from '../lib/format';
import { choose, chosenOf } from '../lib/share';
import { kBandNames, kBands } from '../parts/bands';
import { type Choice, GpuTable } from '../parts/gpu_table';
import { Icon } from '../parts/icons';
import { Pager } from '../parts/pager';
import { ShareCard } from '../parts/share_card';
import { Card, Empty, ErrorNote, Skeleton } from '../parts/states';
import { useData, useRefresh } from '../parts/use_data';

const kFilters = ['q', 'band', 'model', 'host', 'rack', 'datacenter', 'silent'] as const;
const kPage = 100;

// A change of filter or order makes the cursor meaningless.
const go = (changes: Record<string, string | null>) => navigate(withQuery({ cursor: null, ...changes }));

function filters(): Record<string, string | null> {
  return { sort: query.value.get('sort') ?? 'score', ...Object.fromEntries(kFilters.map((f) => [f, query.value.get(f)])) };
}

// The API has no list of models; the fleet has few, so one page of boards names nearly all of them.
function useModels(): string[] {
  const { value } = useData('models', (signal) => api.gpus({ sort: 'model', limit: 1000 }, signal));
  const { value: last } = useData('models last', (signal) => api.gpus({ sort: '-model', limit: 1000 }, signal));
  const found = [...(value?.items ?? []), ...(last?.items ?? [])].map((g) => g.model).filter((m) => m !== null);
  return [...new Set(found)].sort();
}

function BandFilter({ fleet }: { fleet: FleetSummary | null }) {
  return (
    <label class="pick">
      <span class="t3">Band</span>
      <select value={query.value.get('band') ?? ''} onChange={(e) => go({ band: e.currentTarget.value })}>
        <option value="">All</option>
        {kBands.map((b) => (
          <option value={b} key={b}>
            {kBandNames[b]} {fleet && `(${number(fleet.bands[b])})`}
          </option>
        ))}
      </select>
    </label>
  );
}

function ModelFilter() {
  const models = useModels();
  const chosen = query.value.get('model') ?? '';
  const all = chosen && !models.includes(chosen) ? [chosen, ...models] : models;
  return (
    <label class="pick">
      <span class="t3">Model</span>
      <select value={chosen} onChange={(e) => go({ model: e.currentTarget.value })}>
        <option value="">All</option>
        {all.map((m) => (
          <option value={m} key={m}>
            {m}
          </option>
        ))}
      </select>
    </label>
  );
}

// Filters that come by a link and have no control of their own.
function Chips() {
  const named = (['q', 'host', 'rack', 'datacenter'] as const).filter((f) => query.value.get(f));
  return (
    <>
      {named.map((f) => (
        <button type="button" class="btn chip" key={f} onClick={() => go({ [f]: null })} aria-label={`Remove the filter ${f}`}>
          <span class="t3">{f === 'q' ? 'search' : f}</span> {query.value.get(f)} <span aria-hidden="true">×</span>
        </button>
      ))}
    </>
  );
}

function CsvButton() {
  const [error, setError] = useState<string | null>(null);
  // A link cannot ask for text/csv, so the file is fetched and then handed over.
  const save = async () => {
    try {
      setError(null);
      const url = URL.createObjectURL(await api.gpusCsv(filters()));
      const link = document.createElement('a');
      link.href = url;
      link.download = 'gpus.csv';
      link.click();
      setTimeout(() => URL.revokeObjectURL(url), 10_000);
    } catch (e) {
      setError(e instanceof ApiError ? e.message : 'The file could not be made.');
    }
  };
  return (
    <>
      <button type="button" class="btn" onClick={save}>
        <Icon name="download" /> CSV
      </button>
      {error && (
        <span class="t-critical" role="alert">
          {error}
        </span>
      )}
    </>
  );
}

// Who is chosen is in the address, so that the question can be sent as a link.
function useChoice(): Choice & { ids: string[] } {
  const ids = chosenOf(query.value.get('sel'));
  return {
    ids,
    chosen: new Set(ids),
    choose: (changed, on) => navigate(withQuery({ sel: choose(ids, changed, on) }), 'replace'),
  };
}

export function GpuList() {
  const asked = filters();
  const cursor = query.value.get('cursor');
  const box = useRef<HTMLDivElement>(null);
  const list = useData(JSON.stringify([asked, cursor]), (signal) => api.gpus({ ...asked, cursor, limit: kPage }, signal));
  useRefresh(list.reload, summary.value?.as_of, 8000, () => box.current?.matches(':hover, :focus-within') ?? false);
  const total = list.value?.total;
  const choice = useChoice();
  return (
    <>
      <div class="story">
        <h1 data-testid="list-total">{total === undefined ? 'GPUs' : count(total, 'GPU')}</h1>
        {total !== undefined && summary.value && total !== summary.value.total_gpus && (
          <p>match, of {number(summary.value.total_gpus)} in service</p>
        )}
      </div>
      <div class="filters">
        <BandFilter fleet={summary.value} />
        <ModelFilter />
        <label class="check">
          <input
            type="checkbox"
            checked={query.value.get('silent') === 'true'}
            onChange={(e) => go({ silent: e.currentTarget.checked ? 'true' : null })}
          />
          Only silent
        </label>
        <Chips />
        <span class="grow" />
        <CsvButton />
      </div>
      {list.error && <ErrorNote error={list.error} retry={list.reload} />}
      {choice.ids.length > 1 && <ShareCard ids={choice.ids} />}
      <Card title="List" class="listing">
        {!list.value && !list.error && <Skeleton rows={10} />}
        {list.value?.items.length === 0 && (
          <Empty>
            No GPU matches these filters.{' '}
            <a class="link" href="/gpus">
              Show all
            </a>
          </Empty>
        )}
        {list.value && list.value.items.length > 0 && (
          <div ref={box}>
            <GpuTable
              items={list.value.items}
              sort={asked.sort ?? 'score'}
              onSort={(sort) => go({ sort: sort === 'score' ? null : sort })}
              choice={choice}
            />
          </div>
        )}
        <Pager next={list.value?.next ?? null} size={kPage} />
      </Card>
    </>
  );
}
