import type { GpuEvent } from '../api';
import { meta } from '../app/meta';
import { eventText, kindName, meaningOf } from '../lib/events';
import { exact, kDash } from '../lib/format';
import { gpuHref, hostHref } from '../lib/places';
import { When } from './as_of';
import { type Column, DataTable } from './table';

function GpuLink({ event }: { event: GpuEvent }) {
  if (!event.gpu) return <>{kDash}</>;
  return (
    <a class="link" href={gpuHref(event.gpu, 'events')}>
      {event.gpu}
    </a>
  );
}

function HostLink({ event }: { event: GpuEvent }) {
  if (!event.host) return <>{kDash}</>;
  return (
    <a class="link" href={hostHref(event.host)}>
      {event.host}
    </a>
  );
}

function What({ event }: { event: GpuEvent }) {
  return (
    <>
      <b class="narrow-only">{kindName(event.kind)}</b>
      {eventText(event)}
    </>
  );
}

function chartOf({ gpu, anomaly, at }: GpuEvent): string | null {
  if (!gpu || !anomaly) return null;
  return `${gpuHref(gpu, 'signals')}&metric=${encodeURIComponent(anomaly.metric)}&at=${encodeURIComponent(at)}`;
}

function Meaning({ event }: { event: GpuEvent }) {
  const { meaning, action } = meaningOf(event, meta.value?.xids ?? []);
  const chart = chartOf(event);
  return (
    <>
      {meaning}
      {action && (
        <b class="first-action">
          {chart ? (
            <a href={chart} class="link">
              {action}
            </a>
          ) : (
            action
          )}
        </b>
      )}
    </>
  );
}

const kWhen: Column<GpuEvent> = { title: 'When', cell: (e) => <When at={e.at} /> };
const kKind: Column<GpuEvent> = { title: 'Kind', class: 'wide-only', cell: (e) => kindName(e.kind) };
const kWhat: Column<GpuEvent> = { title: 'What happened', class: 'wrap t2', cell: (e) => <What event={e} /> };
const kTime: Column<GpuEvent> = { title: 'Time', class: 't3 wide-only', cell: (e) => exact(e.at) };
const kMeaning: Column<GpuEvent> = { title: 'What it means, what to do first', class: 'wrap t2', cell: (e) => <Meaning event={e} /> };
const kPlaces: Column<GpuEvent>[] = [
  { title: 'GPU', class: 'mono', cell: (e) => <GpuLink event={e} /> },
  { title: 'Host', cell: (e) => <HostLink event={e} /> },
];

/** Events newest first; `places` when they are not all of one board, `meanings` where there is room to say what to do. */
export function EventTable({
  events,
  places,
  meanings,
  tall,
}: {
  events: GpuEvent[];
  places: boolean;
  meanings?: boolean;
  tall?: boolean;
}) {
  return (
    <DataTable
      label="Table of events"
      class="events"
      testid="events"
      tall={tall ?? false}
      columns={[kWhen, kKind, kWhat, ...(meanings ? [kMeaning] : []), ...(places ? kPlaces : []), kTime]}
      rows={events}
      keyOf={(e, i) => `${e.at} ${e.kind} ${e.gpu} ${e.host} ${i}`}
    />
  );
}
