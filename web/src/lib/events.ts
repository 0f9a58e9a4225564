// Kinds of events in words.
import type { GpuEvent } from '../api';
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
  const words = kind.split('_').map((w) => kUpper[w] ?? w);
  return title(words.join(' '));
}

/** What a filter offers: the known kinds, those on the page, and the one that is chosen. */
export function kindChoices(events: GpuEvent[], chosen: string): string[] {
  const seen = events.map((e) => e.kind).filter((k) => k !== null);
  return [...new Set([...kEventKinds, ...seen.sort(), ...(chosen ? [chosen] : [])])];
}

/** What an event says, as a sentence; one that begins with a host's name keeps that as it is. */
export function eventText(event: Pick<GpuEvent, 'detail' | 'host'>): string {
  if (!event.detail) return kDash;
  return event.host && event.detail.startsWith(event.host) ? event.detail : sentence(event.detail);
}
