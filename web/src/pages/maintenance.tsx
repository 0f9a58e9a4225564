import { useRef, useState } from 'preact/hooks';
import { api, type Maintenance as Window } from '../api';
import { now, summary } from '../app/live';
import { lengthOf } from '../lib/duration';
import { count, exact, kDash } from '../lib/format';
import { kLengths, untilOf, untilWords, whyNot } from '../lib/maintenance';
import { gpuHref, hostHref, rackHref } from '../lib/places';
import { AsOf } from '../parts/as_of';
import { Denied } from '../parts/denied';
import { Outcome, type Said, words } from '../parts/outcome';
import { Card, Empty, ErrorNote, Skeleton } from '../parts/states';
import { type Column, DataTable } from '../parts/table';
import { useData, useRefresh } from '../parts/use_data';

const kScopes: Record<Window['scope'], string> = { gpu: 'GPU', host: 'Host', rack: 'Rack' };

const kHrefs: Record<Window['scope'], (target: string) => string> = { gpu: gpuHref, host: hostHref, rack: rackHref };

function Target({ window }: { window: Window }) {
  return (
    <>
      <a class="link" href={kHrefs[window.scope](window.target)}>
        {window.target}
      </a>{' '}
      <span class="t3">{kScopes[window.scope]}</span>
    </>
  );
}

// A button that may not be pressed can still be reached and says why.
function EndButton({ window, denied, done }: { window: Window; denied: string | null; done: (said: Said) => void }) {
  const end = async () => {
    if (denied) return;
    try {
      await api.endMaintenance(window.target);
      done({ text: `Maintenance of ${window.target} has ended.`, bad: false });
    } catch (error) {
      done({ text: words(error), bad: true });
    }
  };
  return (
    <button
      type="button"
      class="btn small"
      onClick={end}
      aria-disabled={denied !== null}
      title={denied ?? undefined}
      aria-label={`End the maintenance of ${window.target}`}
    >
      End
    </button>
  );
}

const kWhat: Column<Window> = { title: 'What', heads: true, cell: (m) => <Target window={m} /> };
const kWhy: Column<Window>[] = [
  { title: 'Reason', class: 'wrap', cell: (m) => m.reason ?? kDash },
  { title: 'By', class: 't2', cell: (m) => m.by ?? kDash },
];

const activeColumns = (denied: string | null, done: (said: Said) => void): Column<Window>[] => [
  kWhat,
  { title: 'Until', cell: (m) => untilWords(m.until).replace('until ', '') },
  { title: 'Since', hint: (m) => exact(m.from), cell: (m) => lengthOf({ from: m.from, to: null }, now.value) },
  ...kWhy,
  { title: 'End it', mute: true, class: 'r', cell: (m) => <EndButton window={m} denied={denied} done={done} /> },
];

const kEndedColumns: Column<Window>[] = [
  kWhat,
  { title: 'From', cell: (m) => exact(m.from) },
  { title: 'To', cell: (m) => exact(m.until) },
  { title: 'Length', class: 'r', cell: (m) => lengthOf({ from: m.from, to: m.until }, now.value) },
  ...kWhy,
];

function StartForm({ denied, done }: { denied: string | null; done: (said: Said) => void }) {
  const form = useRef<HTMLFormElement>(null);
  const [choice, setChoice] = useState('4');
  const [problem, setProblem] = useState<string | null>(null);
  const submit = async (e: Event) => {
    e.preventDefault();
    if (denied) return;
    const text = (name: string) => `${new FormData(form.current!).get(name) ?? ''}`.trim();
    const end = untilOf(choice, text('at'), now.peek());
    if (end.problem !== undefined) return setProblem(end.problem);
    try {
      const m = await api.startMaintenance({ target: text('target'), until: end.until, reason: text('reason') || null });
      setProblem(null);
      form.current?.reset();
      done({ text: `${kScopes[m.scope]} ${m.target} is under maintenance ${untilWords(m.until)}.`, bad: false });
    } catch (error) {
      setProblem(words(error));
    }
  };
  return (
    <form ref={form} class="body form" onSubmit={submit} aria-label="Start maintenance">
      <label>
        <span class="t2">Host, GPU (serial or UUID) or rack</span>
        <input class="field" name="target" required maxLength={200} autocomplete="off" spellcheck={false} />
      </label>
      <label>
        <span class="t2">For how long</span>
        <select class="field" name="length" value={choice} onChange={(e) => setChoice(e.currentTarget.value)}>
          {kLengths.map((l) => (
            <option value={l.value} key={l.value}>
              {l.text}
            </option>
          ))}
        </select>
      </label>
      {choice === 'at' && (
        <label>
          <span class="t2">Until, in UTC</span>
          <input class="field" name="at" type="datetime-local" required />
        </label>
      )}
      <label class="long">
        <span class="t2">Reason</span>
        <input class="field" name="reason" maxLength={200} autocomplete="off" placeholder="new fans" />
      </label>
      <button type="submit" class="btn" aria-disabled={denied !== null} aria-describedby={denied ? 'why-not' : undefined}>
        Start maintenance
      </button>
      {problem && (
        <p class="t-critical" role="alert">
          {problem}
        </p>
      )}
    </form>
  );
}

// The list is of the last snapshot; what was just done is in the next one.
const kNextSnapshotMs = 1500;

/** Who works on what. Silence of what is worked on is no news. */
export function MaintenancePage() {
  const list = useData('maintenance', (signal) => api.maintenance({}, signal));
  const me = useData('me', (signal) => api.me(signal));
  const [said, setSaid] = useState<Said | null>(null);
  useRefresh(list.reload, summary.value?.as_of, 5000);
  const denied = whyNot(me.value);
  const done = (what: Said) => {
    setSaid(what);
    setTimeout(list.reload, kNextSnapshotMs);
  };
  const active = list.value?.items.filter((m) => m.active) ?? [];
  const ended = list.value?.items.filter((m) => !m.active) ?? [];
  return (
    <>
      <div class="story">
        <h1>{list.value && active.length > 0 ? `${count(active.length, 'window')} of maintenance` : 'Maintenance'}</h1>
        <p>Readings are kept as ever; the silence of what is worked on is no news.</p>
      </div>
      <Outcome said={said} />
      {list.error && <ErrorNote error={list.error} retry={list.reload} />}
      {!list.value && !list.error && <Skeleton rows={6} />}
      <div class="grid">
        {list.value && (
          <Card title="Active" class="c12" hint={<AsOf at={list.value.as_of} />}>
            {active.length === 0 && <Empty>Nothing is under maintenance now.</Empty>}
            {active.length > 0 && (
              <DataTable
                label="Table of active maintenance"
                testid="active"
                columns={activeColumns(denied, done)}
                rows={active}
                keyOf={(m) => m.id}
              />
            )}
          </Card>
        )}
        <Card title="Start maintenance" class="c12">
          <StartForm denied={denied} done={done} />
          {denied && me.value && <Denied why={denied} />}
        </Card>
        {ended.length > 0 && (
          <Card title="Ended" class="c12" hint={count(ended.length, 'window')}>
            <DataTable
              label="Table of ended maintenance"
              testid="ended"
              tall={true}
              columns={kEndedColumns}
              rows={ended}
              keyOf={(m) => m.id}
            />
          </Card>
        )}
      </div>
    </>
  );
}
