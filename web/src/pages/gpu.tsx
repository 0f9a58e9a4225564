import { useEffect, useState } from 'preact/hooks';
import { api, type GpuDetail, type GpuEvent, type GpuHealth, type HealthHistory, type Maintenance, type Sibling } from '../api';
import { lazyPage } from '../app/lazy';
import { liveGpu, now, summary, wantTopics } from '../app/live';
import { navigate, query, withQuery } from '../app/router';
import { eventText, loudness } from '../lib/events';
import { ago, exact, kDash, score, value } from '../lib/format';
import { covering, untilWords } from '../lib/maintenance';
import { caseHref, gpuHref, newCaseHref, withKept } from '../lib/places';
import { moment, momentText, windowOf } from '../lib/ranges';
import { whyHref } from '../lib/why';
import { When } from '../parts/as_of';
import { kBandNames } from '../parts/bands';
import { Crumbs } from '../parts/crumbs';
import { GpuIncidents } from '../parts/gpu_incidents';
import { BandShape, Icon } from '../parts/icons';
import { Readings } from '../parts/readings';
import { ScoreCard } from '../parts/score_card';
import { Signals } from '../parts/signals';
import { Card, Empty, ErrorNote, Skeleton } from '../parts/states';
import { type Tab, Tabs } from '../parts/tabs';
import { type Data, useData, useRefresh } from '../parts/use_data';

const GpuLife = lazyPage(async () => (await import('./gpu_life')).GpuLife);

const kTabs: Tab[] = [
  { name: 'summary', text: 'Summary' },
  { name: 'signals', text: 'Signals' },
  { name: 'events', text: 'Events' },
  { name: 'jobs', text: 'Jobs' },
  { name: 'history', text: 'History' },
];

function currentTab(): string {
  const asked = query.value.get('tab');
  return kTabs.find((t) => t.name === asked)?.name ?? 'summary';
}

function Copy({ text, what }: { text: string; what: string }) {
  const [done, setDone] = useState(false);
  const copy = async () => {
    // Only pages with a secure origin may use the clipboard; the text can still be selected.
    await navigator.clipboard?.writeText(text).then(
      () => setDone(true),
      () => undefined,
    );
    setTimeout(() => setDone(false), 1500);
  };
  return (
    <button type="button" class="copy" onClick={copy} aria-label={`Copy ${what}`} title={`Copy ${what}`}>
      {done ? 'copied' : <Icon name="copy" />}
    </button>
  );
}

function SiblingStrip({ gpu }: { gpu: GpuDetail }) {
  const tab = currentTab();
  const keep = windowOf(query.value);
  const self: Sibling = { id: gpu.id, slot: gpu.slot, score: gpu.score, band: gpu.band };
  const all = [...gpu.siblings, self].sort((a, b) => (a.slot ?? 99) - (b.slot ?? 99) || a.id.localeCompare(b.id));
  return (
    <nav class="siblings" aria-label="Same host, by slot">
      <span class="t3">Same host, by slot</span>
      <ul>
        {all.map((s) => (
          <li key={s.id}>
            <a
              href={withKept(gpuHref(s.id, tab === 'summary' ? undefined : tab), keep)}
              aria-current={s.id === gpu.id ? 'page' : undefined}
              title={`GPU ${s.slot ?? s.id}: ${kBandNames[s.band]}`}
            >
              <small>{s.slot ?? '·'}</small>
              <span class={s.band === 'healthy' ? '' : `t-${s.band}`}>{score(s.score)}</span>
              <i class={`f-${s.band}`} />
            </a>
          </li>
        ))}
      </ul>
    </nav>
  );
}

function SilentNote({ gpu, work }: { gpu: GpuDetail; work: Maintenance | null }) {
  if (!gpu.in_service) return <p class="note note-error">This GPU is out of service: it is no longer in its host.</p>;
  if (gpu.silent && gpu.last_seen === null)
    return (
      <p class="note note-error" role="status" data-testid="silent">
        No page has shown this GPU yet: only the inventory knows it.
      </p>
    );
  if (gpu.silent)
    return (
      <p class="note note-error" role="status" data-testid="silent">
        <span>
          <b class="t-critical">This GPU is silent.</b> Nothing was heard of it since {exact(gpu.last_seen)},{' '}
          {ago(gpu.last_seen, now.value)}
          {work && ', and it is under maintenance'}. What follows is the last that was known.
        </span>
      </p>
    );
  return null;
}

// Repairs of this board that are not over.
function CaseBadges({ gpu }: { gpu: GpuDetail }) {
  const { value, reload } = useData(`active cases of ${gpu.id}`, (signal) => api.cases({ state: 'active', gpu: gpu.id }, signal));
  useRefresh(reload, summary.value?.as_of, 10_000);
  return (
    <>
      {value?.items.map((c) => (
        <a class="badge" href={caseHref(c.id)} title={c.symptom} data-testid="case-badge" key={c.id}>
          <Icon name="case" /> repair {c.state}
          {c.overdue && <span class="t-critical">overdue</span>}
        </a>
      ))}
    </>
  );
}

function Badges({ gpu, work }: { gpu: GpuDetail; work: Maintenance | null }) {
  return (
    <>
      {!gpu.in_service && (
        <span class="badge t-out_of_service" data-testid="out-of-service">
          <BandShape band="out_of_service" /> out of service
        </span>
      )}
      {work && (
        <a class="badge" href="/maintenance" data-testid="under-maintenance" title={work.reason ?? undefined}>
          <Icon name="wrench" /> maintenance {untilWords(work.until)}
        </a>
      )}
      <CaseBadges gpu={gpu} />
    </>
  );
}

function Header({ gpu, work }: { gpu: GpuDetail; work: Maintenance | null }) {
  return (
    <div class="gh">
      <div class="gh-who">
        <div class="titled">
          <h1>{gpu.name}</h1>
          <Badges gpu={gpu} work={work} />
        </div>
        <ul class="facts">
          <li>{gpu.model ?? 'model not known'}</li>
          {gpu.serial && (
            <li>
              serial <span class="mono">{gpu.serial}</span> <Copy text={gpu.serial} what="serial" />
            </li>
          )}
          {gpu.uuid && (
            <li>
              UUID <Copy text={gpu.uuid} what="UUID" />
            </li>
          )}
          <li>slot {gpu.slot ?? kDash}</li>
          {gpu.pci_bus_id && <li class="mono">{gpu.pci_bus_id}</li>}
          <li>driver {gpu.driver_version ?? kDash}</li>
          <li title={exact(gpu.last_seen)}>seen {ago(gpu.last_seen, now.value)}</li>
        </ul>
        <p class="acts gpu-acts">
          <a class="btn small" href={whyHref({ what: 'gpu', name: gpu.id })}>
            Why did it happen?
          </a>
          <a class="btn small" href={newCaseHref('gpu', gpu.id)}>
            Open a repair case
          </a>
        </p>
      </div>
      <SiblingStrip gpu={gpu} />
    </div>
  );
}

function Now({ gpu }: { gpu: GpuDetail }) {
  const rows: [string, string][] = [
    ['Core temperature', value(gpu.temperature, 'celsius')],
    ['HBM temperature', value(gpu.memory_temperature, 'celsius')],
    ['Power', value(gpu.power, 'W')],
    ['Utilisation', value(gpu.utilisation, 'percent')],
    ['SM clock', value(gpu.sm_clock, 'MHz')],
    ['First seen', exact(gpu.first_seen)],
    ['VBIOS', gpu.vbios_version ?? kDash],
  ];
  return (
    <Card title="Now" class="c5 now" hint={gpu.silent ? 'last values before it fell silent' : `as of ${exact(gpu.as_of).slice(11)}`}>
      <dl class="body kv">
        {rows.map(([name, text]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd data-testid={`now-${name}`}>{text}</dd>
          </div>
        ))}
        <div>
          <dt>State</dt>
          <dd>
            <BandShape band={gpu.band} /> {kBandNames[gpu.band]}
          </dd>
        </div>
      </dl>
    </Card>
  );
}

// The stream carries the board with the readings of its signals; the full answer has all of its readings.
function useGpu(id: string) {
  const full = useData(`gpu ${id}`, (signal) => api.gpu(id, signal));
  useRefresh(full.reload, summary.value?.as_of, 10_000);
  const live = liveGpu.value;
  const gpu = full.value && live?.id === full.value.id ? { ...full.value, ...live, readings: full.value.readings } : full.value;
  return { ...full, value: gpu };
}

// Who works on it: a board is also covered by its host's and its rack's windows.
function useWork(gpu: GpuDetail | null): Maintenance | null {
  const active = useData('active maintenance', (signal) => api.maintenance({ active: 'true' }, signal));
  useRefresh(active.reload, summary.value?.as_of, 10_000);
  return gpu && active.value ? covering(active.value.items, gpu) : null;
}

// What happened lately, for the charts' flags and the short list; the tab has all of it.
const kKnownEvents = 200;
const kShortList = 6;

function useEvents(id: string) {
  const data = useData(`known events ${id}`, (signal) => api.gpuEvents(id, { limit: kKnownEvents }, signal));
  useRefresh(data.reload, summary.value?.as_of, 10_000);
  return data;
}

function Lately({ gpu, events }: { gpu: GpuDetail; events: Data<{ items: GpuEvent[] }> }) {
  const items = events.value?.items ?? [];
  return (
    <Card title="What happened" class="c5 lately">
      {events.error && <ErrorNote error={events.error} retry={events.reload} />}
      {!events.value && !events.error && <Skeleton rows={4} />}
      {events.value && items.length === 0 && <Empty>Nothing has happened to this GPU since it is known, {exact(gpu.first_seen)}.</Empty>}
      <ul class="body plain happenings">
        {items.slice(0, kShortList).map((e, i) => (
          <li key={`${e.at} ${e.kind} ${i}`} class={`loud-${loudness(e)}`}>
            <span>{eventText(e)}</span>
            <a class="link t3" href={withQuery({ at: e.at, from: null, to: null })} title="The score and the signals at that moment">
              <When at={e.at} />
            </a>
          </li>
        ))}
      </ul>
      <a class="more" href={withQuery({ tab: 'events' })}>
        All events ›
      </a>
    </Card>
  );
}

interface PartProps {
  gpu: GpuDetail;
  health: Data<GpuHealth>;
  past: HealthHistory | null;
  at: string | null;
}

function Summary({ gpu, health, past, at }: PartProps) {
  const events = useEvents(gpu.id);
  return (
    <div class="grid gpu-summary">
      {health.value && <ScoreCard health={health.value} past={past} at={at} />}
      {!health.value && (
        <Card title="Score" class="c7 why">
          {health.error ? <ErrorNote error={health.error} retry={health.reload} /> : <Skeleton rows={9} />}
        </Card>
      )}
      <Now gpu={gpu} />
      <Lately gpu={gpu} events={events} />
      <Signals gpu={gpu} events={events.value?.items ?? []} />
    </div>
  );
}

function SignalsTab({ gpu }: { gpu: GpuDetail }) {
  const events = useEvents(gpu.id);
  return (
    <div class="grid">
      <Signals gpu={gpu} events={events.value?.items ?? []} />
      <Readings gpu={gpu} />
    </div>
  );
}

function Part({ tab, ...rest }: PartProps & { tab: string }) {
  if (tab === 'summary') return <Summary {...rest} />;
  if (tab === 'signals') return <SignalsTab gpu={rest.gpu} />;
  return <GpuLife gpu={rest.gpu} tab={tab} />;
}

const kHistoryDays = 90;

function usePast(id: string): HealthHistory | null {
  const past = useData(`past ${id}`, (signal) =>
    api.healthHistory(id, { start: Math.floor(now.peek() / 1000) - kHistoryDays * 86_400 }, signal),
  );
  useRefresh(past.reload, summary.value?.as_of, 60_000);
  return past.value;
}

// The moment that the address asks about, as the API takes it; one that lies ahead or cannot be read is now.
function momentAsked(): string | null {
  const at = moment(query.value.get('at'), now.peek() / 1000);
  return at === null || at >= now.peek() / 1000 ? null : momentText(at);
}

// A UUID is a name too; the address keeps the serial.
function useOneName(id: string, gpu: GpuDetail | null): void {
  useEffect(() => {
    if (gpu && gpu.id !== id) navigate(withKept(gpuHref(gpu.id), query.peek()), 'replace');
  }, [gpu?.id, id]);
}

export function GpuPage({ id }: { id: string }) {
  useEffect(() => {
    wantTopics([`gpu:${id}`]);
    return () => wantTopics([]);
  }, [id]);
  const gpu = useGpu(id);
  const at = momentAsked();
  const health = useData(`health ${id} ${at}`, (signal) => api.health(id, at, signal));
  useRefresh(health.reload, gpu.value?.as_of, at === null ? 4000 : Number.POSITIVE_INFINITY);
  const past = usePast(id);
  useOneName(id, gpu.value);
  const work = useWork(gpu.value);
  if (gpu.error && !gpu.value)
    return (
      <>
        <h1>GPU {id}</h1>
        <ErrorNote error={gpu.error} retry={gpu.reload} />
        <a class="link" href="/gpus">
          All GPUs
        </a>
      </>
    );
  if (!gpu.value) return <Skeleton rows={9} />;
  const tab = currentTab();
  return (
    <>
      <Crumbs place={gpu.value} here={gpu.value.slot === null ? gpu.value.id : `GPU ${gpu.value.slot}`} />
      <Header gpu={gpu.value} work={work} />
      <SilentNote gpu={gpu.value} work={work} />
      <GpuIncidents id={gpu.value.id} host={gpu.value.host} />
      <Tabs tabs={kTabs} current={tab} label="Parts of this page" />
      <Part tab={tab} gpu={gpu.value} health={health} past={past} at={at} />
    </>
  );
}
