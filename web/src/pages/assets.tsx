import { useRef } from 'preact/hooks';
import { type Asset, api } from '../api';
import { now, summary } from '../app/live';
import { navigate, query, withQuery } from '../app/router';
import { day, exact, kDash } from '../lib/format';
import { warranty } from '../lib/life';
import { gpuHref } from '../lib/places';
import { AsOf } from '../parts/as_of';
import { BandShape, Icon } from '../parts/icons';
import { Pager } from '../parts/pager';
import { Card, Empty, ErrorNote, Skeleton } from '../parts/states';
import { type Column, DataTable } from '../parts/table';
import { useData, useRefresh } from '../parts/use_data';

const kPage = 100;

function SearchAssets() {
  const input = useRef<HTMLInputElement>(null);
  const q = query.value.get('q') ?? '';
  const submit = (e: Event) => {
    e.preventDefault();
    navigate(withQuery({ q: input.current?.value.trim() ?? '', cursor: null }));
  };
  return (
    <form class="filters" onSubmit={submit}>
      <label>
        <span class="vh">Part of a serial, UUID, model, host, rack or batch</span>
        <input ref={input} key={q} class="field wide" type="search" placeholder="Serial, UUID, model, host, rack, batch" defaultValue={q} />
      </label>
      <button type="submit" class="btn">
        <Icon name="find" /> Find
      </button>
      {q && (
        <a class="btn" href={withQuery({ q: null, cursor: null })}>
          Show all
        </a>
      )}
    </form>
  );
}

function WarrantyCell({ asset }: { asset: Asset }) {
  const left = warranty(asset.inventory?.warranty_until, now.value);
  if (!left) return <>{kDash}</>;
  return (
    <span class={left.tone === 'plain' ? '' : 'strong'} title={exact(asset.inventory?.warranty_until ?? null)}>
      {left.text}
    </span>
  );
}

function ServiceCell({ asset }: { asset: Asset }) {
  if (!asset.in_service)
    return (
      <>
        <BandShape band="out_of_service" /> out of service
      </>
    );
  return asset.last_seen === null ? <span class="t3">yes, never seen</span> : <>yes</>;
}

const kColumns: Column<Asset>[] = [
  {
    title: 'GPU',
    heads: true,
    cell: (a) => (
      <a class="row-link" href={gpuHref(a.id, 'history')}>
        {a.id}
      </a>
    ),
  },
  { title: 'Model', cell: (a) => a.model?.replace(/^NVIDIA /, '') ?? kDash },
  { title: 'Host', cell: (a) => a.host ?? kDash },
  { title: 'Rack', cell: (a) => a.rack ?? kDash },
  { title: 'Batch', cell: (a) => a.inventory?.batch ?? kDash },
  { title: 'Deployed', hint: (a) => exact(a.inventory?.deployed_at ?? null), cell: (a) => day(a.inventory?.deployed_at ?? null) },
  { title: 'Warranty', cell: (a) => <WarrantyCell asset={a} /> },
  { title: 'In service', cell: (a) => <ServiceCell asset={a} /> },
];

function NoAssets({ asked }: { asked: string }) {
  if (asked) return <Empty>Nothing in the ledger matches “{asked}”.</Empty>;
  return (
    <Empty>
      No GPU is known yet. They come with the first page that is read, or with <code>ghm assets import assets.csv</code>.
    </Empty>
  );
}

/** Every board that the ledger knows, with what the inventory says of it. */
export function Assets() {
  const q = query.value.get('q') ?? '';
  const cursor = query.value.get('cursor');
  const { value, error, reload } = useData(`assets ${q} ${cursor}`, (signal) => api.assets({ q, cursor, limit: kPage }, signal));
  useRefresh(reload, summary.value?.as_of, 15_000);
  const blank = value !== null && value.items.length > 0 && value.items.every((a) => a.inventory === null);
  return (
    <>
      <div class="story">
        <h1>Assets</h1>
        <p>Every GPU that the ledger knows, spares and retired ones too.</p>
      </div>
      <SearchAssets />
      {error && <ErrorNote error={error} retry={reload} />}
      {blank && (
        <p class="note t2">
          None of these is in the inventory yet: <code>ghm assets import assets.csv</code> brings batch, deployment and warranty.
        </p>
      )}
      <Card title="In the order of their names" hint={value && <AsOf at={value.as_of} />}>
        {!value && !error && <Skeleton rows={10} />}
        {value?.items.length === 0 && <NoAssets asked={q} />}
        {value && value.items.length > 0 && (
          <DataTable label="Table of assets" testid="assets" columns={kColumns} rows={value.items} keyOf={(a) => a.id} />
        )}
        <Pager next={value?.next ?? null} size={kPage} />
      </Card>
    </>
  );
}
