import { useState } from 'preact/hooks';
import { api, type GpuDetail, type TimelineItem } from '../api';
import { summary } from '../app/live';
import { meta } from '../app/meta';
import { kindName, meaningOf } from '../lib/events';
import { exact } from '../lib/format';
import { bareDetail, type Moment, momentsOf, stepWords, type Told } from '../lib/incidents';
import { incidentHref } from '../lib/places';
import { When } from './as_of';
import { Card, Empty, ErrorNote, Skeleton } from './states';
import { useData, useRefresh } from './use_data';

const kLimit = 300;
const kFew = 14;

function Steps({ moment }: { moment: Moment }) {
  return (
    <>
      {moment.steps.map((s) => (
        <a class="badge step" href={incidentHref(s.incident)} key={`${s.what} ${s.incident}`}>
          {stepWords(s)}
        </a>
      ))}
    </>
  );
}

// What an Xid means says more than that it was reported.
function words(moment: Moment, gpu: GpuDetail): string {
  const own = bareDetail(moment.detail, gpu.id, gpu.host);
  if (moment.kind !== 'xid' || moment.code === null) return own;
  return meaningOf({ ...moment, gpu: gpu.id, host: gpu.host }, meta.value?.xids ?? []).meaning;
}

const nameOf = (item: TimelineItem) =>
  item.what === 'case' ? 'Repair' : item.code === null ? kindName(item.kind) : `${kindName(item.kind)} ${item.code}`;

// The newest incidents tell which events they were told: their signs.
const kTold = 4;

function useTold(items: TimelineItem[]): Told[] {
  const ids = [...new Set(items.map((i) => i.incident).filter((id) => id !== null))].slice(0, kTold);
  const { value } = useData(`told ${ids.join()} ${items.length}`, (signal) => Promise.all(ids.map((id) => api.incident(id, signal))));
  return (value ?? []).flatMap((i) => i.lines.map((l) => ({ incident: i.id, at: l.at, detail: l.detail ?? '' })));
}

function Line({ moment, gpu }: { moment: Moment; gpu: GpuDetail }) {
  const kind = moment.first ? 'is-first' : moment.steps.length > 0 ? 'is-sign' : '';
  return (
    <li class={kind}>
      <p>
        {moment.title && <span class="main">{moment.title}</span>}
        {moment.title && moment.about === 'host' && <span class="t3"> of its host</span>} <Steps moment={moment} />
      </p>
      <p class="t2">{words(moment, gpu)}</p>
      <p class="t3" title={exact(moment.at)}>
        {exact(moment.at)} · <When at={moment.at} />
      </p>
    </li>
  );
}

/** Signs, events and incidents of a board and its host as one line of time, read downwards: what led to what. */
export function TimelineCard({ gpu }: { gpu: GpuDetail }) {
  const [all, setAll] = useState(false);
  const { value, error, reload } = useData(`timeline ${gpu.id}`, (signal) => api.timeline(gpu.id, { limit: kLimit }, signal));
  useRefresh(reload, summary.value?.as_of, 5000);
  const items = value?.items ?? [];
  const moments = momentsOf(items, nameOf, useTold(items));
  const shown = all ? moments : moments.slice(-kFew);
  const hidden = moments.length - shown.length;
  return (
    <Card title="What led to what" class="c12" hint="last 7 days, the newest at the end">
      {error && <ErrorNote error={error} retry={reload} />}
      {!value && !error && <Skeleton rows={6} />}
      {value && moments.length === 0 && <Empty>Nothing has happened to this GPU or its host in the last 7 days.</Empty>}
      {moments.length > 0 && (
        <div class="body life causal" data-testid="timeline">
          {hidden > 0 && (
            <button type="button" class="btn small" onClick={() => setAll(true)}>
              Show {hidden} earlier
            </button>
          )}
          {all && value?.more && <p class="t3">Only the newest {kLimit} are shown.</p>}
          <ol>
            {shown.map((m, i) => (
              <Line moment={m} gpu={gpu} key={`${m.at} ${m.kind} ${i}`} />
            ))}
          </ol>
        </div>
      )}
    </Card>
  );
}
