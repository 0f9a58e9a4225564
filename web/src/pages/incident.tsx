// One incident: what it is, why, what to do next, what speaks for that, and what became of it.
import { useRef, useState } from 'preact/hooks';
import { api, type IncidentDetail, type IncidentPart, type IncidentStep, type WhyCause } from '../api';
import { askIncidents } from '../app/incidents';
import { now, summary } from '../app/live';
import { ago, count, exact, percent, sentence, title } from '../lib/format';
import {
  bareDetail,
  causeWords,
  openFor,
  partName,
  placeHref,
  reach,
  resetOrRma,
  sideName,
  sidesOf,
  stepName,
  sureness,
  turns,
} from '../lib/incidents';
import { whyNot } from '../lib/maintenance';
import { caseOfIncident, hostHref, incidentHref, rackHref } from '../lib/places';
import { whyOfIncident } from '../lib/why';
import { CausesCard, type Verdict } from '../parts/causes_card';
import { Denied } from '../parts/denied';
import { SeverityShape, SeverityWord } from '../parts/incident_list';
import { Outcome, type Said, words } from '../parts/outcome';
import { RangeBar } from '../parts/range_bar';
import { SignsCard } from '../parts/signs_card';
import { Card, ErrorNote, Skeleton } from '../parts/states';
import { type Column, DataTable } from '../parts/table';
import { useData, useRefresh } from '../parts/use_data';
import '../style/place.css';
import '../style/incident.css';

function Crumbs({ id }: { id: string }) {
  return (
    <nav class="crumbs" aria-label="Where this is">
      <ol>
        <li>
          <a href="/incidents">Incidents</a>
        </li>
        <li aria-current="page">Incident {id}</li>
      </ol>
    </nav>
  );
}

function Place({ incident }: { incident: IncidentDetail }) {
  const href = placeHref(incident);
  if (!href) return <>{sentence(incident.place)}</>;
  return (
    <a class="link" href={href}>
      {sentence(incident.place)}
    </a>
  );
}

function Header({ incident: i }: { incident: IncidentDetail }) {
  const sure = sureness(i);
  return (
    <div class="gh">
      <div class="gh-who">
        <div class="titled">
          <h1>
            {causeWords(i)} {sure && <span class="sure">{sure}</span>}
          </h1>
        </div>
        <ul class="facts">
          <li>
            <SeverityShape severity={i.severity} /> <SeverityWord severity={i.severity} />
          </li>
          <li>
            <span class="badge" data-testid="state">
              {i.state}
            </span>
          </li>
          <li>
            <Place incident={i} />
          </li>
          <li>{reach(i)}</li>
          <li title={exact(i.opened_at)}>
            {i.state === 'open' ? `open for ${openFor(i, now.value)}` : `opened ${ago(i.opened_at, now.value)}`}
          </li>
          <li title={exact(i.last_sign_at)}>last sign {ago(i.last_sign_at, now.value)}</li>
          {i.reopened > 0 && <li>came back {count(i.reopened, 'time')}</li>}
          {i.simulated && <li class="t3">simulated</li>}
        </ul>
      </div>
    </div>
  );
}

function Merged({ into }: { into: string }) {
  return (
    <p class="note note-error">
      <span>
        This turned out to be a part of{' '}
        <a class="link" href={incidentHref(into)}>
          incident {into}
        </a>
        , which goes on with it.
      </span>
    </p>
  );
}

interface ActProps {
  incident: IncidentDetail;
  denied: string | null;
  act: (doing: Promise<IncidentDetail>, said: string) => Promise<void>;
}

function ClearForm({ incident, denied, act }: ActProps) {
  const form = useRef<HTMLFormElement>(null);
  const submit = (e: Event) => {
    e.preventDefault();
    const reason = `${new FormData(form.current!).get('reason') ?? ''}`.trim();
    if (denied || !reason) return;
    act(api.clearIncident(incident.id, reason), `Incident ${incident.id} is cleared.`);
  };
  return (
    <form ref={form} class="form clear-form" onSubmit={submit} aria-label="Clear this incident">
      <label class="long">
        <span class="t2">Over? Say why; silence alone never clears it</span>
        <input class="field" name="reason" required maxLength={200} autocomplete="off" placeholder="board replaced, burn-in passed" />
      </label>
      <button type="submit" class="btn" aria-disabled={denied !== null} aria-describedby={denied ? 'why-not' : undefined}>
        Clear
      </button>
    </form>
  );
}

function Sides({ sides }: { sides: Record<string, number> }) {
  return (
    <dl class="kv sides" aria-label="By whose fault">
      {sidesOf(sides).map(({ side, share }) => (
        <div key={side}>
          <dt>{sentence(sideName(side))}</dt>
          <dd>{percent(share)}</dd>
        </div>
      ))}
    </dl>
  );
}

const kHelped = 3;

/** What repairs of such a fault are worth, from the cases that were closed. */
function HelpedBefore({ incident }: { incident: IncidentDetail }) {
  if (incident.what_helped.length === 0) return null;
  return (
    <>
      <h3>What helped before</h3>
      <ul class="helped-before" data-testid="what-helped">
        {incident.what_helped.slice(0, kHelped).map((h) => (
          <li key={h.action}>
            <RangeBar share={h.helped / h.of} low={h.low} high={h.high} />
            <span class="t2">{sentence(h.says)}</span>
          </li>
        ))}
      </ul>
    </>
  );
}

function Onward({ incident }: { incident: IncidentDetail }) {
  const why = whyOfIncident(incident);
  return (
    <p class="acts">
      <a class="btn" href={caseOfIncident(incident.id)}>
        Open a repair case
      </a>
      {why && (
        <a class="btn" href={why}>
          Why did this happen?
        </a>
      )}
    </p>
  );
}

function NextCard(props: ActProps & { known: boolean }) {
  const { incident, denied, known } = props;
  const answer = resetOrRma(incident);
  const open = incident.state === 'open';
  return (
    <Card title={open ? 'What to do next' : 'What was to do'} class="c4 next-card">
      <div class="body">
        <p class="next-action" data-testid="next-action">
          {sentence(incident.action_says)}
        </p>
        {answer && (
          <p class="t2">
            Reset or RMA? <b class="answer">{answer}.</b>
          </p>
        )}
        <Onward incident={incident} />
        <HelpedBefore incident={incident} />
        <h3>Whose side is it on?</h3>
        <Sides sides={incident.sides} />
        {open && <ClearForm {...props} />}
      </div>
      {denied && known && <Denied why={denied} />}
    </Card>
  );
}

function PartLink({ part }: { part: IncidentPart }) {
  const { text, href } = partName(part);
  if (!href) return <span class="t3">{text}</span>;
  return (
    <a class="link mono" href={href}>
      {text}
    </a>
  );
}

const linked = (text: string | null, href: (name: string) => string) =>
  text === null ? (
    '–'
  ) : (
    <a class="link" href={href(text)}>
      {text}
    </a>
  );

const partColumns = (says: Map<string, string>, jobs: boolean): Column<IncidentPart>[] => [
  { title: 'GPU or host', heads: true, cell: (p) => <PartLink part={p} /> },
  { title: 'Host', class: 'wide-only', cell: (p) => linked(p.host, hostHref) },
  { title: 'Rack', class: 'wide-only', cell: (p) => linked(p.rack, (r) => rackHref(r)) },
  ...(jobs ? [{ title: 'Job', class: 'mono', cell: (p: IncidentPart) => p.job ?? '–' }] : []),
  { title: 'Its signs', class: 'wrap t2', cell: (p) => p.signs.map((s) => sentence(says.get(s) ?? title(s))).join('; ') },
  { title: 'State', cell: (p) => (p.open ? 'open' : <span class="t3">cleared</span>) },
];

function PartsCard({ incident }: { incident: IncidentDetail }) {
  const says = new Map(incident.signs.map((s) => [s.sign, s.says]));
  const { parts } = incident;
  const more = incident.gpus - parts.filter((p) => p.gpu).length;
  return (
    <Card title="Affected" class="c7" hint={reach(incident)}>
      <DataTable
        label="Table of affected GPUs and hosts"
        testid="parts"
        tall={parts.length > 12}
        columns={partColumns(
          says,
          parts.some((p) => p.job),
        )}
        rows={parts}
        keyOf={(p, i) => `${p.gpu} ${p.host} ${i}`}
      />
      {more > 0 && <p class="note t3">{count(more, 'more GPU')} counted and not listed.</p>}
    </Card>
  );
}

function StepLine({ step, incident }: { step: IncidentStep; incident: IncidentDetail }) {
  return (
    <li class={step.what === 'opened' || step.what === 'reopened' ? 'is-open' : ''}>
      <p>
        <span class="main">{title(stepName(step.what))}</span> {step.by && <span class="t2">by {step.by}</span>}
      </p>
      <p class="t2">{step.what === 'feedback' ? title(step.why) : bareDetail(step.why, incident.gpu, incident.host)}</p>
      <p class="t3">{exact(step.at)}</p>
    </li>
  );
}

function HistoryCard({ incident }: { incident: IncidentDetail }) {
  const steps = turns(incident.history);
  return (
    <Card title="History" class="c5" hint={count(steps.length, 'step')}>
      <div class="body life" data-testid="history">
        <ol>
          {steps.map((s, i) => (
            <StepLine step={s} incident={incident} key={`${s.at} ${i}`} />
          ))}
        </ol>
      </div>
    </Card>
  );
}

function Whole(props: ActProps & { known: boolean }) {
  const { incident, denied, act } = props;
  const judge = (cause: WhyCause, verdict: Verdict) =>
    act(api.sayCause(incident.id, { cause: cause.cause, verdict }), `Kept: “${sentence(cause.says)}” was ${verdict}.`);
  return (
    <>
      <Header incident={incident} />
      {incident.merged_into && <Merged into={incident.merged_into} />}
      <div class="grid">
        <CausesCard incident={incident} denied={denied} judge={judge} />
        <NextCard {...props} />
        <SignsCard incident={incident} />
        <PartsCard incident={incident} />
        <HistoryCard incident={incident} />
      </div>
    </>
  );
}

export function IncidentPage({ id }: { id: string }) {
  const { value, error, reload } = useData(`incident ${id}`, (signal) => api.incident(id, signal));
  const me = useData('me', (signal) => api.me(signal));
  const [said, setSaid] = useState<Said | null>(null);
  useRefresh(reload, summary.value?.as_of, 5000);
  const act = async (doing: Promise<IncidentDetail>, text: string) => {
    try {
      await doing;
      setSaid({ text, bad: false });
      askIncidents();
      reload();
    } catch (problem) {
      setSaid({ text: words(problem), bad: true });
    }
  };
  return (
    <>
      <Crumbs id={id} />
      {error && (
        <>
          {!value && <h1>Incident {id}</h1>}
          <ErrorNote error={error} retry={reload} />
        </>
      )}
      {!value && !error && <Skeleton rows={9} />}
      <Outcome said={said} />
      {value && <Whole incident={value} denied={whyNot(me.value)} known={me.value !== null} act={act} />}
    </>
  );
}
