import { withQuery } from '../app/router';

export interface Tab {
  name: string;
  text: string;
}

/** Parts of one page, each with an address of its own; the first is the page without ?tab. */
export function Tabs({ tabs, current, label }: { tabs: Tab[]; current: string; label: string }) {
  return (
    <nav class="page-tabs" aria-label={label}>
      {tabs.map((t, i) => (
        <a key={t.name} href={withQuery({ tab: i === 0 ? null : t.name })} aria-current={t.name === current ? 'page' : undefined}>
          {t.text}
        </a>
      ))}
    </nav>
  );
}
