import { useState } from 'preact/hooks';
import type { GpuDetail, Reading } from '../api';
import { now } from '../app/live';
import { meta } from '../app/meta';
import { ago, count, exact, metricName, value } from '../lib/format';
import { Card, Empty, Scroll } from './states';

function meaningOf(metric: string): string {
  return meta.value?.metrics.find((m) => m.name === metric)?.meaning ?? '';
}

function Row({ reading }: { reading: Reading }) {
  return (
    <tr>
      <td title={reading.metric}>{metricName(reading.metric)}</td>
      <td class="t2">{reading.entity === 'gpu' ? '' : reading.entity}</td>
      <td class="r">{value(reading.value, reading.unit)}</td>
      <td class="t3 wrap wide-only">{meaningOf(reading.metric)}</td>
      <td class="r t3" title={exact(reading.at)}>
        {ago(reading.at, now.value)}
      </td>
    </tr>
  );
}

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
        <Scroll label="Table of readings" tall>
          <table>
            <thead>
              <tr>
                <th scope="col">Reading</th>
                <th scope="col">Part</th>
                <th scope="col" class="r">
                  Value
                </th>
                <th scope="col" class="wide-only">
                  Meaning
                </th>
                <th scope="col" class="r">
                  Read
                </th>
              </tr>
            </thead>
            <tbody>
              {rows.map((r) => (
                <Row key={`${r.metric} ${r.entity}`} reading={r} />
              ))}
            </tbody>
          </table>
        </Scroll>
      )}
    </Card>
  );
}
