import { useState } from 'preact/hooks';
import type { GpuDetail, Reading } from '../api';
import { now } from '../app/live';
import { meta } from '../app/meta';
import { ago, count, exact, metricName, value } from '../lib/format';
import { Card, Empty } from './states';
import { type Column, DataTable } from './table';

function meaningOf(metric: string): string {
  return meta.value?.metrics.find((m) => m.name === metric)?.meaning ?? '';
}

const kColumns: Column<Reading>[] = [
  { title: 'Reading', hint: (r) => r.metric, cell: (r) => metricName(r.metric) },
  { title: 'Part', class: 't2', cell: (r) => (r.entity === 'gpu' ? '' : r.entity) },
  { title: 'Value', class: 'r', cell: (r) => value(r.value, r.unit) },
  { title: 'Meaning', class: 't3 wrap wide-only', cell: (r) => meaningOf(r.metric) },
  { title: 'Read', class: 'r t3', hint: (r) => exact(r.at), cell: (r) => ago(r.at, now.value) },
];

const matches = (r: Reading, words: string) =>
  `${r.metric} ${metricName(r.metric)} ${r.entity} ${meaningOf(r.metric)}`.toLowerCase().includes(words);

/** Everything that is known of the board now, as it was read. */
export function Readings({ gpu }: { gpu: GpuDetail }) {
  const [words, setWords] = useState('');
  const rows = gpu.readings.filter((r) => matches(r, words.toLowerCase()));
  return (
    <Card
      title="All readings"
      class="c12"
      hint={count(gpu.readings.length, 'reading')}
      tools={
        <input
          class="field small"
          type="search"
          placeholder="Filter"
          aria-label="Filter the readings"
          value={words}
          onInput={(e) => setWords(e.currentTarget.value.trim())}
        />
      }
    >
      {gpu.readings.length === 0 && <Empty>No reading of this GPU is kept. They appear with its next answer.</Empty>}
      {gpu.readings.length > 0 && rows.length === 0 && <Empty>No reading matches “{words}”.</Empty>}
      {rows.length > 0 && (
        <DataTable label="Table of readings" tall={true} columns={kColumns} rows={rows} keyOf={(r) => `${r.metric} ${r.entity}`} />
      )}
    </Card>
  );
}
