import { type ComponentChildren, type ComponentType, render } from 'preact';
import { useEffect } from 'preact/hooks';
import { watchIncidents } from './app/incidents';
import { lazyPage } from './app/lazy';
import { goLive } from './app/live';
import { loadMeta } from './app/meta';
import { kPages } from './app/pages';
import { path, startRouter } from './app/router';
import { Shell } from './app/shell';
import { startTheme } from './app/theme';
import { decoded } from './lib/places';
import { Overview } from './pages/overview';
import './style/tokens.css';
import './style/base.css';
import './style/shell.css';
import './style/parts.css';
import './style/map.css';
import './style/pages.css';
import './style/gpu.css';
import './style/ledger.css';
import './style/incidents.css';

const GpuList = lazyPage(async () => (await import('./pages/gpu_list')).GpuList);
const GpuPage = lazyPage(async () => (await import('./pages/gpu')).GpuPage);
const Incidents = lazyPage(async () => (await import('./pages/incidents')).Incidents);
const IncidentPage = lazyPage(async () => (await import('./pages/incident')).IncidentPage);
const Cases = lazyPage(async () => (await import('./pages/cases')).Cases);
const NewCase = lazyPage(async () => (await import('./pages/case_new')).NewCase);
const CasePage = lazyPage(async () => (await import('./pages/case')).CasePage);
const WhyPage = lazyPage(async () => (await import('./pages/why')).WhyPage);
const SitePage = lazyPage(async () => (await import('./pages/site')).SitePage);
const RackPage = lazyPage(async () => (await import('./pages/place')).RackPage);
const HostPage = lazyPage(async () => (await import('./pages/place')).HostPage);
const Events = lazyPage(async () => (await import('./pages/events')).Events);
const Trust = lazyPage(async () => (await import('./pages/trust')).Trust);
const Assets = lazyPage(async () => (await import('./pages/assets')).Assets);
const Maintenance = lazyPage(async () => (await import('./pages/maintenance')).MaintenancePage);
const More = lazyPage(async () => (await import('./pages/more')).More);
const Quarantine = lazyPage(async () => (await import('./pages/quarantine')).Quarantine);
const About = lazyPage(async () => (await import('./pages/about')).About);

function NotFound() {
  return (
    <div class="story">
      <h1>There is no such page</h1>
      <p>
        Nothing lives at this address.{' '}
        <a class="link" href="/">
          Go to the overview
        </a>
      </p>
    </div>
  );
}

// Things whose names are only numbers.
const kTitled: Record<string, string> = { incidents: 'Incident', cases: 'Case' };

function titleOf(at: string): string {
  const [, first, second] = at.split('/');
  if (at === '/cases/new') return 'Open a case';
  const kind = kTitled[first ?? ''];
  if (second) return kind ? `${kind} ${decoded(second)}` : decoded(second);
  return kPages.find((p) => p.href === `/${first}`)?.text ?? (first === 'more' ? 'More' : 'Not found');
}

const kNamed: Record<string, ComponentType> = {
  '/': Overview,
  '/gpus': GpuList,
  '/incidents': Incidents,
  '/cases': Cases,
  '/cases/new': NewCase,
  '/why': WhyPage,
  '/events': Events,
  '/trust': Trust,
  '/assets': Assets,
  '/maintenance': Maintenance,
  '/quarantine': Quarantine,
  '/about': About,
  '/more': More,
};

// Pages of one thing, by the first part of the path.
const kOne: Record<string, (name: string) => ComponentChildren> = {
  gpus: (id) => <GpuPage key={id} id={id} />,
  incidents: (id) => <IncidentPage key={id} id={id} />,
  cases: (id) => <CasePage key={id} id={id} />,
  sites: (name) => <SitePage key={name} name={name} />,
  racks: (name) => <RackPage key={name} name={name} />,
  hosts: (name) => <HostPage key={name} name={name} />,
};

function Page() {
  const at = path.value;
  useEffect(() => {
    document.title = `${titleOf(at)} · GPU Health Monitor`;
  }, [at]);
  const [, first = '', second, ...rest] = at.split('/');
  const Named = kNamed[at];
  if (Named) return <Named />;
  const one = kOne[first];
  if (one && second && rest.length === 0) return <>{one(decoded(second))}</>;
  return <NotFound />;
}

startTheme();
startRouter();
goLive();
loadMeta();
watchIncidents();
render(
  <Shell>
    <Page />
  </Shell>,
  document.getElementById('app')!,
);
