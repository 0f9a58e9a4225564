import { signal } from '@preact/signals';
import { api, type Meta } from '../api';

/** What does not change while the server runs: asked once. */
export const meta = signal<Meta | null>(null);

export async function loadMeta(): Promise<void> {
  try {
    meta.value = await api.meta();
  } catch {
    setTimeout(loadMeta, 10_000);
  }
}
