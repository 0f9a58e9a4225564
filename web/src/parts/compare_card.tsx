import { useMemo } from 'preact/hooks';
import { api, type Gpu, type Numbers } from '../api';
import { now, summary } from '../app/live';
import { query } from '../app/router';
import { type Band, kMostLabelled, kTraits, type Member, membersOf, stripOf, type Trait, verdict } from '../lib/compare';
import { amount, count, value } from '../lib/format';
import { gpuHref, withKept } from '../lib/places';
import { windowOf } from '../lib/ranges';
import { Card, Empty } from './states';
import { useData, useRefresh } from './use_data';

const kFresh = 900; // seconds back in which the peers' newest band is looked for
const kErrors = 'DCGM_FI_DEV_ECC_SBE_VOL_TOTAL';

const lastOf = (values: Numbers | undefined) => values?.findLast((v) => v !== null) ?? null;

/** The middle 80 % of the boards of the members' model, trait by trait; one member stands for all of them. */
function useBands(gpus: Gpu[]): Record<string, Band> {
  const one = gpus.find((g) => !g.silent && g.in_service);
  const metrics = kTraits.map((t) => t.metric).join(',');
  const { value: answer, reload } = useData(`peers of ${one?.id}`, async (signal) => {
    if (!one) return null;
    const end = Math.ceil(now.peek() / 1000);
    return api.metrics(one.id, { metrics, peers: 1, start: end - kFresh, end, interval: '60s' }, signal);
  });
  useRefresh(reload, summary.value?.as_of, 60_000);
  return useMemo(() => {
    const bands: Record<string, Band> = {};
    for (const t of kTraits) {
      const peers = t.metric ? answer?.series[t.metric]?.peers : null;
      const [low, high] = [lastOf(peers?.p10), lastOf(peers?.p90)];
      if (low !== null && high !== null && high >= low) bands[t.id] = { low, high };
    }
    return bands;
  }, [answer]);
}

/** What the corrected-error counters of the members gained in a day; null while it is not known or they are too many. */
function useErrors(gpus: Gpu[]): Member[] | null {
  const asked = gpus.length <= kMostLabelled ? gpus : [];
  const key = asked.map((g) => g.id).join();
  const { value: answer, reload } = useData(`errors ${key}`, async (signal) => {
    const end = Math.ceil(now.peek() / 1000);
    const ask = (g: Gpu) => api.metrics(g.id, { metrics: kErrors, start: end - 86_400, end, interval: '1d' }, signal);
    return Promise.all(asked.map(async (g) => ({ id: g.id, increase: (await ask(g)).series[kErrors]?.increase ?? [] })));
  });
  useRefresh(reload, summary.value?.as_of, 60_000);
  if (!answer || asked.length === 0) return null;
  const sums = new Map(answer.map((a) => [a.id, a.increase.reduce<number | null>((n, v) => (v === null ? n : (n ?? 0) + v), null)]));
  return membersOf(asked, (g) => sums.get(g.id) ?? null);
}

interface StripProps {
  title: string;
  unit: string;
  gap: number;
  members: Member[];
  band: Band | null;
  labels: boolean;
}

function StripRow({ title, unit, gap, members, band, labels }: StripProps) {
  const strip = useMemo(() => stripOf(members, band, gap, labels ? 0.065 : 0.035, labels ? 3 : 6), [members, band, gap, labels]);
  const keep = windowOf(query.value);
  const lanes = Math.max(1, ...strip.dots.map((d) => d.lane + 1));
  const values = members.map((m) => m.value);
  const ends = `${amount(Math.min(...values), unit).number} to ${value(Math.max(...values), unit)}`;
  const peers = band ? `, middle 80 % of the peers ${value(band.low, unit)} to ${value(band.high, unit)}` : '';
  return (
    <li class={`strip ${labels ? 'is-labelled' : ''}`}>
      <span class="strip-title">{title}</span>
      <span class="vh">
        {ends}
        {peers}
      </span>
      <span class="strip-track" aria-hidden="true" style={{ '--lanes': lanes }}>
        {strip.band && (
          <u style={{ left: `${strip.band.from * 100}%`, width: `${Math.max(0.4, (strip.band.to - strip.band.from) * 100)}%` }} />
        )}
        {strip.dots.map((d) => (
          <a
            key={d.id}
            href={withKept(gpuHref(d.id), keep)}
            tabIndex={-1}
            title={`${d.name}: ${value(d.value, unit)}`}
            style={{ left: `${d.x * 100}%`, '--lane': d.lane }}
          >
            {labels ? d.label : ''}
          </a>
        ))}
      </span>
      <span class="strip-ends t2" aria-hidden="true">
        {ends}
      </span>
    </li>
  );
}

const stripFor = (trait: Trait, gpus: Gpu[], bands: Record<string, Band>, labels: boolean) => {
  const members = membersOf(gpus, trait.of);
  if (members.length === 0) return null;
  return (
    <StripRow
      key={trait.id}
      title={trait.title}
      unit={trait.unit}
      gap={trait.gap}
      members={members}
      band={bands[trait.id] ?? null}
      labels={labels}
    />
  );
};

/** Is it the GPU or its surroundings? A strip of dots per trait, before the grey middle of the peers elsewhere. */
export function CompareCard({ gpus, what }: { gpus: Gpu[]; what: string }) {
  const bands = useBands(gpus);
  const errors = useErrors(gpus);
  const said = useMemo(() => verdict(gpus, bands), [gpus, bands]);
  const labels = gpus.length <= kMostLabelled;
  const heard = gpus.filter((g) => !g.silent && g.in_service).length;
  return (
    <Card
      title="The GPU or its surroundings?"
      class={`${labels ? 'c7' : 'c5'} compare`}
      hint={`${count(heard, 'GPU')} of this ${what} beside each other${Object.keys(bands).length > 0 ? ' · grey: the middle 80 % of their peers' : ''}`}
    >
      {heard === 0 && <Empty>None of them reports now.</Empty>}
      {heard > 0 && (
        <div class="body">
          <p class={`verdict is-${said.kind}`} data-testid="verdict">
            {said.text}
          </p>
          <ul class="strips">
            {kTraits.map((t) => stripFor(t, gpus, bands, labels))}
            {errors && errors.length > 0 && (
              <StripRow title="Corrected errors, 24 h" unit="count" gap={2} members={errors} band={null} labels={labels} />
            )}
          </ul>
        </div>
      )}
    </Card>
  );
}
