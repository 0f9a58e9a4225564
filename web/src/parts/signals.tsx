import { useEffect, useMemo, useState } from 'preact/hooks';
import { api, type GpuDetail, type Reading } from '../api';
import { liveGpu, now } from '../app/live';
import { navigate, query, withQuery } from '../app/router';
import { amount, exact, span as spanText } from '../lib/format';
import { kSignals, type Line, lineOf, remember, type Signal, withLive } from '../lib/series';
import { limitWords } from '../lib/throttle';
import { Chart } from './chart';
import { Card, ErrorNote, Skeleton } from './states';
import { useData } from './use_data';

const kRanges: Record<string, number> = { '15m': 900, '1h': 3600, '6h': 6 * 3600, '24h': 86400 };

function shownValue(signal: Signal, line: Line, i: number | null): { number: string; unit: string } {
  const at = i ?? lastIndex(line);
  const raw = at === null ? null : (line.raw[at] ?? null);
  if (signal.title === 'Clock limits') return { number: limitWords(raw), unit: '' };
  return amount(raw, line.unit);
}

function lastIndex(line: Line): number | null {
  for (let i = line.raw.length - 1; i >= 0; i--) if (line.raw[i] !== null) return i;
  return null;
}

function Multiple({ signal, line, span, name }: { signal: Signal; line: Line | null; span: [number, number]; name: string }) {
  const [hover, setHover] = useState<number | null>(null);
  if (!line || lastIndex(line) === null)
    return (
      <figure>
        <figcaption>
          <span>{signal.title}</span>
          <b class="t3">not available</b>
        </figcaption>
        <p class="chart none t3">No reading of this signal in the range.</p>
      </figure>
    );
  const shown = shownValue(signal, line, hover);
  const at = hover === null ? null : new Date((line.t[hover] ?? 0) * 1000).toISOString();
  return (
    <figure>
      <figcaption>
        <span>{at ? exact(at).slice(11) : signal.title}</span>
        <b data-testid={`signal-${signal.metric}`}>
          {shown.number} {shown.unit && <span class="unit">{shown.unit}</span>}
        </b>
      </figcaption>
      <Chart
        signal={signal}
        line={line}
        span={span}
        hover={setHover}
        label={`${signal.title} of ${name}, now ${shown.number} ${shown.unit}`}
      />
    </figure>
  );
}

// Readings that came while this page is open: the history is asked once per range.
function useLive(id: string): Record<string, Reading[]> {
  const [kept, setKept] = useState<Record<string, Reading[]>>({});
  const gpu = liveGpu.value;
  useEffect(() => {
    if (gpu?.id === id) setKept((k) => remember(k, gpu.readings));
  }, [gpu, id]);
  return kept;
}

function RangePicker({ range }: { range: string }) {
  return (
    <span class="seg">
      {Object.keys(kRanges).map((name) => (
        <button
          type="button"
          key={name}
          aria-pressed={name === range}
          onClick={() => navigate(withQuery({ range: name === '1h' ? null : name }), 'replace')}
        >
          {name.replace(/(\d+)(\w)/, '$1 $2').replace(' m', ' min')}
        </button>
      ))}
    </span>
  );
}

export function Signals({ gpu }: { gpu: GpuDetail }) {
  const asked = query.value.get('range') ?? '1h';
  const range = asked in kRanges ? asked : '1h';
  const seconds = kRanges[range]!;
  const { value, error, reload } = useData(`${gpu.id} ${range}`, (signal) => {
    const end = now.peek() / 1000;
    return api.metrics(gpu.id, end - seconds, end, signal);
  });
  const live = useLive(gpu.id);
  const lines = useMemo(
    () =>
      kSignals.map((signal) => {
        const line = value && lineOf(signal, value);
        return line && withLive(line, signal, live[signal.metric] ?? [], seconds);
      }),
    [value, live, seconds],
  );
  const end = Math.max(...lines.map((l) => l?.t.at(-1) ?? 0));
  const span = useMemo((): [number, number] => [end - seconds, end], [end, seconds]);
  return (
    <Card
      title="Signals"
      class="c12 signals"
      hint={value && `last ${spanText(seconds)}, times in UTC, shaded from least to most`}
      tools={<RangePicker range={range} />}
    >
      {error && <ErrorNote error={error} retry={reload} />}
      {!value && !error && <Skeleton rows={6} />}
      {value && (
        <div class="sm">
          {kSignals.map((signal, i) => (
            <Multiple key={signal.metric} signal={signal} line={lines[i] ?? null} span={span} name={gpu.name} />
          ))}
        </div>
      )}
    </Card>
  );
}
