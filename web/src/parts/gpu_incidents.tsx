import { api, type Incident } from '../api';
import { now, summary } from '../app/live';
import { ago, count, exact, sentence } from '../lib/format';
import { byUrgency, causeWords, reasons, resetOrRma, sureness } from '../lib/incidents';
import { incidentHref } from '../lib/places';
import { whyOfIncident } from '../lib/why';
import { SeverityShape, SeverityWord } from './incident_list';
import { Card, ErrorNote } from './states';
import { useData, useRefresh } from './use_data';

const kShown = 3;
const kReasons = 3;

// The row names the cause; what speaks for it is in the whole incident.
function Because({ incident }: { incident: Incident }) {
  const { value } = useData(`incident ${incident.id} ${incident.changed_at}`, (signal) => api.incident(incident.id, signal));
  const why = value ? reasons(value, kReasons) : [];
  return why.length > 0 ? <p class="t2">Because of {why.join('; ')}.</p> : null;
}

function OfGpu({ incident }: { incident: Incident }) {
  const sure = sureness(incident);
  const answer = resetOrRma(incident);
  const why = whyOfIncident(incident);
  return (
    <li>
      <SeverityShape severity={incident.severity} />
      <div class="gi-why">
        <p class="gi-cause">
          {causeWords(incident)}
          {sure && <span class="sure"> {sure}</span>}
        </p>
        <Because incident={incident} />
        <p class="t3">
          <SeverityWord severity={incident.severity} /> ·{' '}
          <time dateTime={incident.opened_at} title={exact(incident.opened_at)}>
            since {ago(incident.opened_at, now.value)}
          </time>
          {incident.scope !== 'board' && ` · ${incident.place}`}
          {incident.reopened > 0 && ` · came back ${count(incident.reopened, 'time')}`}
        </p>
      </div>
      <div class="gi-do">
        {answer && <p class="gi-answer">{answer}</p>}
        <p class="t2">{sentence(incident.action_says)}</p>
        <p class="gi-links">
          <a class="link" href={incidentHref(incident.id)}>
            Incident {incident.id}: evidence and causes ›
          </a>{' '}
          {why && (
            <a class="link" href={why}>
              Why did this happen?
            </a>
          )}
        </p>
      </div>
    </li>
  );
}

// A host's trouble that names no board is this board's too; that of its neighbours is not.
async function openOf(id: string, host: string, signal: AbortSignal): Promise<Incident[]> {
  const [own, around] = await Promise.all([
    api.incidents({ state: 'open', gpu: id }, signal),
    api.incidents({ state: 'open', host }, signal),
  ]);
  const known = new Set(own.items.map((i) => i.id));
  return byUrgency([...own.items, ...around.items.filter((i) => i.gpus === 0 && !known.has(i.id))]);
}

/** What is open about a board: why, and whether it is a reset or a replacement. Nothing where nothing is open. */
export function GpuIncidents({ id, host }: { id: string; host: string }) {
  const { value, error, reload } = useData(`open incidents of ${id} on ${host}`, (signal) => openOf(id, host, signal));
  useRefresh(reload, summary.value?.as_of, 5000);
  if (error && !value) return <ErrorNote error={error} retry={reload} />;
  const open = value ?? [];
  if (open.length === 0) return null;
  return (
    <Card title="Why, and is it a reset or an RMA?" class="gpu-incidents" hint={count(open.length, 'open incident')}>
      <ul class="gi" data-testid="gpu-incidents">
        {open.slice(0, kShown).map((i) => (
          <OfGpu incident={i} key={i.id} />
        ))}
      </ul>
      {open.length > kShown && (
        <a class="more" href="/incidents">
          {count(open.length - kShown, 'more open incident')} ›
        </a>
      )}
    </Card>
  );
}
