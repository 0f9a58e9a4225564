import { signal } from '@preact/signals';

/** Boards that need action now. The map's bytes carry scores only, and a critical rule can strike a board that scores well. */
export const urgent = signal<ReadonlySet<string>>(new Set());

export function setUrgent(ids: string[]): void {
  const known = urgent.peek();
  if (ids.length !== known.size || ids.some((id) => !known.has(id))) urgent.value = new Set(ids);
}
