import type { Gpu } from '../api';
import { navigate, query, withQuery } from '../app/router';
import { kMostLabelled, kTraits } from '../lib/compare';
import { score, value } from '../lib/format';
import { gpuHref, hostHref, withKept } from '../lib/places';
import { windowOf } from '../lib/ranges';
import { kBandNames } from './bands';
import { BandShape } from './icons';
import { Card } from './states';

const natural = new Intl.Collator('en', { numeric: true });

/** Hosts in the order of their names, their boards by slot. */
export function byHost(gpus: Gpu[]): { host: string; gpus: Gpu[] }[] {
  const hosts = new Map<string, Gpu[]>();
  for (const g of gpus) hosts.set(g.host, [...(hosts.get(g.host) ?? []), g]);
  return [...hosts]
    .sort(([a], [b]) => natural.compare(a, b))
    .map(([host, members]) => ({ host, gpus: members.sort((a, b) => (a.slot ?? 999) - (b.slot ?? 999) || natural.compare(a.id, b.id)) }));
}

const shownTrait = () => kTraits.find((t) => t.id === query.value.get('show')) ?? kTraits[0]!;

function Slot({ gpu, keep }: { gpu: Gpu; keep: URLSearchParams }) {
  const trait = shownTrait();
  const reading = gpu.silent ? 'silent' : value(trait.of(gpu), trait.unit);
  return (
    <li>
      <a
        class={`slot ${gpu.silent ? 'is-silent' : ''}`}
        href={withKept(gpuHref(gpu.id), keep)}
        title={`${gpu.name}: ${kBandNames[gpu.band]}${gpu.top_finding ? `, ${gpu.top_finding}` : ''}`}
      >
        <small>
          {gpu.slot ?? '·'}
          {gpu.band !== 'healthy' && <BandShape band={gpu.band} />}
        </small>
        <b class={gpu.band === 'healthy' ? '' : `t-${gpu.band}`}>{score(gpu.score)}</b>
        <span class="vh">, {kBandNames[gpu.band]}, </span>
        <span class="slot-reading">{reading}</span>
        <i class={`f-${gpu.band}`} />
      </a>
    </li>
  );
}

function ShowPicker() {
  return (
    <label class="pick">
      <span class="t3">Below the score</span>
      <select
        value={shownTrait().id}
        onChange={(e) => navigate(withQuery({ show: e.currentTarget.value === kTraits[0]!.id ? null : e.currentTarget.value }))}
      >
        {kTraits.map((t) => (
          <option key={t.id} value={t.id}>
            {t.title}
          </option>
        ))}
      </select>
    </label>
  );
}

// One value of all, or the values with their counts: a mixed driver is a reason of its own.
function mixed(gpus: Gpu[], of: (g: Gpu) => string | null): string {
  const counts = new Map<string, number>();
  for (const g of gpus) counts.set(of(g) ?? 'not known', (counts.get(of(g) ?? 'not known') ?? 0) + 1);
  const [only] = counts.keys();
  if (counts.size === 1) return only!;
  return [...counts]
    .sort((a, b) => b[1] - a[1])
    .map(([text, n]) => `${text} (${n})`)
    .join(', ');
}

function Facts({ gpus }: { gpus: Gpu[] }) {
  const rows: [string, string][] = [
    ['Model', mixed(gpus, (g) => g.model?.replace(/^NVIDIA /, '') ?? null)],
    ['Driver', mixed(gpus, (g) => g.driver_version)],
    ['VBIOS', mixed(gpus, (g) => g.vbios_version)],
  ];
  return (
    <dl class="body kv">
      {rows.map(([name, text]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{text}</dd>
        </div>
      ))}
    </dl>
  );
}

/** Where the boards stand: a row of slots for each host, each with its score and one reading. */
export function Elevation({ gpus, what }: { gpus: Gpu[]; what: 'host' | 'rack' }) {
  const keep = windowOf(query.value);
  return (
    <Card
      title={what === 'host' ? 'By slot' : 'By host and slot'}
      class={`${gpus.length <= kMostLabelled ? 'c5' : 'c7'} elevation`}
      tools={<ShowPicker />}
    >
      <ul class="body plain hosts" data-testid="elevation">
        {byHost(gpus).map(({ host, gpus: members }) => (
          <li class="host-row" key={host}>
            {what === 'rack' && (
              <a class="link host-name" href={withKept(hostHref(host), keep)}>
                {host}
              </a>
            )}
            <ul class="slots" aria-label={host}>
              {members.map((g) => (
                <Slot key={g.id} gpu={g} keep={keep} />
              ))}
            </ul>
          </li>
        ))}
      </ul>
      <Facts gpus={gpus} />
    </Card>
  );
}
