// The tabs of a board's page that tell its past: events, jobs, ledger.
import { useState } from 'preact/hooks';
import { api, type GpuDetail, type GpuLedger, type Interval, type Inventory, type Job } from '../api';
import { now, summary } from '../app/live';
import { lengthOf } from '../lib/duration';
import { day, exact, kDash } from '../lib/format';
import { lifeGroups, lifeWords, maintenanceIntervals, usd, warranty } from '../lib/life';
import { whyHref } from '../lib/why';
import { AsOf } from '../parts/as_of';
import { EventTable } from '../parts/event_table';
import { Card, Empty, ErrorNote, Skeleton } from '../parts/states';
import { type Column, DataTable } from '../parts/table';
import { TimelineCard } from '../parts/timeline_card';
import { useData, useRefresh } from '../parts/use_data';

const kFew = 100;
const kMost = 1000;

function EventsTable({ gpu }: { gpu: GpuDetail }) {
  const [limit, setLimit] = useState(kFew);
  const { value, error, reload } = useData(`events ${gpu.id} ${limit}`, (signal) => api.gpuEvents(gpu.id, { limit }, signal));
  useRefresh(reload, summary.value?.as_of, 5000);
  return (
    <Card title="Events of this GPU" class="c12" hint={value && <AsOf at={value.as_of} />}>
      {error && <ErrorNote error={error} retry={reload} />}
      {!value && !error && <Skeleton rows={6} />}
      {value?.items.length === 0 && <Empty>Nothing has happened to this GPU since it is known, {exact(gpu.first_seen)}.</Empty>}
      {value && value.items.length > 0 && <EventTable events={value.items} places={false} meanings={true} />}
      {value && value.items.length === limit && limit < kMost && (
        <div class="pager">
          <button type="button" class="btn" onClick={() => setLimit(kMost)}>
            Show up to {kMost}
          </button>
        </div>
      )}
    </Card>
  );
}

function EventsTab({ gpu }: { gpu: GpuDetail }) {
  return (
    <div class="grid">
      <TimelineCard gpu={gpu} />
      <EventsTable gpu={gpu} />
    </div>
  );
}

const kJobKinds: Record<string, string> = { pod: 'Kubernetes pod', job: 'Batch job' };

const kJobColumns: Column<Job>[] = [
  {
    title: 'Job',
    class: 'mono name',
    cell: (j) => (
      <a class="link" href={whyHref({ what: 'job', name: j.name })} title="Why did it end as it did?">
        {j.name}
      </a>
    ),
  },
  { title: 'Kind', cell: (j) => kJobKinds[j.kind] ?? j.kind },
  { title: 'From', cell: (j) => exact(j.from) },
  { title: 'To', cell: (j) => (j.to === null ? <span class="t3">still runs</span> : exact(j.to)) },
  { title: 'Length', class: 'r', cell: (j) => (j.to === null ? 'runs since ' : '') + lengthOf(j, now.value) },
];

function NoJobs() {
  return (
    <Empty>
      No job is on record for this GPU. Jobs come with the exporter’s labels: <code>pod</code>, <code>namespace</code> and{' '}
      <code>container</code> when dcgm-exporter maps GPUs to Kubernetes pods, <code>hpc_job</code> when its HPC job mapping is on.
    </Empty>
  );
}

function JobsTab({ gpu }: { gpu: GpuDetail }) {
  const { value, error, reload } = useData(`jobs ${gpu.id}`, (signal) => api.jobs(gpu.id, signal));
  useRefresh(reload, summary.value?.as_of, 10_000);
  return (
    <Card title="What ran on this GPU" hint={value && <AsOf at={value.as_of} />}>
      {error && <ErrorNote error={error} retry={reload} />}
      {!value && !error && <Skeleton rows={6} />}
      {value?.items.length === 0 && <NoJobs />}
      {value && value.items.length > 0 && (
        <DataTable
          label="Table of jobs"
          testid="jobs"
          columns={kJobColumns}
          rows={value.items}
          keyOf={(j) => `${j.kind} ${j.name} ${j.from}`}
        />
      )}
    </Card>
  );
}

function LifeLine({ item }: { item: Interval }) {
  const words = lifeWords(item);
  const ended = item.to !== null && Date.parse(item.to) <= now.value;
  return (
    <li class={ended ? '' : 'is-open'}>
      <p>
        <span class={words.mono ? 'mono' : 'main'}>{words.main}</span> {words.more && <span class="t2">{words.more}</span>}
      </p>
      <p class="t3" title={`${exact(item.from)} to ${item.to === null ? 'now' : exact(item.to)}`}>
        {item.to === null ? `since ${exact(item.from)}` : `${exact(item.from)} to ${exact(item.to)}`} ·{' '}
        <span class="whole">{lengthOf(item, now.value)}</span>
      </p>
    </li>
  );
}

// The ledger writes a silence down when it ends; one that goes on is known from the board.
function openSilence(gpu: GpuDetail): Interval[] {
  if (!gpu.silent || !gpu.in_service || gpu.last_seen === null) return [];
  return [{ kind: 'silence', value: gpu.host, from: gpu.last_seen, to: null, facts: {} }];
}

function Life({ ledger, gpu }: { ledger: GpuLedger; gpu: GpuDetail }) {
  const groups = lifeGroups([...ledger.items, ...openSilence(gpu), ...maintenanceIntervals(ledger.maintenance, ledger.as_of)]);
  return (
    <Card title="Its life" class="c8" hint={<AsOf at={ledger.as_of} />}>
      {groups.length === 0 && <Empty>Nothing is on record yet.</Empty>}
      <div class="body life" data-testid="life">
        {groups.map((g) => (
          <section key={g.kind} aria-label={g.title}>
            <h3>
              {g.title} {g.items.length > 1 && <span class="t3">{g.items.length}</span>}
            </h3>
            <ol>
              {g.items.map((i) => (
                <LifeLine key={`${i.value} ${i.from}`} item={i} />
              ))}
            </ol>
          </section>
        ))}
      </div>
    </Card>
  );
}

function Warranty({ until }: { until: string | null }) {
  const left = warranty(until, now.value);
  if (!left) return <>{kDash}</>;
  return (
    <>
      {day(until)}, <span class={left.tone === 'plain' ? '' : 'strong'}>{left.text}</span>
    </>
  );
}

// Where the inventory puts the board, and that it reports from elsewhere.
function Stands({ inventory, gpu }: { inventory: Inventory; gpu: GpuDetail }) {
  const place = [inventory.rack, inventory.host, inventory.slot && `slot ${inventory.slot}`].filter(Boolean).join(' / ') || kDash;
  const elsewhere = inventory.host !== null && inventory.host !== gpu.host && gpu.in_service;
  return (
    <>
      {place}
      {elsewhere && <span> but it reports from {gpu.host}</span>}
    </>
  );
}

function InventoryFacts({ inventory, gpu }: { inventory: Inventory; gpu: GpuDetail }) {
  return (
    <dl class="body kv" data-testid="inventory">
      <div>
        <dt>Batch</dt>
        <dd>{inventory.batch ?? kDash}</dd>
      </div>
      <div>
        <dt>Place</dt>
        <dd>
          <Stands inventory={inventory} gpu={gpu} />
        </dd>
      </div>
      <div>
        <dt>Made</dt>
        <dd>{day(inventory.manufactured_at)}</dd>
      </div>
      <div>
        <dt>Deployed</dt>
        <dd>{day(inventory.deployed_at)}</dd>
      </div>
      {inventory.retired_at && (
        <div>
          <dt>Retired</dt>
          <dd>{day(inventory.retired_at)}</dd>
        </div>
      )}
      <div>
        <dt>Warranty until</dt>
        <dd>
          <Warranty until={inventory.warranty_until} />
        </dd>
      </div>
      <div>
        <dt>Price paid</dt>
        <dd>{usd(inventory.purchase_price_usd)}</dd>
      </div>
      {Object.entries(inventory.attributes).map(([name, text]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{text}</dd>
        </div>
      ))}
    </dl>
  );
}

function InventoryCard({ ledger, gpu }: { ledger: GpuLedger; gpu: GpuDetail }) {
  const { inventory } = ledger.gpu;
  return (
    <Card title="What the inventory says" class="c4">
      {inventory ? (
        <InventoryFacts inventory={inventory} gpu={gpu} />
      ) : (
        <Empty>
          The inventory says nothing of this GPU. A table of assets is read with <code>ghm assets import assets.csv</code>; the columns{' '}
          <code>serial</code> or <code>gpu_uuid</code>, <code>model</code> and <code>host</code> are enough.
        </Empty>
      )}
    </Card>
  );
}

function HistoryTab({ gpu }: { gpu: GpuDetail }) {
  const { value, error, reload } = useData(`ledger ${gpu.id}`, (signal) => api.ledger(gpu.id, signal));
  useRefresh(reload, summary.value?.as_of, 10_000);
  return (
    <>
      {error && <ErrorNote error={error} retry={reload} />}
      {!value && !error && <Skeleton rows={9} />}
      {value && (
        <div class="grid">
          <Life ledger={value} gpu={gpu} />
          <InventoryCard ledger={value} gpu={gpu} />
        </div>
      )}
    </>
  );
}

export function GpuLife({ gpu, tab }: { gpu: GpuDetail; tab: string }) {
  if (tab === 'events') return <EventsTab gpu={gpu} />;
  if (tab === 'jobs') return <JobsTab gpu={gpu} />;
  return <HistoryTab gpu={gpu} />;
}
