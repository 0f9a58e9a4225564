import { api, type Coverage } from '../api';
import { summary } from '../app/live';
import { meta } from '../app/meta';
import { count, exact, kDash, number, percent, sentence, title } from '../lib/format';
import { gpuHref, hostHref } from '../lib/places';
import { coverageTone, coverageWords, doubts, inputName, reasons, trustHeadline, weakest } from '../lib/trust';
import { AsOf, When } from '../parts/as_of';
import { Clamp } from '../parts/clamp';
import { Card, Empty, ErrorNote, Skeleton } from '../parts/states';
import { type Column, DataTable } from '../parts/table';
import { useData, useRefresh } from '../parts/use_data';

const pastHref = (id: string) => gpuHref(id, 'history');

function Share({ share, quiet }: { share: number | null; quiet: boolean }) {
  return (
    <span class={`meter ${quiet ? '' : 'weak'}`}>
      <i>
        <i style={{ width: `${(share ?? 0) * 100}%` }} />
      </i>
      <b class="meter-value">{percent(share)}</b>
    </span>
  );
}

type DimensionCoverage = Coverage['dimensions'][number];

// This version cannot judge every dimension; then nothing is missing, for nothing is looked for.
const isJudged = (dimension: string) => meta.value?.dimensions.find((m) => m.name === dimension)?.available ?? true;

function Missing({ d }: { d: DimensionCoverage }) {
  if (!isJudged(d.name)) return <span class="t3">not scored in this version</span>;
  if (d.missing.length === 0) return <span class="t3">nothing</span>;
  return (
    <ul class="missing">
      {d.missing.map((m) => (
        <li key={m.input} title={m.input}>
          {inputName(m.input)} <span class="t3">{count(m.boards, 'GPU')}</span>
        </li>
      ))}
    </ul>
  );
}

const dimensionColumns = (gpus: number): Column<DimensionCoverage>[] => [
  { title: 'Dimension', heads: true, cell: (d) => title(d.name) },
  { title: 'Inputs found', cell: (d) => <Share share={d.coverage} quiet={coverageTone(d.coverage) === 'plain'} /> },
  {
    title: 'GPUs scored',
    class: 'r',
    cell: (d) => (
      <>
        {number(d.boards_available)} <span class="t3">of {number(gpus)}</span>
      </>
    ),
  },
  { title: 'Missing inputs', class: 'wrap', cell: (d) => <Missing d={d} /> },
];

function Dimensions({ c }: { c: Coverage }) {
  return (
    <Card title="Coverage by dimension" class="c7" hint={<AsOf at={c.as_of} />}>
      <DataTable
        label="Table of coverage by dimension"
        testid="dimensions"
        columns={dimensionColumns(c.total_gpus)}
        rows={c.dimensions}
        keyOf={(d) => d.name}
      />
    </Card>
  );
}

const kModelColumns: Column<Coverage['models'][number]>[] = [
  { title: 'Model', heads: true, cell: (m) => m.model ?? 'model not known' },
  { title: 'GPUs scored', class: 'r', cell: (m) => number(m.boards) },
  { title: 'Inputs found', cell: (m) => <Share share={m.coverage} quiet={true} /> },
];

function Models({ c }: { c: Coverage }) {
  return (
    <Card title="Coverage by model" class="c5" hint={<AsOf at={c.as_of} />}>
      {c.models.length === 0 && <Empty>No GPU has a score yet; the first comes a minute after its first reading.</Empty>}
      {c.models.length > 0 && (
        <DataTable
          label="Table of coverage by model"
          testid="models"
          columns={kModelColumns}
          rows={c.models}
          keyOf={(m) => m.model ?? ''}
        />
      )}
    </Card>
  );
}

const worked = (maintenance: boolean) => (maintenance ? 'yes' : <span class="t3">no</span>);

const kSilentHostColumns: Column<Coverage['silent_hosts'][number]>[] = [
  {
    title: 'Host',
    heads: true,
    cell: (h) => (
      <a class="link" href={hostHref(h.host)}>
        {h.host}
      </a>
    ),
  },
  { title: 'Last answer', cell: (h) => (h.last_answer ? <When at={h.last_answer} /> : 'never') },
  { title: 'GPUs', class: 'r', cell: (h) => number(h.boards) },
  { title: 'Maintenance', cell: (h) => worked(h.maintenance) },
  { title: 'What went wrong', class: 'wrap t2', cell: (h) => <Clamp text={h.error ?? 'It answers no more; nothing else is known.'} /> },
];

function SilentHosts({ c }: { c: Coverage }) {
  const all = Math.max(summary.value?.silent_hosts ?? 0, c.silent_hosts.length);
  return (
    <Card
      title={c.silent_hosts.length === 0 ? 'Silent hosts' : count(all, 'silent host')}
      class="c7"
      hint={
        <>
          {all > c.silent_hosts.length && `${number(c.silent_hosts.length)} are listed, `}
          <AsOf at={c.as_of} />
        </>
      }
    >
      {c.silent_hosts.length === 0 && <Empty>Every host answers.</Empty>}
      {c.silent_hosts.length > 0 && (
        <DataTable
          label="Table of silent hosts"
          testid="silent-hosts"
          tall={true}
          columns={kSilentHostColumns}
          rows={c.silent_hosts}
          keyOf={(h) => h.host}
        />
      )}
    </Card>
  );
}

const kSilentGpuColumns: Column<Coverage['silent_gpus'][number]>[] = [
  {
    title: 'GPU',
    heads: true,
    cell: (g) => (
      <a class="link" href={pastHref(g.id)} title={g.id}>
        {g.name}
      </a>
    ),
  },
  { title: 'Seen', cell: (g) => (g.last_seen ? <When at={g.last_seen} /> : 'never') },
  { title: 'Maintenance', cell: (g) => worked(g.maintenance) },
];

function SilentGpus({ c }: { c: Coverage }) {
  const all = Math.max(c.total_gpus - c.reporting_gpus, c.silent_gpus.length);
  return (
    <Card
      title={c.silent_gpus.length === 0 ? 'Silent GPUs' : count(all, 'silent GPU')}
      class="c5"
      hint={
        <>
          {all > c.silent_gpus.length && `${number(c.silent_gpus.length)} are listed, `}
          <AsOf at={c.as_of} />
        </>
      }
    >
      {c.silent_gpus.length === 0 && <Empty>Every GPU in service is on its host’s page.</Empty>}
      {c.silent_gpus.length > 0 && (
        <DataTable
          label="Table of silent GPUs"
          testid="silent-gpus"
          tall={true}
          columns={kSilentGpuColumns}
          rows={c.silent_gpus}
          keyOf={(g) => g.id}
        />
      )}
    </Card>
  );
}

const kConflictColumns: Column<Coverage['conflicts'][number]>[] = [
  {
    title: 'GPU',
    heads: true,
    class: 'mono',
    cell: (x) =>
      x.id ? (
        <a class="link" href={pastHref(x.id)}>
          {x.id}
        </a>
      ) : (
        kDash
      ),
  },
  { title: 'Claimed by', cell: (x) => x.claims },
  { title: 'Since', hint: (x) => `last noticed ${exact(x.last)}`, cell: (x) => <When at={x.since} /> },
  { title: 'What is wrong', class: 'wrap t2', cell: (x) => <Clamp text={sentence(x.detail)} /> },
];

function Conflicts({ c }: { c: Coverage }) {
  return (
    <Card title="Claims that contradict each other" class="c7" hint={<AsOf at={c.as_of} />}>
      {c.conflicts.length === 0 && <Empty>None: no two sources claim the same GPU, and the inventory agrees with the pages.</Empty>}
      {c.conflicts.length > 0 && (
        <DataTable
          label="Table of claims that contradict each other"
          testid="conflicts"
          tall={true}
          columns={kConflictColumns}
          rows={c.conflicts}
          keyOf={(x) => `${x.kind} ${x.id} ${x.claims}`}
        />
      )}
    </Card>
  );
}

const kReasonColumns: Column<{ reason: string; count: number }>[] = [
  {
    title: 'Reason',
    heads: true,
    cell: (r) => (
      <a class="link" href={`/quarantine?reason=${encodeURIComponent(r.reason)}`}>
        {title(r.reason)}
      </a>
    ),
  },
  { title: 'Values', class: 'r', cell: (r) => number(r.count) },
];

function Refused({ c }: { c: Coverage }) {
  const rows = reasons(c);
  return (
    <Card title="Refused values by reason" class="c5" hint={<AsOf at={c.as_of} />}>
      {rows.length === 0 && <Empty>None of {number(c.values.accepted)} values was refused since the server started.</Empty>}
      {rows.length > 0 && (
        <DataTable
          label="Table of refused values by reason"
          testid="refused"
          columns={kReasonColumns}
          rows={rows}
          keyOf={(r) => r.reason}
        />
      )}
      <a class="more" href="/quarantine">
        Which sources and metrics
      </a>
    </Card>
  );
}

const kLeastColumns: Column<Coverage['items'][number]>[] = [
  {
    title: 'GPU',
    heads: true,
    cell: (g) => (
      <a class="link" href={gpuHref(g.id)} title={g.id}>
        {g.name}
      </a>
    ),
  },
  { title: 'Inputs found', cell: (g) => <Share share={g.coverage} quiet={true} /> },
  { title: 'Where it lacks', class: 'wrap t2', cell: (g) => sentence(weakest(g.dimensions, isJudged)) || 'little' },
];

function LeastKnown({ c }: { c: Coverage }) {
  return (
    <Card title="GPUs of which the least is known" class="c12" hint={<AsOf at={c.as_of} />}>
      {c.items.length === 0 && (
        <Empty>{c.coverage === null ? 'No GPU has a score yet.' : 'All that scores look at is known of every GPU.'}</Empty>
      )}
      {c.items.length > 0 && (
        <DataTable
          label="Table of GPUs of which the least is known"
          testid="least-known"
          tall={true}
          columns={kLeastColumns}
          rows={c.items}
          keyOf={(g) => g.id}
        />
      )}
    </Card>
  );
}

function Story({ c }: { c: Coverage }) {
  const why = doubts(c);
  return (
    <div class="story">
      <h1 data-testid="trust-headline">{trustHeadline(c)}</h1>
      <p data-testid="doubts">
        {[coverageWords(c), ...(why.length === 0 ? ['Nothing speaks against these numbers'] : why)].map((s) => `${s}.`).join(' ')}
      </p>
    </div>
  );
}

/** Can I trust this screen? Coverage, silence, contradictions, refusals. */
export function Trust() {
  const { value, error, reload } = useData('coverage', (signal) => api.coverage(signal));
  useRefresh(reload, summary.value?.as_of, 5000);
  return (
    <>
      {value ? (
        <Story c={value} />
      ) : (
        <div class="story">
          <h1>Can I trust this screen?</h1>
        </div>
      )}
      {error && <ErrorNote error={error} retry={reload} />}
      {!value && !error && <Skeleton rows={9} />}
      {value && (
        <div class="grid">
          <Dimensions c={value} />
          <Models c={value} />
          <SilentHosts c={value} />
          <SilentGpus c={value} />
          <Conflicts c={value} />
          <Refused c={value} />
          <LeastKnown c={value} />
        </div>
      )}
    </>
  );
}
