import { useMemo } from 'preact/hooks';
import type { GpuEvent } from '../api';
import { now } from '../app/live';
import { query } from '../app/router';
import { eventText } from '../lib/events';
import { type Mark, marksOf } from '../lib/flags';
import { count, number, shortTime, span as spanText } from '../lib/format';
import { fitting, rangeOf } from '../lib/ranges';
import { EventTable } from './event_table';
import { Card, Empty, ErrorNote, Skeleton } from './states';
import { rangeWords, TimeRange } from './time_range';
import type { Data } from './use_data';

const kBins = 96;
const kLanes = 12;
const kRows = 200;

export interface Lane {
  name: string;
  href: string;
}

function MarkDot({ mark, from, seconds }: { mark: Mark; from: number; seconds: number }) {
  const start = shortTime(new Date((from + (mark.bin / kBins) * seconds) * 1000).toISOString());
  const words = [...new Set(mark.events.map(eventText))].slice(0, 6).join('\n');
  return (
    <i class={`lane-mark loud-${mark.loud}`} style={{ left: `${((mark.bin + 0.5) / kBins) * 100}%` }} title={`${start} UTC\n${words}`}>
      {mark.count > 1 ? (mark.count > 99 ? '99+' : mark.count) : ''}
    </i>
  );
}

function Ticks({ from, to }: { from: number; to: number }) {
  const long = to - from > 2 * 86_400;
  const at = [0, 0.25, 0.5, 0.75].map((p) => from + p * (to - from));
  return (
    <div class="lane-ticks t3" aria-hidden="true">
      {at.map((t) => {
        const words = shortTime(new Date(t * 1000).toISOString());
        return <span key={t}>{long ? words.slice(0, -6) : words}</span>;
      })}
    </div>
  );
}

interface Props {
  events: Data<{ items: GpuEvent[] }>;
  lanes: Lane[];
  laneOf: (event: GpuEvent) => string | null;
  limit: number; // how many events were asked for
  knownFor: number; // seconds since the first member was seen
}

/** What happened to all members, on one line of time with a lane each; the table below has the same events in words. */
export function EventLanes({ events, lanes, laneOf, limit, knownFor }: Props) {
  const range = rangeOf(query.value, now.value / 1000, fitting(knownFor));
  const { from, to } = range;
  const items = events.value?.items ?? [];
  const inside = useMemo(() => items.filter((e) => Date.parse(e.at) / 1000 >= from && Date.parse(e.at) / 1000 <= to), [items, from, to]);
  const busy = lanes
    .map((lane) => ({
      lane,
      marks: marksOf(
        inside.filter((e) => laneOf(e) === lane.name),
        from,
        to,
        kBins,
      ),
    }))
    .filter((l) => l.marks.length > 0);
  const quiet = lanes.length - busy.length;
  const cut = items.length === limit && Date.parse(items.at(-1)!.at) / 1000 > from;
  return (
    <Card
      title="What happened here"
      class="c12 lanes-card"
      hint={range.live ? `last ${spanText(to - from)}, in UTC` : rangeWords(range)}
      tools={<TimeRange range={range} at={null} />}
    >
      {events.error && <ErrorNote error={events.error} retry={events.reload} />}
      {!events.value && !events.error && <Skeleton rows={5} />}
      {events.value && inside.length === 0 && <Empty>Nothing happened here in this window.</Empty>}
      {inside.length > 0 && (
        <>
          <div class="body lanes" data-testid="lanes">
            {busy.slice(0, kLanes).map(({ lane, marks }) => (
              <div class="lane" key={lane.name}>
                <a class="link" href={lane.href}>
                  {lane.name}
                </a>
                <div class="lane-track">
                  {marks.map((m) => (
                    <MarkDot key={m.bin} mark={m} from={from} seconds={to - from} />
                  ))}
                </div>
              </div>
            ))}
            <Ticks from={from} to={to} />
            <p class="t3">
              {busy.length > kLanes && `${number(busy.length - kLanes)} more with events are in the table. `}
              {quiet > 0 && `${number(quiet)} without an event. `}
              {cut && `Only the newest ${number(limit)} events are shown; the window is longer.`}
            </p>
          </div>
          <EventTable events={inside.slice(0, kRows)} places={true} tall={true} />
          {inside.length > kRows && (
            <p class="note t3">
              The newest {kRows} of {count(inside.length, 'event')}; a shorter window shows the others.
            </p>
          )}
        </>
      )}
    </Card>
  );
}
