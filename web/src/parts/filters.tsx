// Filters of a list, which live in the address.
import { navigate, query, withQuery } from '../app/router';
import { Icon } from './icons';

const go = (changes: Record<string, string | null>) => navigate(withQuery(changes), 'replace');

/** Narrows the rows on screen as it is typed into; `?q=` keeps the words. */
export function SearchBox({ label, placeholder }: { label: string; placeholder: string }) {
  return (
    <span class="search list-search">
      <Icon name="find" />
      <input
        type="search"
        aria-label={label}
        placeholder={placeholder}
        value={query.value.get('q') ?? ''}
        onInput={(e) => go({ q: e.currentTarget.value })}
        onKeyDown={(e) => e.key === 'Escape' && go({ q: null })}
      />
    </span>
  );
}

/** A filter that came by a link: named, and taken away with a click together with what belongs to it. */
export function Chip({ name, also = [] }: { name: string; also?: string[] }) {
  const value = query.value.get(name);
  if (!value) return null;
  const none = Object.fromEntries([name, ...also].map((n) => [n, null]));
  return (
    <button type="button" class="btn chip" onClick={() => go(none)} aria-label={`Remove the filter ${name} ${value}`}>
      <span class="t3">{name}</span> {value} <span aria-hidden="true">×</span>
    </button>
  );
}
