import { render } from 'preact';
import { useEffect } from 'preact/hooks';
import { lazyPage } from './app/lazy';
import { goLive } from './app/live';
import { loadMeta } from './app/meta';
import { path, startRouter } from './app/router';
import { Shell } from './app/shell';
import { startTheme } from './app/theme';
import { Overview } from './pages/overview';
import './style/tokens.css';
import './style/base.css';
import './style/shell.css';
import './style/parts.css';
import './style/map.css';
import './style/pages.css';
import './style/gpu.css';

const GpuList = lazyPage(async () => (await import('./pages/gpu_list')).GpuList);
const GpuPage = lazyPage(async () => (await import('./pages/gpu')).GpuPage);
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

function titleOf(at: string): string {
  const [, first, second] = at.split('/');
  if (first === 'gpus' && second) return decodeURIComponent(second);
  return { '': 'Overview', gpus: 'GPUs', quarantine: 'Quarantine', about: 'About' }[first ?? ''] ?? 'Not found';
}

function Page() {
  const at = path.value;
  useEffect(() => {
    document.title = `${titleOf(at)} · GPU Health Monitor`;
  }, [at]);
  if (at === '/') return <Overview />;
  if (at === '/gpus') return <GpuList />;
  if (at.startsWith('/gpus/')) {
    const id = decodeURIComponent(at.slice('/gpus/'.length));
    return <GpuPage key={id} id={id} />;
  }
  if (at === '/quarantine') return <Quarantine />;
  if (at === '/about') return <About />;
  return <NotFound />;
}

startTheme();
startRouter();
goLive();
loadMeta();
render(
  <Shell>
    <Page />
  </Shell>,
  document.getElementById('app')!,
);
