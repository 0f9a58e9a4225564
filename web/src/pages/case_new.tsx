// A new repair case: from an incident, of a GPU or host, or from nothing.
import { useRef, useState } from 'preact/hooks';
import { api, type CaseToOpen, type IncidentDetail } from '../api';
import { now } from '../app/live';
import { navigate, query } from '../app/router';
import { faultName, kFamilies, kRepairs } from '../lib/cases';
import { sentence } from '../lib/format';
import { causeWords, sureness } from '../lib/incidents';
import { kLengths, untilOf, whyNot } from '../lib/maintenance';
import { caseHref, incidentHref } from '../lib/places';
import { Denied } from '../parts/denied';
import { words } from '../parts/outcome';
import { Card, ErrorNote, Skeleton } from '../parts/states';
import { useData } from '../parts/use_data';
import '../style/place.css';
import '../style/incident.css';
import '../style/cases.css';

interface Given {
  incident: IncidentDetail | null;
  gpu: string;
  host: string;
}

/** What an incident says beforehand; a word that is no repair leaves the choice open. */
const actionOf = (incident: IncidentDetail | null) => kRepairs.find((r) => r.action === incident?.action)?.action ?? '';

function bodyOf(data: FormData, incident: string | null, due: string | null): CaseToOpen {
  const text = (name: string) => `${data.get(name) ?? ''}`.trim();
  const days = Number(text('watch_days'));
  const about = text('about');
  const what = text('what') as 'gpu' | 'host';
  return {
    ...(incident ? { incident } : about ? { [what]: about } : {}),
    ...(text('action') && { action: text('action') }),
    ...(text('fault') && { fault: text('fault') }),
    ...(text('symptom') && { symptom: text('symptom') }),
    ...(text('note') && { note: text('note') }),
    ...(due && { due }),
    ...(days > 0 && { watch_days: days }),
  };
}

function About({ given }: { given: Given }) {
  const { incident, gpu, host } = given;
  if (incident)
    return (
      <p class="t2 case-from">
        From{' '}
        <a class="link" href={incidentHref(incident.id)}>
          incident {incident.id}
        </a>
        : {causeWords(incident)} {sureness(incident)}, {incident.place}.
      </p>
    );
  return (
    <>
      <label>
        <span class="t2">Of a</span>
        <select class="field" name="what">
          <option value="gpu" selected={!host}>
            GPU
          </option>
          <option value="host" selected={host !== ''}>
            Host
          </option>
        </select>
      </label>
      <label class="long">
        <span class="t2">Serial, UUID, or the host’s name</span>
        <input class="field" name="about" required maxLength={200} autocomplete="off" spellcheck={false} defaultValue={gpu || host} />
      </label>
    </>
  );
}

// A due date is as long from now as maintenance is, but longer.
const kDue = [{ value: '', text: 'no date' }, ...kLengths.filter((l) => l.value !== 'open' && l.value !== '1')];

function Fields({ given, setDue, due }: { given: Given; due: string; setDue: (due: string) => void }) {
  const { incident } = given;
  return (
    <>
      <About given={given} />
      <label class="long">
        <span class="t2">What is to be done</span>
        <select class="field" name="action" required>
          <option value="">Choose</option>
          {kRepairs.map((r) => (
            <option value={r.action} key={r.action} selected={r.action === actionOf(incident)}>
              {r.text}
            </option>
          ))}
        </select>
      </label>
      {!incident && (
        <label>
          <span class="t2">Kind of fault that is watched</span>
          <select class="field" name="fault">
            <option value="">any</option>
            {kFamilies.map((f) => (
              <option value={f} key={f}>
                {faultName(f)}
              </option>
            ))}
          </select>
        </label>
      )}
      <label class="long whole-row">
        <span class="t2">What is wrong, in a sentence</span>
        <input
          class="field"
          name="symptom"
          maxLength={500}
          autocomplete="off"
          required={!incident}
          placeholder={incident ? (incident.sign_says ?? causeWords(incident)) : 'falls off the bus once a day'}
        />
      </label>
      <label class="long whole-row">
        <span class="t2">Note</span>
        <input class="field" name="note" maxLength={500} autocomplete="off" placeholder="spare board is in cage 4" />
      </label>
      <label>
        <span class="t2">To be done by</span>
        <select class="field" name="due" value={due} onChange={(e) => setDue(e.currentTarget.value)}>
          {kDue.map((d) => (
            <option value={d.value} key={d.value}>
              {d.value === 'at' ? 'a time' : d.value && `in ${d.text}`}
              {!d.value && d.text}
            </option>
          ))}
        </select>
      </label>
      {due === 'at' && (
        <label>
          <span class="t2">By, in UTC</span>
          <input class="field" name="at" type="datetime-local" required />
        </label>
      )}
      <label>
        <span class="t2">Watch it for, in days</span>
        <input class="field" name="watch_days" type="number" min={1} max={90} step={1} placeholder="as the action needs" />
      </label>
    </>
  );
}

function OpenForm({ given, denied }: { given: Given; denied: string | null }) {
  const form = useRef<HTMLFormElement>(null);
  const [due, setDue] = useState('');
  const [problem, setProblem] = useState<string | null>(null);
  const submit = async (e: Event) => {
    e.preventDefault();
    if (denied) return;
    const data = new FormData(form.current!);
    const end = due ? untilOf(due, `${data.get('at') ?? ''}`, now.peek()) : { until: null };
    if (end.problem !== undefined) return setProblem(end.problem);
    try {
      const opened = await api.openCase(bodyOf(data, given.incident?.id ?? null, end.until));
      navigate(caseHref(opened.id));
    } catch (error) {
      setProblem(words(error));
    }
  };
  return (
    <form ref={form} class="body form" onSubmit={submit} aria-label="Open a repair case">
      <Fields given={given} due={due} setDue={setDue} />
      <button type="submit" class="btn primary" aria-disabled={denied !== null} aria-describedby={denied ? 'why-not' : undefined}>
        Open the case
      </button>
      {problem && (
        <p class="t-critical" role="alert">
          {problem}
        </p>
      )}
    </form>
  );
}

export function NewCase() {
  const id = query.value.get('incident');
  const incident = useData(`incident ${id}`, async (signal) => ({ of: id ? await api.incident(id, signal) : null }));
  const me = useData('me', (signal) => api.me(signal));
  const denied = whyNot(me.value);
  const given = incident.value && {
    incident: incident.value.of,
    gpu: query.value.get('gpu') ?? '',
    host: query.value.get('host') ?? '',
  };
  return (
    <>
      <nav class="crumbs" aria-label="Where this is">
        <ol>
          <li>
            <a href="/cases">Cases</a>
          </li>
          <li aria-current="page">New</li>
        </ol>
      </nav>
      <div class="story">
        <h1>Open a repair case</h1>
        <p>{sentence('it ends when a test passed and the fault stayed away for as long as the action needs.')}</p>
      </div>
      {incident.error && <ErrorNote error={incident.error} retry={incident.reload} />}
      {!given && !incident.error && <Skeleton rows={6} />}
      {given && (
        <Card title="The case" class="new-case">
          <OpenForm given={given} denied={denied} />
          {denied && me.value && <Denied why={denied} />}
        </Card>
      )}
    </>
  );
}
