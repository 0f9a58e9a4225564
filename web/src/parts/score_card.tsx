import type { Dimension, Finding, GpuHealth } from '../api';
import { now } from '../app/live';
import { ago, exact, kDash, number, percent, score, sentence, title } from '../lib/format';
import { lossScale, overallLoss } from '../lib/urgency';
import { kBandNames } from './bands';
import { BandShape, Icon } from './icons';
import { Card } from './states';

function FindingRow({ finding, dimension }: { finding: Finding; dimension: Dimension }) {
  const loss = overallLoss(finding.lost, dimension);
  return (
    <li class={finding.critical ? 'is-critical' : ''}>
      <span>
        {finding.critical && <BandShape band="critical" />} {sentence(finding.text)}
      </span>
      <span class="t3" title={`${number(finding.lost, 1)} points of ${dimension.name}; rule ${finding.rule}; ${exact(finding.at)}`}>
        {loss === null ? kDash : number(-loss, 1)}
      </span>
    </li>
  );
}

function DimensionRow({ d, scale }: { d: Dimension; scale: number }) {
  const lost = d.lost ?? 0;
  const summary = (
    <>
      <span class="dn">
        <Icon name="chevron" />
        {title(d.name)}
      </span>
      <span class={`ds t-${d.band}`}>{score(d.score)}</span>
      <span class="track">{lost > 0 && <i class={`f-${d.band}`} style={{ width: `${Math.min(100, (lost / scale) * 100)}%` }} />}</span>
      <span class="lost">{d.lost === null ? kDash : number(-lost, 1)}</span>
    </>
  );
  if (d.score === null && d.findings.length === 0)
    return (
      <div class="dim off">
        <span class="dn">
          <Icon name="chevron" />
          {title(d.name)}
        </span>
        <span class="t3 why-not">{sentence(d.note ?? 'not available')}</span>
      </div>
    );
  return (
    <details open={d.findings.length > 0}>
      <summary class="dim" title={`Weight ${percent(d.weight)}, coverage ${percent(d.coverage)}`}>
        {summary}
      </summary>
      <ul class="why-list">
        {d.note && <li class="t2">{sentence(d.note)}</li>}
        {d.findings.length === 0 && (
          <li>
            <span>No finding. Coverage {percent(d.coverage)}.</span>
          </li>
        )}
        {d.findings.map((f) => (
          <FindingRow key={f.rule} finding={f} dimension={d} />
        ))}
      </ul>
    </details>
  );
}

function peersText(health: GpuHealth): string {
  if (health.peers_median === null) return 'no scored peers of this model';
  return `median of its model: ${number(health.peers_median, 1)}`;
}

/** Why this score: what each dimension took from 100, and which findings it stands on. */
export function ScoreCard({ health }: { health: GpuHealth }) {
  const scale = lossScale(health.dimensions);
  const hint = health.scored_at
    ? `scored ${ago(health.scored_at, now.value)} · profile ${health.profile} · coverage ${percent(health.coverage)}`
    : `profile ${health.profile}`;
  return (
    <Card title={health.score === null ? 'Why no score?' : `Why ${score(health.score)}?`} hint={hint} class="c7">
      <div class="body">
        <div class="score">
          <div class={`big t-${health.band}`} data-testid="score">
            {score(health.score)}
          </div>
          <div>
            <div class="bandname">
              <BandShape band={health.band} /> {kBandNames[health.band]}
              {health.class && health.class !== 'not_available' && health.class !== health.band && ` · ${health.class}`}
            </div>
            <div class="t2">{peersText(health)}</div>
            {health.risk && <div class="t3">risk {health.risk}</div>}
          </div>
        </div>
        {health.note && <p class="summary">{sentence(health.note)}.</p>}
        {health.dimensions.length > 0 && (
          <div class="wf">
            <div class="dim axis" aria-hidden="true">
              <span>Dimension</span>
              <span class="ds">Score</span>
              <span class="ends">
                <span>0</span>
                <span>points lost of 100</span>
                <span>{scale}</span>
              </span>
              <span class="lost" />
            </div>
            {health.dimensions.map((d) => (
              <DimensionRow key={d.name} d={d} scale={scale} />
            ))}
          </div>
        )}
      </div>
    </Card>
  );
}
