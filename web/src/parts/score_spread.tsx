import type { FleetSummary } from '../api';
import { count, number, percent, title } from '../lib/format';
import { Card } from './states';

// Classes are finer than bands; their colour is the band that they lie in.
const kClasses = [
  ['excellent', 'healthy', '90–100'],
  ['good', 'healthy', '80–89'],
  ['fair', 'watch', '70–79'],
  ['degraded', 'degraded', '60–69'],
  ['poor', 'degraded', '50–59'],
  ['critical', 'critical', '40–49'],
  ['failed', 'critical', '0–39'],
  ['not_available', 'no_data', ''],
] as const;

/** How many boards are in each class: one bar for the shares, one row per class for the counts. */
export function ScoreSpread({ fleet }: { fleet: FleetSummary }) {
  const total = Object.values(fleet.classes).reduce((a, b) => a + b, 0);
  const words = kClasses.map(([name]) => `${title(name)} ${fleet.classes[name] ?? 0}`).join(', ');
  return (
    <Card title="Classes" hint={`${count(total, 'GPU')} in service, by health score`} class="c8">
      <div class="body">
        <div class="stack" role="img" aria-label={words}>
          {kClasses.map(([name, band]) => {
            const n = fleet.classes[name] ?? 0;
            return n > 0 && <i key={name} class={`f-${band} class-${name}`} style={{ flexGrow: n }} />;
          })}
        </div>
        <ul class="classes">
          {kClasses.map(([name, band, range]) => {
            const n = fleet.classes[name] ?? 0;
            return (
              <li key={name} class={n === 0 ? 't3' : ''}>
                <i class={`swatch f-${band} class-${name}`} />
                <span>
                  {name === 'not_available' ? 'No score' : title(name)} <span class="t3">{range}</span>
                </span>
                <b>{number(n)}</b>
                <span class="t3">{total > 0 ? percent(n / total) : ''}</span>
              </li>
            );
          })}
        </ul>
      </div>
    </Card>
  );
}
