import type { ScorePoint } from '../api';
import { day, exact, score, span } from '../lib/format';
import { type Frame, scoreSpan, stepPath, xOf, yOf } from '../lib/score_line';

const kWidth = 220;
const kHeight = 46;

interface Props {
  items: ScorePoint[];
  from: number; // Unix seconds
  to: number;
  at: number; // the moment that the card shows
}

/** A score since `from`, in steps; the dot is the moment on show. Drawn at its real size, so that its text is text. */
export function ScoreLine({ items, from, to, at }: Props) {
  const [low, high] = scoreSpan(items);
  const frame: Frame = { from, to, low, high, width: kWidth, height: kHeight };
  const before = items.findLast((i) => Date.parse(i.at) / 1000 <= at && i.score !== null);
  const first = items[0];
  const words = first
    ? `Score since ${day(first.at)}: from ${score(first.score)} to ${score(items.at(-1)!.score)}, between ${low} and ${high}`
    : 'No score is kept yet';
  return (
    <svg class="score-line" width={kWidth} height={kHeight + 16} role="img" aria-label={words}>
      <title>{first ? `Known since ${exact(first.at)}` : words}</title>
      <line x1="0" x2={kWidth} y1={kHeight} y2={kHeight} class="axis-line" />
      <line x1="0" x2={kWidth} y1="0.5" y2="0.5" class="axis-line" />
      <path d={stepPath(items, frame)} class="series-line" />
      {before && <circle cx={xOf(frame, at)} cy={yOf(frame, before.score!)} r="3.5" class="series-dot" />}
      <text x="0" y={kHeight + 12}>
        {span(to - from)} ago
      </text>
      <text x={kWidth} y={kHeight + 12} text-anchor="end">
        now
      </text>
      <text x={kWidth} y={kHeight - 3} text-anchor="end">
        {low}
      </text>
    </svg>
  );
}
