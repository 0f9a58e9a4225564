// The one live connection of this page: summary always, cells and a board when a page asks for them.
import { computed, effect, signal } from '@preact/signals';
import { ApiError, api, queryOf, request, serverNow } from '../api';
import { EventParser } from '../lib/sse';
import { isDead, kStart, liveness, reduce, retryDelayMs, type StreamAction } from './stream_state';

const state = signal(kStart);
const dispatch = (action: StreamAction) => {
  state.value = reduce(state.peek(), action);
};

/** Second by second, in the server's time. */
export const now = signal(serverNow());
export const summary = computed(() => state.value.summary);
export const cells = computed(() => state.value.cells);
export const liveGpu = computed(() => state.value.gpu);
export const denied = computed(() => state.value.phase === 'denied');
export const live = computed(() => liveness(state.value, now.value));

const extraTopics = signal<string[]>([]);
/** What the page on screen wants beside the summary. */
export function wantTopics(topics: string[]): void {
  if (topics.join() !== extraTopics.peek().join()) extraTopics.value = topics;
}

let line: AbortController | null = null;
let retry: ReturnType<typeof setTimeout> | undefined;

function hangUp(): void {
  clearTimeout(retry);
  line?.abort();
  line = null;
}

async function connect(topics: string[]): Promise<void> {
  hangUp();
  const mine = new AbortController();
  line = mine;
  try {
    const response = await request(`/stream${queryOf({ topics: topics.join(',') })}`, 'text/event-stream', { signal: mine.signal });
    dispatch({ kind: 'opened', at: Date.now() });
    await read(response);
    throw new ApiError('The stream ended.', 0, null);
  } catch (error) {
    if (mine.signal.aborted) return;
    failed(error, topics);
  }
}

async function read(response: Response): Promise<void> {
  const parser = new EventParser();
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    dispatch({ kind: 'heard', at: Date.now() });
    for (const event of parser.feed(value)) dispatch({ kind: 'event', at: Date.now(), event });
  }
}

function failed(error: unknown, topics: string[]): void {
  const status = error instanceof ApiError ? error.status : 0;
  dispatch({ kind: 'failed', denied: status === 401 || status === 403 });
  // A board that is not there (404) is the page's to say; the summary goes on without it.
  const next = status === 404 ? ['summary'] : topics;
  retry = setTimeout(() => connect(next), retryDelayMs(state.peek().failures, Math.random()));
}

// When the stream cannot pass (a proxy that buffers), plain requests keep the page alive.
async function poll(): Promise<void> {
  if (state.peek().phase === 'live' && state.peek().summary) return;
  try {
    dispatch({ kind: 'summary', summary: await api.summary() });
  } catch {
    // The indicator says so already.
  }
}

const kHiddenForMs = 5 * 60_000;
const topicsNow = () => ['summary', ...extraTopics.peek()];

// A hidden tab lets go of its connection after a while; browsers allow six to an origin.
function watchVisibility(): void {
  let hide: ReturnType<typeof setTimeout> | undefined;
  document.addEventListener('visibilitychange', () => {
    clearTimeout(hide);
    if (document.hidden) hide = setTimeout(hangUp, kHiddenForMs);
    else if (!line) connect(topicsNow());
  });
}

export function goLive(): void {
  watchVisibility();
  setInterval(() => {
    now.value = serverNow();
    if (isDead(state.peek(), Date.now())) connect(topicsNow());
  }, 1000);
  setInterval(poll, 10_000);
  poll();
  effect(() => {
    connect(['summary', ...extraTopics.value]);
  });
}
