import { api, storedKey, storeKey } from '../api';
import { meta } from '../app/meta';
import { kDash, number, percent, title } from '../lib/format';
import { kBandNames } from '../parts/bands';
import { BandShape } from '../parts/icons';
import { KeyForm } from '../parts/key_form';
import { Card, ErrorNote, Skeleton } from '../parts/states';
import { type Column, DataTable } from '../parts/table';
import { useData } from '../parts/use_data';

type About = NonNullable<typeof meta.value>;

const kDimensionColumns: Column<About['dimensions'][number]>[] = [
  { title: 'Dimension', cell: (d) => title(d.name) },
  { title: 'Weight', class: 'r', cell: (d) => percent(d.weight) },
  { title: 'In this version', cell: (d) => <span class={d.available ? '' : 't3'}>{d.available ? 'scored' : 'not available'}</span> },
];

const kMetricColumns: Column<About['metrics'][number]>[] = [
  { title: 'Name', class: 'mono', cell: (m) => m.name },
  { title: 'Unit', cell: (m) => m.unit ?? kDash },
  { title: 'Kind', cell: (m) => m.kind },
  { title: 'Meaning', class: 'wrap', cell: (m) => m.meaning },
];

function Scoring({ about }: { about: About }) {
  return (
    <Card title="How a score is made" class="c7" hint="weights are shared anew when a part has too little data">
      <DataTable label="Table of dimensions" columns={kDimensionColumns} rows={about.dimensions} keyOf={(d) => d.name} />
    </Card>
  );
}

function Bands({ about }: { about: About }) {
  return (
    <Card title="Bands" class="c5" hint="colour, shape and word always say the same">
      <ul class="body plain">
        {about.bands.map((b) => (
          <li key={b.name}>
            <BandShape band={b.name} /> {kBandNames[b.name]}{' '}
            <span class="t3">
              {b.from} to {b.to === 100 ? 100 : b.to - 1}
            </span>
          </li>
        ))}
        <li>
          <BandShape band="out_of_service" /> Out of service <span class="t3">no longer in its host</span>
        </li>
        <li>
          <BandShape band="no_data" /> No score <span class="t3">too little data; never shown as 0</span>
        </li>
      </ul>
    </Card>
  );
}

function Metrics({ about }: { about: About }) {
  return (
    <Card title="Metrics" hint={`${number(about.metrics.length)} that this server understands`} class="c12">
      <DataTable label="Table of metrics" tall={true} columns={kMetricColumns} rows={about.metrics} keyOf={(m) => m.name} />
    </Card>
  );
}

function forget(): void {
  storeKey(null);
  location.reload();
}

function Access() {
  const { value: me, error, reload } = useData('me', (signal) => api.me(signal));
  const who = me?.auth === 'key' ? `key ${me.key_id ?? ''}` : 'without a key, from this machine';
  return (
    <Card title="Access" class="c12" hint="a key is kept in this tab only and goes with it">
      <div class="body access">
        {error && <ErrorNote error={error} retry={reload} />}
        {me && (
          <p data-testid="me">
            You are a <b>{me.role}</b>, {who}.
          </p>
        )}
        {storedKey() ? (
          <button type="button" class="btn" onClick={forget}>
            Forget the key
          </button>
        ) : (
          <KeyForm label="API key" />
        )}
      </div>
    </Card>
  );
}

export function About() {
  const about = meta.value;
  if (!about) return <Skeleton rows={8} />;
  return (
    <>
      <div class="story">
        <h1>GPU Health Monitor {about.version}</h1>
        <p>
          <a class="link" href="/docs">
            API description
          </a>{' '}
          ·{' '}
          <a class="link" href="/metrics">
            Own metrics
          </a>{' '}
          · Apache-2.0 · contains Preact and uPlot (MIT), Inter (OFL)
        </p>
      </div>
      <div class="grid">
        <Access />
        <Scoring about={about} />
        <Bands about={about} />
        <Metrics about={about} />
      </div>
    </>
  );
}
