import type { GpuEvent } from '../api';
import { eventText, kindName } from '../lib/events';
import { exact, kDash } from '../lib/format';
import { When } from './as_of';
import { Scroll } from './states';

const idOf = (e: GpuEvent, i: number) => `${e.at} ${e.kind} ${e.gpu} ${e.host} ${i}`;

function Places({ event }: { event: GpuEvent }) {
  return (
    <>
      <td class="mono">
        {event.gpu ? (
          <a class="link" href={`/gpus/${encodeURIComponent(event.gpu)}?tab=events`}>
            {event.gpu}
          </a>
        ) : (
          kDash
        )}
      </td>
      <td>
        {event.host ? (
          <a class="link" href={`/gpus?host=${encodeURIComponent(event.host)}`}>
            {event.host}
          </a>
        ) : (
          kDash
        )}
      </td>
    </>
  );
}

/** Events newest first; `places` when they are not all of one board. */
export function EventTable({ events, places }: { events: GpuEvent[]; places: boolean }) {
  return (
    <Scroll label="Table of events">
      <table class="events" data-testid="events">
        <thead>
          <tr>
            <th scope="col">When</th>
            <th scope="col" class="wide-only">
              Kind
            </th>
            <th scope="col">What happened</th>
            {places && <th scope="col">GPU</th>}
            {places && <th scope="col">Host</th>}
            <th scope="col" class="wide-only">
              Time
            </th>
          </tr>
        </thead>
        <tbody>
          {events.map((e, i) => (
            <tr key={idOf(e, i)}>
              <td>
                <When at={e.at} />
              </td>
              <td class="wide-only">{kindName(e.kind)}</td>
              <td class="wrap t2">
                <b class="narrow-only">{kindName(e.kind)}</b>
                {eventText(e)}
              </td>
              {places && <Places event={e} />}
              <td class="t3 wide-only">{exact(e.at)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}
