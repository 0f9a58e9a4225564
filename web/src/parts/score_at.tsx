import { useState } from 'preact/hooks';
import type { ScorePoint } from '../api';
import { now } from '../app/live';
import { navigate, withQuery } from '../app/router';
import { shortTime } from '../lib/format';
import { momentText } from '../lib/ranges';
import { neighbourPoint } from '../lib/score_line';

const kStep = 60; // seconds

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
  const clock = Math.floor(now.value / 1000);
  if (first === null || clock - first < kStep) return null;
  // Whole steps from the first, so that "now" is the slider's end.
  const end = first + Math.ceil((clock - first) / kStep) * kStep;
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
          step={kStep}
          value={shown}
          aria-valuetext={words}
          onInput={(e) => setHeld(Number(e.currentTarget.value))}
          onChange={(e) => {
            const to = Number(e.currentTarget.value);
            setHeld(null);
            go(to >= clock - kStep ? null : to);
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
