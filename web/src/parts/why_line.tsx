// One line of time with lanes for job, GPU, host and switch, and the same moments in words below it.
import { useMemo, useState } from 'preact/hooks';
import type { RanThere, Why, WhyLane, WhyMoment } from '../api';
import { meta } from '../app/meta';
import { navigate, query, withQuery } from '../app/router';
import { kindName, meaningOf } from '../lib/events';
import { count, exact, number, sentence, shortTime } from '../lib/format';
import { bareDetail, stepWords, tickWords } from '../lib/incidents';
import { gpuHref, hostHref, incidentHref } from '../lib/places';
import {
  barsOf,
  firstSign,
  focusOf,
  type JobBar,
  jobsOf,
  kLanes,
  type LaneMark,
  marksOf,
  place,
  type Run,
  runsOf,
  stacked,
  type Told,
  toldOf,
  type Window,
  within,
} from '../lib/why';
import { SeverityShape } from './incident_list';
import { Card, Empty } from './states';

// A mark with its number needs some room: storms must not run into each other.
const kMarkPx = 26;
const kJobRows = 4;
const kFew = 40;
const kMore = 200;

const titleOf = (m: WhyMoment) => (m.code === null ? kindName(m.kind ?? m.what) : `${kindName(m.kind ?? m.what)} ${m.code}`);
const clock = (at: string, window: Window) => tickWords(Date.parse(at), window.to - window.from);

function Mark({ mark }: { mark: LaneMark }) {
  const left = mark.count - mark.moments.length;
  const words = mark.moments.map((m) => `${exact(m.at)}  ${m.detail}`);
  return (
    <i
      class={`lane-mark why-mark sev-${mark.severity ?? 'none'}`}
      style={{ left: `${mark.x * 100}%` }}
      title={[...words, ...(left > 0 ? [`and ${number(left)} more`] : [])].join('\n')}
    >
      {mark.first ? '1st' : mark.count > 1 ? (mark.count > 99 ? '99+' : mark.count) : ''}
    </i>
  );
}

const kEnds: Record<RanThere['end'], string> = { finished: 'finished', failed: 'failed', running: 'still runs', unknown: 'end not known' };

function Bar({ bar }: { bar: JobBar }) {
  const { job, left, width, begins, ends } = bar;
  return (
    <span
      class={`job-bar end-${job.end} ${begins ? 'begins' : ''} ${ends ? 'ends' : ''}`}
      style={{ left: `${left * 100}%`, width: `max(6px, ${width * 100}%)` }}
      title={`${job.job}: ${exact(job.from)} to ${job.to ? exact(job.to) : 'now'}, ${kEnds[job.end]}`}
    >
      {job.job}
      <span class="vh">, {kEnds[job.end]}</span>
    </span>
  );
}

function Lines({ why, window }: { why: Why; window: Window }) {
  const first = firstSign(why.timeline);
  return (
    <>
      {within(window, why.about.at) && <u class="line-asked" style={{ left: `${place(window, why.about.at) * 100}%` }} />}
      {first && <u class="line-first" style={{ left: `${place(window, first.at) * 100}%` }} />}
    </>
  );
}

const side = (x: number) => (x > 0.7 ? 'to-left' : 'to-right');

function Flags({ why, window }: { why: Why; window: Window }) {
  const first = firstSign(why.timeline);
  const [f, a] = [first ? place(window, first.at) : null, within(window, why.about.at) ? place(window, why.about.at) : null];
  // Two flags on one spot would cover each other: the first sign is what matters.
  const both = f !== null && a !== null && Math.abs(a - f) < 0.3 && side(a) === side(f);
  return (
    <div class="lane why-flags" aria-hidden="true">
      <span />
      <div class="lane-track">
        <Lines why={why} window={window} />
        {a !== null && !both && (
          <span class={`t3 ${side(a)}`} style={{ left: `${a * 100}%` }}>
            asked about
          </span>
        )}
        {first && f !== null && (
          <b class={side(f)} style={{ left: `${f * 100}%` }}>
            first sign {clock(first.at, window)}
          </b>
        )}
      </div>
    </div>
  );
}

function Ticks({ from, to }: Window) {
  return (
    <div class="lane-ticks t3" aria-hidden="true">
      {[0, 0.25, 0.5, 0.75].map((p) => (
        <span key={p}>{tickWords(from + p * (to - from), to - from)}</span>
      ))}
    </div>
  );
}

const bins = () => Math.max(12, Math.floor((Math.min(innerWidth, 1760) - (innerWidth > 720 ? 240 : 50)) / kMarkPx));

interface LaneProps {
  why: Why;
  moments: Told[];
  window: Window;
  lane: WhyLane;
  text: string;
}

function Lane({ why, moments, window, lane, text }: LaneProps) {
  const inside = moments.filter((m) => m.lane === lane);
  const { rows, left } = lane === 'job' ? stacked(barsOf(jobsOf(why), window), kJobRows) : { rows: [], left: 0 };
  if (inside.length === 0 && rows.length === 0) return null;
  return (
    <div class="lane">
      <span class="lane-name">
        {text} {inside.length > 0 && <span class="t3">{number(inside.length)}</span>}
        {left > 0 && <span class="t3 whole"> +{number(left)} jobs</span>}
      </span>
      <div class="lane-track" style={{ '--rows': rows.length }}>
        <Lines why={why} window={window} />
        {rows.map((row, i) => (
          <div class="job-row" key={`row ${i}`}>
            {row.map((bar) => (
              <Bar bar={bar} key={`${bar.job.job} ${bar.job.from}`} />
            ))}
          </div>
        ))}
        {marksOf(inside, window, bins()).map((mark) => (
          <Mark mark={mark} key={mark.x} />
        ))}
      </div>
    </div>
  );
}

function Where({ moment, about }: { moment: WhyMoment; about: Why['about'] }) {
  if (moment.gpu && moment.gpu !== about.gpu)
    return (
      <a class="link mono" href={gpuHref(moment.gpu, 'events')}>
        {moment.gpu}
      </a>
    );
  if (moment.lane === 'host' && moment.host && moment.host !== about.host)
    return (
      <a class="link mono" href={hostHref(moment.host)}>
        {moment.host}
      </a>
    );
  return null;
}

function words(m: WhyMoment): string {
  if (m.kind === 'xid' && m.code !== null) {
    const { meaning } = meaningOf(
      { at: m.at, kind: m.kind, code: m.code, gpu: m.gpu, host: m.host, detail: m.detail },
      meta.value?.xids ?? [],
    );
    return meaning;
  }
  return bareDetail(m.detail, m.gpu, m.host);
}

function Line({ run, about, newDay }: { run: Run; about: Why['about']; newDay: boolean }) {
  const m = run.moment;
  const lane = kLanes.find((l) => l.lane === m.lane)?.text ?? m.lane;
  return (
    <li class={m.first ? 'is-first' : ''}>
      <time class="t3" dateTime={m.at} title={exact(m.at)}>
        {newDay && shortTime(m.at).slice(0, -6)} {exact(m.at).slice(11, -4)}
      </time>
      <span class="why-what">
        {m.severity && m.severity !== 'info' ? <SeverityShape severity={m.severity} /> : <i class="dot" />}
        <span class="t3 why-lane">{lane}</span>
      </span>
      <p>
        {m.first && <b class="badge first-sign">first abnormal sign</b>}
        {m.what !== 'incident' && <b class="main">{titleOf(m)}</b>}{' '}
        {m.steps.map((s) => (
          <a class="badge" href={incidentHref(s.incident)} key={`${s.what} ${s.incident}`}>
            {stepWords(s)}
          </a>
        ))}
        <span class="t2">{sentence(words(m))}</span> <Where moment={m} about={about} />
        {run.count > 1 && (
          <span class="t3 whole">
            {' '}
            {number(run.count)} times, until {exact(run.last).slice(11, -4)}
          </span>
        )}
      </p>
    </li>
  );
}

const wordsOfWindow = ({ from, to }: Window) =>
  `${shortTime(new Date(from).toISOString())} to ${shortTime(new Date(to).toISOString())} UTC`;

const dayOf = (run: Run | undefined) => run?.moment.at.slice(0, 10);

function List({ moments, about }: { moments: Told[]; about: Why['about'] }) {
  const [most, setMost] = useState(kFew);
  const runs = runsOf(moments);
  const hidden = runs.length - most;
  return (
    <>
      <ol class="body why-list-of-moments" data-testid="moments">
        {runs.slice(0, most).map((run, i) => (
          <Line run={run} about={about} newDay={dayOf(runs[i - 1]) !== dayOf(run)} key={`${run.moment.at} ${i}`} />
        ))}
      </ol>
      {hidden > 0 && (
        <div class="pager">
          <button type="button" class="btn" onClick={() => setMost(most + kMore)}>
            Show {number(Math.min(kMore, hidden))} more
          </button>
          <span class="t3">{count(hidden, 'later moment')} in this window</span>
        </div>
      )}
    </>
  );
}

const go = (changes: Record<string, string | null>) => navigate(withQuery(changes), 'replace');

function LaneChoice({ lanes, chosen }: { lanes: typeof kLanes; chosen: string | null }) {
  return (
    <fieldset class="seg" aria-label="Show one lane">
      <button type="button" aria-pressed={chosen === null} onClick={() => go({ lane: null })}>
        All
      </button>
      {lanes.map((l) => (
        <button type="button" key={l.lane} aria-pressed={chosen === l.lane} onClick={() => go({ lane: l.lane })}>
          {l.text}
        </button>
      ))}
    </fieldset>
  );
}

/** What led to what: from a little before the first sign on, or all of the time that was asked about (`view=all`). */
export function WhyLine({ why }: { why: Why }) {
  const told = useMemo(() => toldOf(why.timeline), [why.timeline]);
  const focus = focusOf(why);
  const whole = { from: Date.parse(why.about.from), to: Date.parse(why.about.to) };
  const narrowed = told.filter((m) => !within(focus, m.at)).length;
  const all = query.value.get('view') === 'all' || why.timeline.length === 0;
  const window = all ? whole : focus;
  const inside = told.filter((m) => within(window, m.at));
  const lanes = kLanes.filter((l) => inside.some((m) => m.lane === l.lane));
  const chosen = lanes.find((l) => l.lane === query.value.get('lane'))?.lane ?? null;
  return (
    <Card
      title="What led to what"
      class="c12 why-line"
      hint={wordsOfWindow(window)}
      tools={
        <>
          {lanes.length > 1 && <LaneChoice lanes={lanes} chosen={chosen} />}
          {(narrowed > 0 || all) && why.timeline.length > 0 && (
            <button type="button" class="btn small" aria-pressed={all} onClick={() => go({ view: all ? null : 'all' })}>
              All of the time{narrowed > 0 && !all && `: ${number(narrowed)} more`}
            </button>
          )}
        </>
      }
    >
      {why.timeline.length === 0 && jobsOf(why).length === 0 && <Empty>Nothing was heard in this time.</Empty>}
      {(inside.length > 0 || jobsOf(why).length > 0) && (
        <div class="body lanes" data-testid="why-lanes">
          <Flags why={why} window={window} />
          {kLanes.map((l) => (
            <Lane why={why} moments={inside} window={window} key={l.lane} {...l} />
          ))}
          <Ticks {...window} />
        </div>
      )}
      {inside.length > 0 && (
        <List moments={chosen ? inside.filter((m) => m.lane === chosen) : inside} about={why.about} key={`${chosen} ${all}`} />
      )}
      {why.left_out > 0 && <p class="note t3">{number(why.left_out)} more moments are not shown: ask about fewer days to see them.</p>}
    </Card>
  );
}
