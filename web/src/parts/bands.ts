import type { Band } from '../api';

/** Worst first, as lists and legends show them. */
export const kBands: Band[] = ['critical', 'degraded', 'watch', 'healthy', 'out_of_service', 'no_data'];

export const kBandNames: Record<Band, string> = {
  critical: 'Critical',
  degraded: 'Degraded',
  watch: 'Watch',
  healthy: 'Healthy',
  out_of_service: 'Out of service',
  no_data: 'No score',
};
