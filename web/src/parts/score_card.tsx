import type { Dimension, GpuHealth, HealthHistory } from '../api';
import { now } from '../app/live';
import { meta } from '../app/meta';
import { query } from '../app/router';
import { exact, kDash, number, percent, score, sentence, shortTime, title } from '../lib/format';
import { withKept } from '../lib/places';
import { windowOf } from '../lib/ranges';
import { axisStart, type Fall, type FindingLine, falls, ticks, whySentence } from '../lib/waterfall';
import { kBandNames } from './bands';
import { BandShape, Icon } from './icons';
import { ScoreAt } from './score_at';
import { ScoreLine } from './score_line';
import { Card } from './states';

const kDays = 90;

function FindingRow({ line, d }: { line: FindingLine; d: Dimension }) {
  const { finding, lost } = line;
  const facts = `${number(finding.lost, 1)} points of ${d.name}`;
  return (
    <li class={finding.critical ? 'is-critical' : ''}>
      <span>
        {finding.critical && <BandShape band="critical" />} {sentence(finding.text)}
        <span class="t3 finding-facts">
          {finding.rule}
          {finding.window && `, ${finding.window}`} · <time dateTime={finding.at}>{shortTime(finding.at)} UTC</time>
          {finding.evidence && (
            <>
              {' · '}
              <a class="link" href={withKept(finding.evidence, windowOf(query.value))} data-testid="evidence">
                chart at that moment
              </a>
            </>
          )}
        </span>
      </span>
      <span class="lost" title={facts} data-testid="finding-lost">
        {lost === null ? kDash : number(-lost, 1)}
      </span>
    </li>
  );
}

function Findings({ row }: { row: Fall }) {
  const { dimension: d, findings, other, cap } = row;
  return (
    <ul class="why-list">
      {d.note && <li class="t2">{sentence(d.note)}</li>}
      {findings.length === 0 && (
        <li>
          <span>No finding. Coverage {percent(d.coverage)}.</span>
        </li>
      )}
      {findings.map((f) => (
        <FindingRow key={f.finding.rule} line={f} d={d} />
      ))}
      {other !== 0 && (
        <li>
          <span>Other</span>
          <span class="lost" data-testid="finding-lost">
            {number(-other, 1)}
          </span>
        </li>
      )}
      {cap && (
        <li class="t2">
          <span>{sentence(cap)}</span>
        </li>
      )}
    </ul>
  );
}

const part = (points: number, start: number) => `${(Math.max(0, points - start) / (100 - start)) * 100}%`;

function Track({ row, start }: { row: Fall; start: number }) {
  const { dimension: d, from, to, lost } = row;
  return (
    <span class="track">
      {ticks(start).map((t) => (
        <u key={t} style={{ left: part(t, start) }} />
      ))}
      {lost !== null && lost > 0 && (
        <i class={`f-${d.band}`} style={{ left: part(from, start), width: `${((to - Math.max(from, start)) / (100 - start)) * 100}%` }} />
      )}
    </span>
  );
}

function DimensionRow({ row, start, quiet }: { row: Fall; start: number; quiet: boolean }) {
  const { dimension: d, lost } = row;
  const name = (
    <span class="dn">
      <Icon name="chevron" />
      {title(d.name)}
    </span>
  );
  if (d.score === null && d.findings.length === 0)
    return (
      <div class="dim off">
        {name}
        <span class="t3 why-not">{sentence(d.note ?? 'not available')}</span>
      </div>
    );
  const peers = d.peers_median === null ? '' : `, median of its peers ${number(d.peers_median)}`;
  return (
    <details open={d.findings.length > 0 && !quiet} data-testid={`dimension-${d.name}`}>
      <summary class="dim" title={`Weight ${percent(d.weight)}, coverage ${percent(d.coverage)}${peers}`}>
        {name}
        <span class={`ds t-${d.band}`}>{score(d.score)}</span>
        <Track row={row} start={start} />
        <span class="lost" data-testid="dimension-lost">
          {lost === null ? kDash : number(-lost, 1)}
        </span>
      </summary>
      <Findings row={row} />
    </details>
  );
}

function Axis({ start, health }: { start: number; health: GpuHealth }) {
  return (
    <div class="dim axis" aria-hidden="true">
      <span>from 100</span>
      <span />
      <span class="tick-row">
        {ticks(start).map((t) => (
          <span key={t} style={{ left: part(t, start) }}>
            {t}
          </span>
        ))}
      </span>
      <b class="lost">{number(health.score, 1)}</b>
    </div>
  );
}

// The API gives at most ten points either way.
const kMostMoved = 10;

function moved(points: number | null, days: number): string {
  if (points === null) return `not known for ${days} days`;
  const most = Math.abs(points) >= kMostMoved ? ' or more' : '';
  return `${points > 0 ? '+' : ''}${number(points, 1)}${most} in ${days} days`;
}

function trendText({ trend_7d: week, trend_30d: month }: GpuHealth): string {
  if (week === null && month === null) return 'not known for 7 days yet';
  return month === null ? moved(week, 7) : `${moved(week, 7)}, ${moved(month, 30)}`;
}

function peersText(health: GpuHealth): string {
  return health.peers_median === null ? 'no scored peers of its model' : `median of its model ${number(health.peers_median, 1)}`;
}

function Headline({ health, past, at }: { health: GpuHealth; past: HealthHistory | null; at: number }) {
  const items = past?.items ?? [];
  const clock = now.value / 1000;
  // A board of a day is not shown as a dot at the end of a quarter.
  const born = items[0] ? Date.parse(items[0].at) / 1000 : clock;
  return (
    <div class="score">
      <div class={`big t-${health.band}`} data-testid="score">
        {score(health.score)}
      </div>
      <div class="score-words">
        <div class="bandname">
          <BandShape band={health.band} /> {kBandNames[health.band]}
          {health.class && health.class !== 'not_available' && health.class !== health.band && ` · ${health.class}`}
          {health.risk && health.risk !== 'unknown' && <span class="t3">risk {health.risk}</span>}
        </div>
        <div class="t2">{trendText(health)}</div>
        <div class="t2">{peersText(health)}</div>
      </div>
      {past && <ScoreLine items={items} from={Math.max(clock - kDays * 86_400, Math.min(born, clock - 3600))} to={clock} at={at} />}
    </div>
  );
}

function Foot({ health, past, at }: { health: GpuHealth; past: HealthHistory | null; at: string | null }) {
  return (
    <footer class="card-foot score-foot">
      <span class="t3">
        profile {health.profile}
        {meta.value && ` · version ${meta.value.version}`} · {health.scored_at ? `scored ${exact(health.scored_at)}` : 'not scored yet'} ·
        coverage {percent(health.coverage)}
      </span>
      <ScoreAt items={past?.items ?? []} at={at} />
    </footer>
  );
}

interface Props {
  health: GpuHealth;
  past: HealthHistory | null;
  at: string | null; // the moment that was asked for; null is now
}

/** Why this score: what each dimension took from 100, and which findings it stands on. */
export function ScoreCard({ health, past, at }: Props) {
  const rows = falls(health.dimensions);
  const start = axisStart(rows);
  const why = whySentence(health);
  const when = at === null ? now.value / 1000 : Date.parse(at) / 1000;
  const quiet = rows.reduce((n, r) => n + r.findings.length, 0) > 8;
  return (
    <Card
      title={health.score === null ? 'Why no score?' : `Why ${score(health.score)}?`}
      hint={at === null ? 'now' : <b data-testid="score-then">as it was {exact(at)}</b>}
      class="c7 why"
    >
      <div class="body">
        <Headline health={health} past={past} at={when} />
        {why && (
          <p class="summary">
            <b>{why.main}</b> <span class="t2">{why.more}</span>
          </p>
        )}
        {health.note && <p class="summary">{sentence(health.note)}.</p>}
        {rows.length > 0 && (
          <div class="wf">
            {rows.map((r) => (
              <DimensionRow key={r.dimension.name} row={r} start={start} quiet={quiet} />
            ))}
            <Axis start={start} health={health} />
          </div>
        )}
      </div>
      <Foot health={health} past={past} at={at} />
    </Card>
  );
}
