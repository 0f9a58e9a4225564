import { computed } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { count } from '../lib/format';
import { Icon, type IconName, Mark } from '../parts/icons';
import { KeyForm } from '../parts/key_form';
import { openCount } from './incidents';
import { denied, live, summary } from './live';
import { kPages, type PageEntry } from './pages';
import { navigate, path, query } from './router';
import { type Theme, theme } from './theme';

// The places that GPUs stand in belong to their list.
const kPlaces = /^\/(sites|racks|hosts)\//;

function isCurrent(href: string): boolean {
  if (href === '/gpus' && kPlaces.test(path.value)) return true;
  return href === '/' ? path.value === '/' : path.value === href || path.value.startsWith(`${href}/`);
}

function NavLink({ page, current }: { page: Pick<PageEntry, 'href' | 'icon' | 'text' | 'about'>; current: boolean }) {
  return (
    <a href={page.href} title={page.about} aria-current={current ? 'page' : undefined}>
      <Icon name={page.icon} />
      <span>{page.text}</span>
      {page.href === '/incidents' && openCount.value && (
        <b class="nav-count" data-testid="open-incidents">
          {openCount.value}
          <span class="vh"> open</span>
        </b>
      )}
    </a>
  );
}

function Rail() {
  return (
    <nav class="rail" aria-label="Main">
      <Mark />
      {kPages.map((p) => (
        <NavLink key={p.href} page={p} current={isCurrent(p.href)} />
      ))}
    </nav>
  );
}

const kMore = { href: '/more', icon: 'more', text: 'More', about: 'Why, events, trust, assets, maintenance, quarantine, about' } as const;

function PhoneTabs() {
  const behindMore = path.value === kMore.href || kPages.some((p) => !p.phone && isCurrent(p.href));
  return (
    <nav class="tabs" aria-label="Main, phone">
      {kPages
        .filter((p) => p.phone)
        .map((p) => (
          <NavLink key={p.href} page={p} current={isCurrent(p.href)} />
        ))}
      <NavLink page={kMore} current={behindMore} />
    </nav>
  );
}

function Search() {
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => {
    const slash = (e: KeyboardEvent) => {
      if (e.key !== '/' || e.ctrlKey || e.metaKey || e.altKey || (e.target as Element).closest('input,select,textarea')) return;
      e.preventDefault();
      input.current?.focus();
      input.current?.select();
    };
    addEventListener('keydown', slash);
    return () => removeEventListener('keydown', slash);
  }, []);
  const submit = (e: Event) => {
    e.preventDefault();
    const text = input.current?.value.trim() ?? '';
    navigate(text ? `/gpus?q=${encodeURIComponent(text)}` : '/gpus');
  };
  const shown = path.value === '/gpus' ? (query.value.get('q') ?? '') : '';
  return (
    <search>
      <form onSubmit={submit} class="search">
        <Icon name="find" />
        <input
          ref={input}
          type="search"
          aria-label="Search a GPU by serial, UUID, host or rack"
          placeholder="Serial, UUID, host, rack"
          value={shown}
          onKeyDown={(e) => e.key === 'Escape' && e.currentTarget.blur()}
        />
        <kbd title="The / key comes here">/</kbd>
      </form>
    </search>
  );
}

function LiveState() {
  const { tone, text } = live.value;
  const [word, rest] = text.split(' · ');
  return (
    <span class={`live live-${tone}`} data-testid="live" title="Age of the newest data">
      <i />
      <span>
        {word}
        {rest && <span class="wide"> · {rest}</span>}
      </span>
    </span>
  );
}

// Says it once when the state changes, not with every second.
const liveWord = computed(() => live.value.text.split(' · ')[0]);

const kThemes: { name: Theme; icon: IconName; text: string }[] = [
  { name: 'auto', icon: 'auto', text: 'Theme of the system' },
  { name: 'light', icon: 'sun', text: 'Light theme' },
  { name: 'dark', icon: 'moon', text: 'Dark theme' },
];

function ThemeSwitch() {
  return (
    <span class="seg">
      {kThemes.map((t) => (
        <button
          type="button"
          key={t.name}
          aria-label={t.text}
          title={t.text}
          aria-pressed={theme.value === t.name}
          onClick={() => {
            theme.value = t.name;
          }}
        >
          <Icon name={t.icon} />
        </button>
      ))}
    </span>
  );
}

function Banner() {
  if (!summary.value?.simulated) return null;
  return (
    <section class="banner" aria-label="Kind of data" data-testid="simulated">
      <b>Simulated data.</b> These GPUs are made up by this program; no real hardware is shown.
    </section>
  );
}

function AskForKey() {
  return (
    <div class="note note-error">
      <KeyForm label="This server asks for an API key. It is kept in this tab only." />
    </div>
  );
}

export function Shell({ children }: { children: ComponentChildren }) {
  const fleet = summary.value;
  return (
    <>
      <a class="skip" href="#main">
        Skip to the content
      </a>
      <Rail />
      <div class="column">
        <header class="top">
          <a class="brand" href="/">
            GPU Health Monitor
          </a>
          <span class="scope t2">{fleet && `${count(fleet.total_gpus, 'GPU')} · ${count(fleet.hosts, 'host')}`}</span>
          <Search />
          <span class="grow" />
          <LiveState />
          <ThemeSwitch />
        </header>
        <Banner />
        <main id="main" tabIndex={-1}>
          {denied.value && <AskForKey />}
          {children}
        </main>
      </div>
      <PhoneTabs />
      <p class="vh" role="status">
        {liveWord.value}
      </p>
    </>
  );
}
