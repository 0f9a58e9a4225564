import type { ComponentChildren } from 'preact';
import type { FleetSummary } from '../api';
import { count, kNotAvailable, number, percent, score } from '../lib/format';
import { BandShape } from './icons';

interface Figure {
  id: string;
  label: string;
  href: string;
  value: ComponentChildren;
  unit?: string;
  tone?: string;
  fact: string;
}

function refusedShare(fleet: FleetSummary): string {
  const { accepted_values: taken, refused_values: refused } = fleet.ingest;
  if (taken + refused === 0) return 'nothing read yet';
  const share = refused / (taken + refused);
  const text = share > 0 && share < 0.0001 ? '< 0.01 %' : `${number(share * 100, share > 0 && share < 0.01 ? 2 : 0)} %`;
  return `${text} of ${number(taken + refused)} values`;
}

function figuresOf(fleet: FleetSummary): Figure[] {
  const silent = fleet.total_gpus - fleet.reporting_gpus;
  return [
    {
      id: 'need_action',
      label: 'Need action',
      href: '/gpus?sort=urgency',
      value: (
        <>
          {fleet.need_action > 0 && <BandShape band="critical" />}
          {number(fleet.need_action)}
        </>
      ),
      tone: fleet.need_action > 0 ? 't-critical' : undefined,
      fact: `${number(fleet.bands.degraded)} degraded · ${number(fleet.bands.watch)} to watch`,
    },
    {
      id: 'index',
      label: 'Fleet index',
      href: '/gpus?sort=score',
      value: number(fleet.index, 1),
      unit: '/ 100',
      fact: fleet.median === null ? 'no score yet' : `median ${score(fleet.median)} · worst 5 % ≤ ${score(fleet.worst5)}`,
    },
    {
      id: 'total_gpus',
      label: 'GPUs in service',
      href: '/gpus',
      value: number(fleet.total_gpus),
      fact: silent > 0 ? `${number(fleet.reporting_gpus)} reporting · ${number(silent)} silent` : 'all reporting',
    },
    {
      id: 'hosts',
      label: 'Hosts',
      href: fleet.silent_hosts > 0 ? '/gpus?silent=true' : '/gpus?sort=host',
      value: number(fleet.hosts),
      fact: fleet.silent_hosts > 0 ? `${count(fleet.silent_hosts, 'host')} silent` : 'all answer',
      tone: undefined,
    },
    {
      id: 'coverage',
      label: 'Coverage',
      href: '/trust',
      value: fleet.coverage === null ? kNotAvailable : percent(fleet.coverage),
      fact: 'of the facts that scores need',
    },
    {
      id: 'refused_values',
      label: 'Refused values',
      href: '/quarantine',
      value: number(fleet.ingest.refused_values),
      fact: refusedShare(fleet),
    },
  ];
}

export function KeyFigures({ fleet }: { fleet: FleetSummary }) {
  return (
    <section class="kpis" aria-label="Key figures">
      {figuresOf(fleet).map((f) => (
        <a class="kpi" href={f.href} key={f.id}>
          <span class="l">{f.label}</span>
          <span class={`v ${f.tone ?? ''}`} data-testid={`figure-${f.id}`}>
            {f.value}
            {f.unit && <small>{f.unit}</small>}
          </span>
          <span class="n">{f.fact}</span>
        </a>
      ))}
    </section>
  );
}
