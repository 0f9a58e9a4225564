import { useEffect, useState } from 'preact/hooks';
import { api, type GpuDetail, type GpuHealth, type Maintenance, type Sibling } from '../api';
import { lazyPage } from '../app/lazy';
import { liveGpu, now, summary, wantTopics } from '../app/live';
import { query } from '../app/router';
import { ago, exact, kDash, score, value } from '../lib/format';
import { covering, untilWords } from '../lib/maintenance';
import { kBandNames } from '../parts/bands';
import { BandShape, Icon } from '../parts/icons';
import { Readings } from '../parts/readings';
import { ScoreCard } from '../parts/score_card';
import { Signals } from '../parts/signals';
import { Card, ErrorNote, Skeleton } from '../parts/states';
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
  const kept = tab === 'summary' ? '' : `?tab=${tab}`;
  const self: Sibling = { id: gpu.id, slot: gpu.slot, score: gpu.score, band: gpu.band };
  const all = [...gpu.siblings, self].sort((a, b) => (a.slot ?? 99) - (b.slot ?? 99) || a.id.localeCompare(b.id));
  return (
    <nav class="siblings" aria-label="Same host, by slot">
      <span class="t3">Same host, by slot</span>
      <ul>
        {all.map((s) => (
          <li key={s.id}>
            <a
              href={`/gpus/${encodeURIComponent(s.id)}${kept}`}
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
    </>
  );
}

function Header({ gpu, work }: { gpu: GpuDetail; work: Maintenance | null }) {
  const place = [gpu.datacenter, gpu.rack].filter(Boolean).join(' / ');
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
          <li>
            <a class="link" href={`/gpus?host=${encodeURIComponent(gpu.host)}&sort=serial`}>
              {gpu.host}
            </a>
            {place && <span class="t3"> in {place}</span>}
          </li>
          <li>slot {gpu.slot ?? kDash}</li>
          {gpu.pci_bus_id && <li class="mono">{gpu.pci_bus_id}</li>}
          <li>driver {gpu.driver_version ?? kDash}</li>
          <li title={exact(gpu.last_seen)}>seen {ago(gpu.last_seen, now.value)}</li>
        </ul>
      </div>
      <SiblingStrip gpu={gpu} />
    </div>
  );
}

function Now({ gpu }: { gpu: GpuDetail }) {
  const rows: [string, string][] = [
    ['GPU temperature', value(gpu.temperature, 'celsius')],
    ['Memory temperature', value(gpu.memory_temperature, 'celsius')],
    ['Power', value(gpu.power, 'W')],
    ['Utilisation', value(gpu.utilisation, 'percent')],
    ['SM clock', value(gpu.sm_clock, 'MHz')],
    ['First seen', exact(gpu.first_seen)],
    ['VBIOS', gpu.vbios_version ?? kDash],
  ];
  return (
    <Card title="Now" class="c5" hint={gpu.silent ? 'last values before it fell silent' : `as of ${exact(gpu.as_of).slice(11)}`}>
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

function Summary({ gpu, health }: { gpu: GpuDetail; health: Data<GpuHealth> }) {
  return (
    <div class="grid">
      {health.value && <ScoreCard health={health.value} />}
      {!health.value && (
        <Card title="Score" class="c7">
          {health.error ? <ErrorNote error={health.error} retry={health.reload} /> : <Skeleton rows={5} />}
        </Card>
      )}
      <Now gpu={gpu} />
      <Signals gpu={gpu} />
    </div>
  );
}

function Part({ tab, gpu, health }: { tab: string; gpu: GpuDetail; health: Data<GpuHealth> }) {
  if (tab === 'summary') return <Summary gpu={gpu} health={health} />;
  if (tab !== 'signals') return <GpuLife gpu={gpu} tab={tab} />;
  return (
    <div class="grid">
      <Signals gpu={gpu} />
      <Readings gpu={gpu} />
    </div>
  );
}

export function GpuPage({ id }: { id: string }) {
  useEffect(() => {
    wantTopics([`gpu:${id}`]);
    return () => wantTopics([]);
  }, [id]);
  const gpu = useGpu(id);
  const health = useData(`health ${id}`, (signal) => api.health(id, signal));
  useRefresh(health.reload, gpu.value?.as_of, 4000);
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
      <Header gpu={gpu.value} work={work} />
      <SilentNote gpu={gpu.value} work={work} />
      <Tabs tabs={kTabs} current={tab} label="Parts of this page" />
      <Part tab={tab} gpu={gpu.value} health={health} />
    </>
  );
}
