import type { Gpu } from '../api';

/** A critical rule struck a board that is in service. */
export const needsAction = (g: Gpu) => g.risk === 'critical' && g.in_service;
