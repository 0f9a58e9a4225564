import type { CauseEvidence, IncidentDetail, WhyCause } from '../api';
import { percent, sentence, title } from '../lib/format';
import { evidenceWords, sideName, strength } from '../lib/incidents';
import { Icon } from './icons';
import { Card, Empty } from './states';

const kSources: Record<string, string> = { judgement: 'our judgement', chance: 'how often by chance' };
const sourceName = (source: string) => kSources[source] ?? source.replaceAll('_', ' ');

function Evidence({ heading, sign, items }: { heading: string; sign: string; items: CauseEvidence[] }) {
  return (
    <section class="evidence">
      <h3>{heading}</h3>
      {items.length === 0 && <p class="t3">Nothing.</p>}
      <ul>
        {items.map((e) => (
          <li key={e.evidence} class={e.present ? '' : 'not-seen'}>
            <span aria-hidden="true">{sign}</span>
            <span>
              {evidenceWords(e)} <span class="t3 whole">{strength(e.weight)}</span>
            </span>
            <span class="t3 source" title="Where this likelihood is from">
              {sourceName(e.source)}
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}

export type Verdict = 'right' | 'wrong';

interface JudgeProps {
  cause: WhyCause;
  denied: string | null;
  judge: (cause: WhyCause, verdict: Verdict) => void;
}

const kVerdicts: { verdict: Verdict; text: string }[] = [
  { verdict: 'right', text: 'Right' },
  { verdict: 'wrong', text: 'Wrong' },
];

function Judge({ cause, denied, judge }: JudgeProps) {
  return (
    <span class="judge">
      {kVerdicts.map(({ verdict, text }) => (
        <button
          type="button"
          class={`btn small thumb-${verdict}`}
          key={verdict}
          onClick={() => !denied && judge(cause, verdict)}
          aria-disabled={denied !== null}
          title={denied ?? `It was ${verdict}: this shifts the ranking of incidents like this one`}
          aria-label={`${text}: ${title(cause.cause)}`}
        >
          <Icon name="thumb" /> {text}
        </button>
      ))}
    </span>
  );
}

/** A cause with what speaks for and against it; the first is open. */
export function Cause({ cause, first, named, confirmed, ...rest }: JudgeProps & { first: boolean; named: boolean; confirmed: boolean }) {
  return (
    <details class="cause" open={first}>
      <summary>
        <span class="dn">
          <Icon name="chevron" />
        </span>
        <span>
          <b class={named ? 'strong' : ''}>{sentence(cause.says)}</b>
          {confirmed && <span class="badge">confirmed by an operator</span>}
        </span>
        <span class="cause-bar" aria-hidden="true">
          <i style={{ width: `${cause.probability * 100}%` }} />
        </span>
        <span class="lost">{percent(cause.probability)}</span>
      </summary>
      <div class="cause-body">
        <div class="both">
          <Evidence heading="Speaks for it" sign="+" items={cause.evidence_for} />
          <Evidence heading="Speaks against it" sign="−" items={cause.evidence_against} />
        </div>
        <div class="cause-foot">
          <p class="t2">
            {cause.side && `${sentence(sideName(cause.side))} · `}
            {cause.side ? 'if' : 'If'} it is this: {cause.action_says}
          </p>
          <Judge cause={cause} {...rest} />
        </div>
      </div>
    </details>
  );
}

interface Props {
  incident: IncidentDetail;
  denied: string | null;
  judge: (cause: WhyCause, verdict: Verdict) => void;
}

/** The ranked causes, each with what speaks for and against it, and what an operator says of it. */
export function CausesCard({ incident, denied, judge }: Props) {
  const { causes, cannot_tell, unknown_probability } = incident;
  return (
    <Card title="Likely causes" class="c8 causes" hint="what was seen, and what could have been seen and was not">
      {causes.length === 0 && <Empty>No cause of the table explains these signs.</Empty>}
      <div class="body">
        {cannot_tell && causes.length > 0 && (
          <p class="verdict is-unknown">
            No cause reaches 50 % with a sign of its own, so none is named. These come closest; one more sign can decide.
          </p>
        )}
        <div data-testid="causes">
          {causes.map((c, i) => (
            <Cause
              cause={c}
              first={i === 0}
              named={i === 0 && !cannot_tell}
              confirmed={incident.confirmed_cause === c.cause}
              denied={denied}
              judge={judge}
              key={c.cause}
            />
          ))}
        </div>
        <p class="t3 none-of-these">
          None of these: {percent(unknown_probability)}. Probabilities rank; no fleet with known causes has calibrated them.
        </p>
      </div>
    </Card>
  );
}
