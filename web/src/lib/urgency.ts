import type { Dimension, Gpu } from '../api';

/** A critical rule struck a board that is in service. */
export const needsAction = (g: Gpu) => g.risk === 'critical' && g.in_service;

const kScales = [5, 10, 20, 30, 50, 100];

/** Where the axis of lost points ends: in steps, so that it stays the same while little changes. */
export function lossScale(dimensions: Dimension[]): number {
  const most = Math.max(0, ...dimensions.map((d) => d.lost ?? 0));
  return kScales.find((s) => s >= most) ?? 100;
}

/** What a finding took from the overall score, of the points that it took from its dimension; null when that does not count. */
export function overallLoss(lost: number, d: Dimension): number | null {
  if (d.lost === null || d.score === null || d.score >= 100) return null;
  return (lost * d.lost) / (100 - d.score);
}
