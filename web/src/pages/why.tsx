// Why did it happen? The answer in a sentence, what to do, and how it came to that, for a GPU, a host or a job at any moment.
import { useEffect, useState } from 'preact/hooks';
import { ApiError, api, type RanThere, type Why, type WhyCause } from '../api';
import { askIncidents, openIncidents } from '../app/incidents';
import { now, summary } from '../app/live';
import { navigate, query } from '../app/router';
import { lengthOf } from '../lib/duration';
import { exact, kDash, readable, sentence, shortTime } from '../lib/format';
import { resetOrRma } from '../lib/incidents';
import { whyNot } from '../lib/maintenance';
import { caseOfIncident, gpuHref, hostHref, incidentHref, newCaseHref } from '../lib/places';
import { aboutName, jobReach, kOrder, type Question, questionOf, verdictWords, whyHref, whyOfIncident } from '../lib/why';
import { Ask, AskAgain } from '../parts/ask_why';
import { Cause, type Verdict } from '../parts/causes_card';
import { Denied } from '../parts/denied';
import { IncidentList } from '../parts/incident_list';
import { Outcome, type Said, words } from '../parts/outcome';
import { Card, Empty, ErrorNote, Skeleton } from '../parts/states';
import { type Column, DataTable } from '../parts/table';
import { useData, useRefresh } from '../parts/use_data';
import { WhyLine } from '../parts/why_line';
import '../style/place.css';
import '../style/incident.css';
import '../style/why.css';

const kEnds: Record<RanThere['end'], string> = { finished: 'finished', failed: 'failed', running: 'still runs', unknown: 'not known' };

function Facts({ why }: { why: Why }) {
  const { about } = why;
  return (
    <ul class="facts" data-testid="about">
      <li>
        <b>
          {about.what === 'gpu' && about.gpu ? (
            <a class="link" href={gpuHref(about.gpu)}>
              {aboutName(about)}
            </a>
          ) : (
            aboutName(about)
          )}
        </b>
      </li>
      {why.job && (
        <li>
          {jobReach(why.job)}, {kEnds[why.job.end] === 'not known' ? 'its end is not known' : kEnds[why.job.end]}
        </li>
      )}
      {about.host && about.what !== 'host' && (
        <li>
          on{' '}
          <a class="link" href={hostHref(about.host)}>
            {about.host}
          </a>
        </li>
      )}
      {about.what === 'host' && about.host && (
        <li>
          <a class="link" href={hostHref(about.host)}>
            its page
          </a>
        </li>
      )}
      <li title={`${exact(about.from)} to ${exact(about.to)}`}>
        as of {shortTime(about.at)} UTC, looking back to {shortTime(about.from)}
      </li>
      {why.cannot_tell && (
        <li>
          <span class="badge">cannot tell</span>
        </li>
      )}
    </ul>
  );
}

function NextCard({ why }: { why: Why }) {
  const { next, incidents, about } = why;
  const first = incidents[0];
  const answer = why.cannot_tell ? 'Cannot tell yet' : why.reset_or_rma && resetOrRma({ action: why.reset_or_rma, cannot_tell: false });
  const about_ = about.gpu ? newCaseHref('gpu', about.gpu) : about.host && newCaseHref('host', about.host);
  const openCase = first ? caseOfIncident(first.id) : about_;
  return (
    <Card title="What to do next" class="next-card">
      <div class="body">
        <p class="next-action" data-testid="next-action">
          {next ? sentence(next.says) : 'Nothing, as far as is known'}
        </p>
        {next && <p class="t2">{verdictWords(sentence(next.because))}</p>}
        {answer && (
          <p class="t2 reset-or-rma" data-testid="reset-or-rma">
            Reset or RMA? <b class="answer">{answer}.</b>
          </p>
        )}
        <p class="acts">
          {openCase && next && (
            <a class="btn" href={openCase}>
              Open a repair case
            </a>
          )}
          {first && (
            <a class="btn" href={incidentHref(first.id)}>
              Incident {first.id}
            </a>
          )}
        </p>
      </div>
    </Card>
  );
}

interface JudgeProps {
  denied: string | null;
  known: boolean;
  judge: (incident: string, cause: WhyCause, verdict: Verdict) => void;
}

function Causes({ why, denied, known, judge }: JudgeProps & { why: Why }) {
  const first = why.incidents[0];
  return (
    <Card title="Likely causes" class="causes" hint={first && `of incident ${first.id}, the likeliest first`}>
      {!first && <Empty>No incident touches it in this time, so there is nothing to rank causes of.</Empty>}
      {first && first.causes.length === 0 && <Empty>No cause of the table explains these signs.</Empty>}
      {first && first.causes.length > 0 && (
        <div class="body" data-testid="causes">
          {first.causes.map((c, i) => (
            <Cause
              cause={c}
              first={i === 0}
              named={i === 0 && !first.cannot_tell}
              confirmed={first.confirmed_cause === c.cause}
              denied={denied}
              judge={(cause, verdict) => judge(first.id, cause, verdict)}
              key={c.cause}
            />
          ))}
        </div>
      )}
      {first && denied && known && <Denied why={denied} />}
    </Card>
  );
}

function RuledOut({ why }: { why: Why }) {
  if (why.ruled_out.length === 0) return null;
  return (
    <Card title="Ruled out" class="why-late">
      <ul class="body why-out" data-testid="ruled-out">
        {why.ruled_out.map((r) => (
          <li key={r.cause}>
            <s aria-hidden="true">×</s>
            <span>
              <b class="main">{sentence(r.says)}</b> <span class="t2">{readable(sentence(r.because))}</span>
            </span>
          </li>
        ))}
      </ul>
    </Card>
  );
}

function NotKnown({ why }: { why: Why }) {
  if (why.unknown.length === 0) return null;
  return (
    <Card title="What nobody could know" class="why-late">
      <ul class="body why-out t2" data-testid="not-known">
        {why.unknown.map((u) => (
          <li key={u}>
            <s aria-hidden="true">?</s>
            <span>{readable(sentence(u))}</span>
          </li>
        ))}
      </ul>
    </Card>
  );
}

const kJobColumns: Column<RanThere>[] = [
  {
    title: 'Job',
    heads: true,
    class: 'mono name',
    cell: (j) => (
      <a class="link" href={whyHref({ what: 'job', name: j.job })} title="Why did it end as it did?">
        {j.job}
      </a>
    ),
  },
  { title: 'User', class: 'wide-only t2', cell: (j) => j.user ?? kDash },
  { title: 'Size', class: 'wide-only t2', cell: jobReach },
  { title: 'From, in UTC', class: 'wide-only', hint: (j) => exact(j.from), cell: (j) => shortTime(j.from) },
  { title: 'For', class: 'r', cell: (j) => lengthOf(j, now.value) },
  { title: 'End', cell: (j) => (j.end === 'failed' ? <b class="severity t-critical">failed</b> : <span class="t2">{kEnds[j.end]}</span>) },
];

function RanThereCard({ why }: { why: Why }) {
  return (
    <Card title={why.job ? 'What else ran there' : 'What ran there'} class="why-late">
      {why.ran_there.length === 0 && <Empty>No {why.job ? 'other ' : ''}job is on record here in this time.</Empty>}
      {why.ran_there.length > 0 && (
        <DataTable
          label="Table of jobs that ran there"
          testid="ran-there"
          tall={why.ran_there.length > 12}
          columns={kJobColumns}
          rows={why.ran_there}
          keyOf={(j) => `${j.job} ${j.from}`}
        />
      )}
    </Card>
  );
}

function Others({ why }: { why: Why }) {
  const others = why.incidents.slice(1);
  if (others.length === 0) return null;
  return (
    <Card title="Other incidents that touch it" class="why-late">
      <IncidentList incidents={others} testid="other-incidents" />
    </Card>
  );
}

function Answer({ why, question, ...rest }: JudgeProps & { why: Why; question: Question }) {
  return (
    <>
      <div class="story why-story">
        <h1 data-testid="verdict">{verdictWords(why.verdict)}</h1>
      </div>
      <Facts why={why} />
      <AskAgain question={question} />
      <div class="grid">
        <div class="why-side c8">
          <Causes why={why} {...rest} />
          <Others why={why} />
          <RanThereCard why={why} />
        </div>
        <div class="why-side c4">
          <NextCard why={why} />
          <RuledOut why={why} />
          <NotKnown why={why} />
        </div>
        <WhyLine why={why} />
      </div>
    </>
  );
}

const notThis = (error: unknown) => error instanceof ApiError && (error.status === 404 || error.status === 400);

// A name alone says not what it is of: asked in the order of how certain such names are.
async function find({ name, at, days }: Question, signal: AbortSignal): Promise<Why> {
  let last: unknown = null;
  for (const what of kOrder) {
    try {
      return await api.why({ [what]: name, at, days }, signal);
    } catch (error) {
      if (!notThis(error)) throw error;
      last = error;
    }
  }
  throw new ApiError(`No GPU, host or job is known by the name ${name}. ${(last as ApiError).message}`, 404, null);
}

const ask = (q: Question, signal: AbortSignal) =>
  q.what === 'any' ? find(q, signal) : api.why({ [q.what]: q.name, at: q.at, days: q.days }, signal);

// What a name turned out to be is kept in the address.
function useFound(question: Question, why: Why | null): void {
  useEffect(() => {
    if (why && question.what === 'any') navigate(whyHref({ ...question, what: why.about.what }), 'replace');
  }, [why?.about.what, question.what]);
}

const kLiveMs = 15_000;

function Asked({ question }: { question: Question }) {
  const { value, error, reload } = useData(`why ${JSON.stringify(question)}`, (signal) => ask(question, signal));
  const me = useData('me', (signal) => api.me(signal));
  const [said, setSaid] = useState<Said | null>(null);
  useFound(question, value);
  useRefresh(reload, summary.value?.as_of, question.at === null ? kLiveMs : Number.POSITIVE_INFINITY);
  const judge = async (incident: string, cause: WhyCause, verdict: Verdict) => {
    try {
      await api.sayCause(incident, { cause: cause.cause, verdict });
      setSaid({ text: `Kept: “${sentence(cause.says)}” was ${verdict}.`, bad: false });
      askIncidents();
      reload();
    } catch (problem) {
      setSaid({ text: words(problem), bad: true });
    }
  };
  return (
    <>
      {!value && (
        <div class="story">
          <h1>Why: {question.name}</h1>
        </div>
      )}
      {error && (error.status === 404 ? <ErrorNote error={error} /> : <ErrorNote error={error} retry={reload} />)}
      {error && !value && <Ask question={question} />}
      {!value && !error && <Skeleton rows={9} />}
      <Outcome said={said} />
      {value && <Answer why={value} question={question} denied={whyNot(me.value)} known={me.value !== null} judge={judge} />}
    </>
  );
}

const kOffered = 6;

function Unasked() {
  const open = (openIncidents.value ?? []).filter((i) => whyOfIncident(i));
  return (
    <>
      <div class="story">
        <h1>Why did it happen?</h1>
        <p>Name a GPU, a host or a job. The answer is a sentence, what to do next, and what led to it on one line of time.</p>
      </div>
      <div class="grid">
        <div class="c12">
          <Ask question={null} />
        </div>
        {open.length > 0 && (
          <Card title="Or ask about what is open now" class="c12" hint="the worst first">
            <IncidentList incidents={open.slice(0, kOffered)} testid="why-offers" hrefOf={whyOfIncident} />
          </Card>
        )}
      </div>
    </>
  );
}

export function WhyPage() {
  const question = questionOf(query.value);
  return question ? <Asked question={question} key={JSON.stringify(question)} /> : <Unasked />;
}
