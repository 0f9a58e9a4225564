// The open incidents, for every page: their number in the navigation, the first of them on the overview.
import { computed, effect, signal } from '@preact/signals';
import { ApiError, api, type Incident } from '../api';
import { byUrgency } from '../lib/incidents';
import { summary } from './live';

export const kMostOpen = 500;
const kEveryMs = 5000;

const state = signal<{ items: Incident[] | null; error: ApiError | null }>({ items: null, error: null });

/** The worst first; null until the server has answered. */
export const openIncidents = computed(() => state.value.items);
export const incidentsError = computed(() => state.value.error);
/** "7", "500+"; nothing where there is none. */
export const openCount = computed(() => {
  const n = openIncidents.value?.length ?? 0;
  if (n === 0) return '';
  return n >= kMostOpen ? `${n}+` : `${n}`;
});

export async function askIncidents(): Promise<void> {
  try {
    const { items } = await api.incidents({ state: 'open', limit: kMostOpen });
    state.value = { items: byUrgency(items), error: null };
  } catch (error) {
    const known = error instanceof ApiError ? error : new ApiError('The answer could not be read.', 0, null);
    // What was known stays on the screen; the error is beside it.
    state.value = { items: state.peek().items, error: known };
  }
}

export function watchIncidents(): void {
  let last = 0;
  let seen: string | undefined = '';
  effect(() => {
    const tick = summary.value?.as_of;
    if (tick === seen || document.hidden || Date.now() - last < kEveryMs) return;
    seen = tick;
    last = Date.now();
    askIncidents();
  });
}
