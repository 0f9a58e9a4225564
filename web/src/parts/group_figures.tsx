import type { Group, Moved } from '../api';
import { now } from '../app/live';
import { ago, count, kDash, number, score, sentence } from '../lib/format';
import { gpuHref } from '../lib/places';

function Board({ board, value }: { board: Moved; value: string }) {
  return (
    <a class="kpi" href={gpuHref(board.id)}>
      <span class="l">{value.startsWith('−') ? 'Fell most in 7 days' : 'Lowest'}</span>
      <span class="v">{value}</span>
      <span class="n">
        {board.name}
        {board.since && `, since ${ago(board.since, now.value)}`}
      </span>
      {board.top_finding && <span class="n wrapped">{sentence(board.top_finding)}</span>}
    </a>
  );
}

function Fact({ label, value, fact }: { label: string; value: string; fact: string }) {
  return (
    <div class="kpi plain-kpi">
      <span class="l">{label}</span>
      <span class="v">{value}</span>
      <span class="n">{fact}</span>
    </div>
  );
}

/** A group's score, who holds it down, and who moved it. */
export function GroupFigures({ group, fleet }: { group: Group; fleet: number | null }) {
  const { index, gpus, scored, silent, below_70: below, lowest, moved_by: moved } = group;
  return (
    <section class="kpis of-place" aria-label="Key figures">
      <Fact label="Index" value={number(index, 1)} fact={fleet === null ? `${number(scored)} scored` : `fleet ${number(fleet, 1)}`} />
      {lowest ? <Board board={lowest} value={score(lowest.score)} /> : <Fact label="Lowest" value={kDash} fact="no score yet" />}
      {moved?.trend_7d ? (
        <Board board={moved} value={number(moved.trend_7d, 1)} />
      ) : (
        <Fact label="Fell most in 7 days" value={kDash} fact="nobody fell, or it is not known for 7 days" />
      )}
      <Fact label="Below 70" value={number(below)} fact={`of ${count(gpus, 'GPU')}`} />
      <Fact label="Silent" value={number(silent)} fact={silent === 0 ? 'all report' : 'their last values are shown'} />
    </section>
  );
}
