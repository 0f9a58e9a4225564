import type { Dimension, Gpu } from '../api';

/** A critical rule struck a board that is in service. */
export const needsAction = (g: Gpu) => g.risk === 'critical' && g.in_service;

/** What a finding took from the overall score, of the points that it took from its dimension; null when that does not count. */
export function overallLoss(lost: number, d: Dimension): number | null {
  if (d.lost === null || d.score === null || d.score >= 100) return null;
  return (lost * d.lost) / (100 - d.score);
}
