import { computed } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { storeKey } from '../api';
import { count } from '../lib/format';
import { Icon, type IconName, Mark } from '../parts/icons';
import { denied, live, summary } from './live';
import { navigate, path, query } from './router';
import { type Theme, theme } from './theme';

const kNav: { href: string; icon: IconName; text: string; long?: string }[] = [
  { href: '/', icon: 'grid', text: 'Overview' },
  { href: '/gpus', icon: 'list', text: 'GPUs' },
  { href: '/quarantine', icon: 'refused', text: 'Quarantine', long: 'Quarantine: refused values' },
  { href: '/about', icon: 'about', text: 'About' },
];

const isCurrent = (href: string) => (href === '/' ? path.value === '/' : path.value.startsWith(href));

function Nav({ label, kind }: { label: string; kind: 'rail' | 'tabs' }) {
  return (
    <nav class={kind} aria-label={label}>
      {kind === 'rail' && <Mark />}
      {kNav.map((n) => (
        <a key={n.href} href={n.href} title={n.long} aria-current={isCurrent(n.href) ? 'page' : undefined}>
          <Icon name={n.icon} />
          <span>{n.text}</span>
        </a>
      ))}
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

function KeyForm() {
  const input = useRef<HTMLInputElement>(null);
  const submit = (e: Event) => {
    e.preventDefault();
    storeKey(input.current?.value.trim() ?? '');
    location.reload();
  };
  return (
    <form class="note note-error" onSubmit={submit}>
      <label>
        This server asks for an API key. It is kept in this tab only.
        <input ref={input} class="field" type="password" autocomplete="off" placeholder="ghm_…" required />
      </label>
      <button type="submit" class="btn">
        Use key
      </button>
    </form>
  );
}

export function Shell({ children }: { children: ComponentChildren }) {
  const fleet = summary.value;
  return (
    <>
      <a class="skip" href="#main">
        Skip to the content
      </a>
      <Nav label="Main" kind="rail" />
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
          {denied.value && <KeyForm />}
          {children}
        </main>
      </div>
      <Nav label="Main, phone" kind="tabs" />
      <p class="vh" role="status">
        {liveWord.value}
      </p>
    </>
  );
}
