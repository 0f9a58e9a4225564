// Kinds of events in words.
import type { GpuEvent, Xid } from '../api';
import { kDash, sentence, title } from './format';

/** Those that the ledger tells, in the order of a filter; the server may tell others. */
export const kEventKinds = [
  'gpu_missing',
  'gpu_returned',
  'gpu_appeared',
  'gpu_moved',
  'gpu_replaced',
  'gpu_retired',
  'source_silent',
  'source_returned',
  'identity_conflict',
  'driver_change',
  'vbios_change',
  'maintenance',
];

const kUpper: Record<string, string> = { gpu: 'GPU', vbios: 'VBIOS', xid: 'Xid', sxid: 'SXid', ecc: 'ECC', nvlink: 'NVLink', pcie: 'PCIe' };

/** "gpu_moved" -> "GPU moved"; an event without a kind is other news. */
export function kindName(kind: string | null): string {
  if (!kind) return 'Other';
  return kindWords(kind);
}

/** What a filter offers: the known kinds, those on the page, and the one that is chosen. */
export function kindChoices(events: GpuEvent[], chosen: string): string[] {
  const seen = events.map((e) => e.kind).filter((k) => k !== null);
  return [...new Set([...kEventKinds, ...seen.sort(), ...(chosen ? [chosen] : [])])];
}

/** What an event says, as a sentence; one that begins with a host's name keeps that as it is. */
export function eventText(event: Pick<GpuEvent, 'detail' | 'host' | 'gpu'>): string {
  if (!event.detail) return kDash;
  // Where there is a GPU it is named beside the words already.
  const own = event.gpu && `board ${event.gpu}: `;
  if (own && event.detail.startsWith(own)) return sentence(event.detail.slice(own.length));
  return event.host && event.detail.startsWith(event.host) ? event.detail : sentence(event.detail);
}

export interface Meaning {
  meaning: string;
  action: string | null; // the first safe step; null when nothing is to be done
}

// What the kinds of the ledger mean to whoever is on call.
const kMeanings: Record<string, [meaning: string, action: string | null]> = {
  gpu_missing: ['The host answers, but this GPU is no longer on its page', 'Look for Xid 79 and the PCIe link, then reseat or reset'],
  gpu_returned: ['It is on its host’s page again', null],
  gpu_appeared: ['First time on record', null],
  gpu_moved: ['It now reports from another host or slot', null],
  gpu_replaced: ['Another board is in this slot', null],
  gpu_retired: ['The inventory took it out of service', null],
  source_silent: [
    'The exporter or the host does not answer; what is shown is the last that was known',
    'Check the host, then its exporter',
  ],
  source_returned: ['The exporter answers again', null],
  identity_conflict: ['Two sources claim one board, or one board two places', 'Compare serial numbers on the hosts'],
  driver_change: ['Another driver runs since; compare before and after', null],
  vbios_change: ['Another VBIOS runs since; compare before and after', null],
  maintenance: ['Somebody works here: silence is expected', null],
  anomaly: ['A reading left what this board or its peers explain', 'Open its signals at that moment'],
  anomaly_cleared: ['The reading is back where its peers are', null],
  gpu_reset: ['The board was reset', null],
};

const kActions: Record<string, string | null> = {
  none: null,
  restart_job: 'Restart the job; the hardware is not to blame',
  reset_gpu: 'Reset the GPU once its jobs are gone',
  drain_then_inspect: 'Drain the host, then inspect the board',
  reboot_host: 'Reboot the host',
  update_driver: 'Update the driver',
  replace_board: 'Replace the board',
  check_seating_and_power: 'Check seating and power',
};

/** What an event means and what to do first, by the server's catalogue of Xids and the ledger's own kinds. */
export function meaningOf(event: GpuEvent, xids: Xid[]): Meaning {
  if (event.kind === 'xid') {
    const known = xids.find((x) => x.code === event.code);
    if (!known) return { meaning: 'Not in the catalogue of Xids', action: null };
    const words = kindWords(known.name);
    return { meaning: `${words}; ${originWords(known.origin)}`, action: kActions[known.first_action] ?? null };
  }
  const [meaning = '', action = null] = kMeanings[event.kind ?? ''] ?? [];
  return { meaning, action };
}

function originWords(origin: Xid['origin']): string {
  if (origin === 'ambiguous') return 'hardware, driver or job';
  return origin === 'application' ? 'most likely the job' : `most likely the ${origin}`;
}

function kindWords(name: string): string {
  const words = name.split('_').map((w) => kUpper[w] ?? w);
  return title(words.join(' '));
}

const kLoud = new Set(['xid', 'gpu_missing', 'source_silent', 'gpu_reset']);
const kFaults = new Set(['error', 'critical']);

/** How loud an event is, for those that must be seen first: 2 for a fault, 1 for a sign of one, 0 for news. */
export function loudness(event: GpuEvent): 0 | 1 | 2 {
  if (kLoud.has(event.kind ?? '') || (event.kind === 'anomaly' && kFaults.has(event.anomaly?.severity ?? ''))) return 2;
  return event.kind === 'anomaly' || event.kind === 'identity_conflict' ? 1 : 0;
}
