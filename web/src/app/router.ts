// Pages by path: the server gives index.html for every path that is not its own.
import { computed, signal } from '@preact/signals';

const href = signal(location.pathname + location.search);

export const path = computed(() => href.value.split('?')[0] ?? '/');
export const query = computed(() => new URLSearchParams(href.value.split('?')[1] ?? ''));

export function navigate(to: string, how: 'push' | 'replace' = 'push'): void {
  const before = path.peek();
  history[how === 'push' ? 'pushState' : 'replaceState'](null, '', to);
  href.value = location.pathname + location.search;
  if (path.peek() !== before) scrollTo(0, 0);
}

/** The same page with other parameters; null takes one away. */
export function withQuery(changes: Record<string, string | null>): string {
  const next = new URLSearchParams(query.value);
  for (const [name, value] of Object.entries(changes)) {
    if (value === null || value === '') next.delete(name);
    else next.set(name, value);
  }
  const text = next.toString();
  return path.value + (text && `?${text}`);
}

// These are the server's own pages.
const kNotOurs = /^\/(api|docs|metrics|healthz|readyz)(\/|$)/;

function ours(event: MouseEvent): HTMLAnchorElement | null {
  if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return null;
  const link = (event.target as Element | null)?.closest?.('a');
  if (!link?.href || link.target || link.hasAttribute('download') || link.origin !== location.origin) return null;
  if (link.getAttribute('href')?.startsWith('#')) return null;
  return kNotOurs.test(link.pathname) ? null : link;
}

export function startRouter(): void {
  addEventListener('popstate', () => {
    href.value = location.pathname + location.search;
  });
  document.addEventListener('click', (event) => {
    const link = ours(event);
    if (!link) return;
    event.preventDefault();
    navigate(link.pathname + link.search);
  });
}
