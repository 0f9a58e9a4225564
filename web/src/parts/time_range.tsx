import { now } from '../app/live';
import { navigate, withQuery } from '../app/router';
import { shortTime } from '../lib/format';
import { type Change, kPresets, presetQuery, type Range, shifted, zoomed } from '../lib/ranges';

const go = (change: Change, at?: null) => navigate(withQuery(at === undefined ? { ...change } : { ...change, at }));

/** "9 Feb 12:00 to 13:00 UTC", for a window that is no preset. */
export function rangeWords(range: Range): string {
  const [from, to] = [range.from, range.to].map((s) => shortTime(new Date(s * 1000).toISOString()));
  return `${from} to ${from?.slice(0, -6) === to?.slice(0, -6) ? to?.slice(-5) : to} UTC`;
}

function Step({ text, label, change }: { text: string; label: string; change: () => Change }) {
  return (
    <button type="button" aria-label={label} title={label} onClick={() => go(change())}>
      {text}
    </button>
  );
}

/** Presets, and buttons for all that a drag does. The window is in the address. */
export function TimeRange({ range, at }: { range: Range; at: number | null }) {
  const clock = () => now.peek() / 1000;
  return (
    <div class="range">
      <fieldset class="seg" aria-label="Length of the window">
        {kPresets.map((p) => (
          <button type="button" key={p.name} aria-pressed={p.name === range.preset} onClick={() => go(presetQuery(p.name), null)}>
            {p.text}
          </button>
        ))}
      </fieldset>
      <fieldset class="seg" aria-label="Move the window">
        <Step text="‹" label="Earlier" change={() => shifted(range, -0.5, clock())} />
        <Step text="›" label="Later" change={() => shifted(range, 0.5, clock())} />
        <Step text="−" label="Longer" change={() => zoomed(range, 2, clock(), at)} />
        <Step text="+" label="Closer" change={() => zoomed(range, 0.5, clock(), at)} />
      </fieldset>
    </div>
  );
}
