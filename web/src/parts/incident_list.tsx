import type { Incident, Severity } from '../api';
import { now } from '../app/live';
import { exact, sentence } from '../lib/format';
import { causeWords, kSeverityBands, openFor, reach, sureness } from '../lib/incidents';
import { incidentHref } from '../lib/places';
import { BandShape } from './icons';

/** How bad, by shape; the word stands beside it wherever there is room. */
export function SeverityShape({ severity }: { severity: Severity }) {
  const band = kSeverityBands[severity];
  if (band) return <BandShape band={band} />;
  return (
    <svg class="shape t3" viewBox="0 0 12 12" aria-hidden="true">
      <circle cx="6" cy="6" r="4.4" fill="none" stroke="currentColor" stroke-width="1.6" />
    </svg>
  );
}

export function SeverityWord({ severity }: { severity: Severity }) {
  const band = kSeverityBands[severity];
  return <b class={`severity ${band ? `t-${band}` : 't3'}`}>{severity}</b>;
}

function Row({ incident, href }: { incident: Incident; href: string }) {
  const sure = sureness(incident);
  return (
    <li>
      <a href={href} title={`${incident.place}, since ${exact(incident.opened_at)}`}>
        <SeverityShape severity={incident.severity} />
        <span class="who">
          <span class="id">{causeWords(incident)}</span>
          <span class="why">
            <SeverityWord severity={incident.severity} /> · {sentence(incident.place)}
            {incident.gpus > 1 && ` and more: ${reach(incident)}`}
          </span>
          <span class="why next-step">
            <b>Next</b> {incident.action_says}
          </span>
        </span>
        <span class="il-end">
          {sure && (
            <span class="sure" title="How likely this cause is">
              {sure}
            </span>
          )}
          <span class="t3">{openFor(incident, now.value)}</span>
        </span>
      </a>
    </li>
  );
}

interface Props {
  incidents: Incident[];
  testid?: string;
  hrefOf?: (i: Incident) => string | null; // where a row leads instead
}

/** Incidents where there is little room: each a link to its page. */
export function IncidentList({ incidents, testid, hrefOf }: Props) {
  return (
    <ul class="wl il" data-testid={testid}>
      {incidents.map((i) => (
        <Row incident={i} href={hrefOf?.(i) ?? incidentHref(i.id)} key={i.id} />
      ))}
    </ul>
  );
}
