import { now } from '../app/live';
import { kStaleAfterMs } from '../app/stream_state';
import { length } from '../lib/duration';
import { ago, exact } from '../lib/format';

/** The moment that a card's numbers describe, and a warning when that is long ago. */
export function AsOf({ at }: { at: string }) {
  const age = now.value - Date.parse(at);
  const text = `as of ${exact(at).slice(11)}`;
  if (age <= kStaleAfterMs) return <time dateTime={at}>{text}</time>;
  return (
    <time dateTime={at} class="t-watch" data-testid="stale">
      {text}, {length(age)} old
    </time>
  );
}

/** "6 min ago", exact for those who point at it. */
export function When({ at }: { at: string | null }) {
  return (
    <time dateTime={at ?? undefined} title={exact(at)}>
      {ago(at, now.value)}
    </time>
  );
}
