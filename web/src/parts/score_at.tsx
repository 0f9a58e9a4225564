import { useState } from 'preact/hooks';
import type { ScorePoint } from '../api';
import { now } from '../app/live';
import { navigate, withQuery } from '../app/router';
import { shortTime } from '../lib/format';
import { momentText } from '../lib/ranges';
import { neighbourPoint } from '../lib/score_line';

const go = (seconds: number | null) => navigate(withQuery({ at: seconds === null ? null : momentText(seconds) }));

function StepTo({ text, label, to }: { text: string; label: string; to: number | null }) {
  return (
    <button
      type="button"
      class="btn small"
      aria-label={label}
      title={label}
      aria-disabled={to === null}
      onClick={() => to !== null && go(to)}
    >
      {text}
    </button>
  );
}

/** "Score at time T": a slider over all that is known, and steps from change to change. */
export function ScoreAt({ items, at }: { items: ScorePoint[]; at: string | null }) {
  const [held, setHeld] = useState<number | null>(null);
  const first = items[0] ? Math.floor(Date.parse(items[0].at) / 1000) : null;
  const end = Math.floor(now.value / 1000);
  if (first === null || end - first < 60) return null;
  const shown = held ?? (at === null ? end : Date.parse(at) / 1000);
  const words = held === null && at === null ? 'now' : shortTime(momentText(shown));
  return (
    <div class="score-at">
      <label>
        <span class="t2">Score at</span>
        <input
          type="range"
          min={first}
          max={end}
          step={60}
          value={shown}
          aria-valuetext={words}
          onInput={(e) => setHeld(Number(e.currentTarget.value))}
          onChange={(e) => {
            const to = Number(e.currentTarget.value);
            setHeld(null);
            go(to >= end - 60 ? null : to);
          }}
        />
        <span class="score-at-words">{words}</span>
      </label>
      <StepTo text="‹" label="The change before" to={neighbourPoint(items, shown, -1)} />
      <StepTo text="›" label="The change after" to={neighbourPoint(items, shown, 1)} />
      {at !== null && (
        <button type="button" class="btn small" onClick={() => go(null)}>
          Now
        </button>
      )}
    </div>
  );
}
