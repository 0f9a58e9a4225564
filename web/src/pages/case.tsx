// One repair: what was wrong, what is done about it, whether it helped, and what is missing for the next step.
import { useState } from 'preact/hooks';
import { api, type CaseDetail, type CaseStep } from '../api';
import { now, summary } from '../app/live';
import { actionName, ageOf, caseStepName, outcomeBand, outcomeName, placeName, placeOfCase, stepBand } from '../lib/cases';
import { count, exact, number, readable, sentence } from '../lib/format';
import { whyNot } from '../lib/maintenance';
import { hostHref, incidentHref } from '../lib/places';
import { whyHref } from '../lib/why';
import { Due } from '../parts/case_board';
import { AdvanceForm, CloseForm, NoteForm } from '../parts/case_forms';
import { PartsCard, ProofCard, Stages, TestsCard } from '../parts/case_proof';
import { Denied } from '../parts/denied';
import { BandShape } from '../parts/icons';
import { Outcome, type Said, words } from '../parts/outcome';
import { Card, ErrorNote, Skeleton } from '../parts/states';
import { useData, useRefresh } from '../parts/use_data';
import '../style/place.css';
import '../style/incident.css';
import '../style/cases.css';

function Crumbs({ id }: { id: string }) {
  return (
    <nav class="crumbs" aria-label="Where this is">
      <ol>
        <li>
          <a href="/cases">Cases</a>
        </li>
        <li aria-current="page">Case {id}</li>
      </ol>
    </nav>
  );
}

function Header({ of: c }: { of: CaseDetail }) {
  const place = placeOfCase(c);
  return (
    <div class="gh">
      <div class="gh-who">
        <div class="titled">
          <h1>{sentence(c.symptom)}</h1>
        </div>
        <ul class="facts">
          <li>
            <span class="badge" data-testid="state">
              {c.state === 'closed' ? (
                <>
                  <BandShape band={outcomeBand(c.outcome)} /> closed: {outcomeName(c.outcome)}
                </>
              ) : (
                c.state
              )}
            </span>
          </li>
          <li>
            {place ? (
              <a class="link" href={place}>
                {sentence(placeName(c))}
              </a>
            ) : (
              sentence(placeName(c))
            )}
            {c.gpu && c.host && (
              <>
                on{' '}
                <a class="link" href={hostHref(c.host)}>
                  {c.slot ?? c.host}
                </a>
              </>
            )}
          </li>
          {c.model && <li>{c.model}</li>}
          {c.incident && (
            <li>
              <a class="link" href={incidentHref(c.incident)}>
                incident {c.incident}
              </a>
            </li>
          )}
          <li title={exact(c.opened_at)}>
            {c.state === 'closed' ? 'took' : 'open for'} {ageOf(c, now.value)}
          </li>
          {c.due_at && c.state !== 'closed' && (
            <li>
              <Due of={c} />
            </li>
          )}
          {c.relapses > 0 && (
            <li class="t-degraded">
              <BandShape band="degraded" /> came back {count(c.relapses, 'time')}
            </li>
          )}
          <li>opened by {c.opened_by}</li>
          {c.cost !== null && <li>cost so far {number(c.cost, Number.isInteger(c.cost) ? 0 : 2)}</li>}
          {c.simulated && <li class="t3">simulated</li>}
        </ul>
      </div>
    </div>
  );
}

interface ActProps {
  of: CaseDetail;
  denied: string | null;
  act: (doing: Promise<CaseDetail>, said: string) => Promise<boolean>;
}

function NextCard(props: ActProps & { known: boolean }) {
  const { of: c, denied, known } = props;
  const about = c.gpu ? whyHref({ what: 'gpu', name: c.gpu }) : c.host && whyHref({ what: 'host', name: c.host });
  return (
    <Card title={c.state === 'closed' ? 'What was done' : 'The action'} class="c4 next-card">
      <div class="body">
        <p class="next-action">{actionName(c.action)}</p>
        {sentence(c.action_says) !== actionName(c.action) && <p class="t2">{sentence(c.action_says)}</p>}
        {about && (
          <p class="acts">
            <a class="btn" href={about}>
              Why did it happen?
            </a>
          </p>
        )}
        {c.state !== 'closed' && (
          <>
            <h3>What happened since?</h3>
            <AdvanceForm {...props} key={c.state} />
          </>
        )}
        <h3>A note for those who come next</h3>
        <NoteForm {...props} />
        {c.state !== 'closed' && (
          <details class="case-end">
            <summary class="link">Close this case</summary>
            <CloseForm {...props} key={c.state} />
          </details>
        )}
      </div>
      {denied && known && <Denied why={denied} />}
    </Card>
  );
}

function StepLine({ step }: { step: CaseStep }) {
  const band = stepBand(step.what);
  return (
    <li class={step.from !== step.to || step.what === 'opened' ? 'is-open' : ''}>
      <p>
        {band && <BandShape band={band} />} <span class="main">{caseStepName(step.what)}</span>{' '}
        {step.by && <span class="t2">by {step.by}</span>}
      </p>
      {step.note && <p class="t2">{readable(sentence(step.note))}</p>}
      <p class="t3">{exact(step.at)}</p>
    </li>
  );
}

function StepsCard({ of: c }: { of: CaseDetail }) {
  return (
    <Card title="What was done, step by step" hint={count(c.steps.length, 'step')}>
      <div class="body life" data-testid="steps">
        <ol>
          {c.steps.map((s, i) => (
            <StepLine step={s} key={`${s.at} ${i}`} />
          ))}
        </ol>
      </div>
    </Card>
  );
}

export function CasePage({ id }: { id: string }) {
  const { value, error, reload } = useData(`case ${id}`, (signal) => api.repairCase(id, signal));
  const me = useData('me', (signal) => api.me(signal));
  const [said, setSaid] = useState<Said | null>(null);
  useRefresh(reload, summary.value?.as_of, 5000);
  const act = async (doing: Promise<CaseDetail>, text: string) => {
    try {
      await doing;
      setSaid({ text, bad: false });
      reload();
      return true;
    } catch (problem) {
      setSaid({ text: words(problem), bad: true });
      return false;
    }
  };
  const props = value && { of: value, denied: whyNot(me.value), known: me.value !== null, act };
  return (
    <>
      <Crumbs id={id} />
      {error && (
        <>
          {!value && <h1>Case {id}</h1>}
          <ErrorNote error={error} retry={reload} />
        </>
      )}
      {!value && !error && <Skeleton rows={9} />}
      {value && props && (
        <>
          <Header of={value} />
          <Outcome said={said} />
          <Stages of={value} />
          <div class="grid case-page">
            <div class="case-main c8">
              <ProofCard of={value} />
              <TestsCard of={value} />
              <PartsCard of={value} />
              <StepsCard of={value} />
            </div>
            <NextCard {...props} />
          </div>
        </>
      )}
    </>
  );
}
