import { query, withQuery } from '../app/router';

/** First, back and next of a list whose place is the cursor in the address. */
export function Pager({ next, size }: { next: string | null; size: number }) {
  const later = query.value.has('cursor');
  if (!next && !later) return null;
  return (
    <div class="pager">
      {later && (
        <a class="btn" href={withQuery({ cursor: null })}>
          First page
        </a>
      )}
      {later && (
        <button type="button" class="btn" onClick={() => history.back()}>
          Back
        </button>
      )}
      {next && (
        <a class="btn" href={withQuery({ cursor: next })} data-testid="next-page">
          Next {size}
        </a>
      )}
    </div>
  );
}
