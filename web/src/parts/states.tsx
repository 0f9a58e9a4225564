import type { ComponentChildren } from 'preact';
import type { ApiError } from '../api';

/** What failed, in one sentence, and a way to try again; the rest of the page stays. */
export function ErrorNote({ error, retry }: { error: ApiError; retry?: () => void }) {
  return (
    <div class="note note-error" role="alert">
      <p>
        {error.message}
        {error.traceId && <span class="t3 mono"> trace {error.traceId}</span>}
      </p>
      {retry && (
        <button type="button" class="btn" onClick={retry}>
          Try again
        </button>
      )}
    </div>
  );
}

export function Empty({ children }: { children: ComponentChildren }) {
  return <p class="note t2">{children}</p>;
}

/** Holds the place of what is coming; shows itself only when that takes longer than a blink (CSS). */
export function Skeleton({ rows }: { rows: number }) {
  return (
    <div class="skeleton" role="status" aria-label="Loading">
      {Array.from({ length: rows }, (_, i) => (
        <i key={i} />
      ))}
    </div>
  );
}

/** A table that may be wider or longer than its place; the keyboard can scroll it. */
export function Scroll({ label, tall, children }: { label: string; tall?: boolean; children: ComponentChildren }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: without the focus, arrow keys could not scroll it
    <section class={`scroll ${tall ? 'tall' : ''}`} aria-label={label} tabIndex={0}>
      {children}
    </section>
  );
}

export function Card(props: {
  title: string;
  hint?: ComponentChildren;
  tools?: ComponentChildren;
  class?: string;
  children: ComponentChildren;
}) {
  return (
    <section class={`card ${props.class ?? ''}`} aria-label={props.title}>
      <header>
        <h2>{props.title}</h2>
        {props.hint && <span class="hint t3">{props.hint}</span>}
        {props.tools && <div class="tools">{props.tools}</div>}
      </header>
      {props.children}
    </section>
  );
}
