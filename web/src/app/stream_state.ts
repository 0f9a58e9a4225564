// What the page knows from the live stream, as a pure reducer: no sockets, no clock of its own.
import type { FleetSummary, GpuDetail } from '../api';
import { bytesOfBase64 } from '../lib/cells';
import type { ServerEvent } from '../lib/sse';

export type Phase = 'connecting' | 'live' | 'reconnecting' | 'denied';

export interface StreamState {
  phase: Phase;
  failures: number; // in a row
  heardAt: number | null; // ms; the last byte, heartbeats too
  summary: FleetSummary | null;
  cells: { layoutVersion: number; bytes: Uint8Array } | null;
  gpu: GpuDetail | null;
}

export const kStart: StreamState = { phase: 'connecting', failures: 0, heardAt: null, summary: null, cells: null, gpu: null };

export type StreamAction =
  | { kind: 'opened'; at: number }
  | { kind: 'heard'; at: number }
  | { kind: 'event'; at: number; event: ServerEvent }
  | { kind: 'failed'; denied: boolean }
  | { kind: 'summary'; summary: FleetSummary };

export function reduce(state: StreamState, action: StreamAction): StreamState {
  switch (action.kind) {
    case 'opened':
      return { ...state, phase: 'live', failures: 0, heardAt: action.at };
    case 'heard':
      return { ...state, heardAt: action.at };
    case 'event':
      return { ...state, heardAt: action.at, ...carried(action.event) };
    case 'failed':
      return { ...state, phase: action.denied ? 'denied' : 'reconnecting', failures: state.failures + 1 };
    case 'summary':
      return newer(action.summary, state.summary) ? { ...state, summary: action.summary } : state;
  }
}

// A poll that was slow must not put the clock back.
function newer(a: FleetSummary, b: FleetSummary | null): boolean {
  return !b || Date.parse(a.as_of) >= Date.parse(b.as_of);
}

// An event that cannot be read, or is of a later version, changes nothing.
function carried(event: ServerEvent): Partial<StreamState> {
  try {
    const data = JSON.parse(event.data);
    if (event.event === 'summary') return { summary: data };
    if (event.event === 'gpu') return { gpu: data };
    if (event.event === 'cells') return { cells: { layoutVersion: data.layout_version, bytes: bytesOfBase64(data.cells) } };
  } catch {
    // falls through to "nothing"
  }
  return {};
}

/** The server sends at least a heartbeat every 15 s; two that are missing mean that the line is dead. */
export const kDeadAfterMs = 35_000;

export function isDead(state: StreamState, now: number): boolean {
  return state.phase === 'live' && state.heardAt !== null && now - state.heardAt > kDeadAfterMs;
}

/** How long to wait before the next try: 1 s, 2 s, 4 s … 15 s; `random` in 0..1 keeps many tabs apart. */
export function retryDelayMs(failures: number, random: number): number {
  const step = Math.min(1000 * 2 ** Math.max(0, failures - 1), 15_000);
  return Math.round(step * (0.75 + 0.5 * random));
}

/** Data older than this are called stale. Hosts are asked every few seconds. */
export const kStaleAfterMs = 30_000;

export interface Liveness {
  tone: 'ok' | 'warn' | 'bad' | 'wait';
  text: string;
}

/** The words of the live indicator. */
export function liveness(state: StreamState, now: number): Liveness {
  const age = state.summary ? Math.max(0, Math.floor((now - Date.parse(state.summary.as_of)) / 1000)) : null;
  if (state.phase === 'denied') return { tone: 'bad', text: 'No access' };
  if (state.phase === 'reconnecting')
    return { tone: 'warn', text: age === null ? 'Reconnecting' : `Reconnecting · data ${ageText(age)} old` };
  if (state.phase === 'connecting' || age === null) return { tone: 'wait', text: 'Connecting' };
  if (age * 1000 > kStaleAfterMs) return { tone: 'warn', text: `Stale · ${ageText(age)} old` };
  return { tone: 'ok', text: age < 1 ? 'Live · now' : `Live · ${age} s ago` };
}

function ageText(seconds: number): string {
  if (seconds < 120) return `${seconds} s`;
  return seconds < 7200 ? `${Math.floor(seconds / 60)} min` : `${Math.floor(seconds / 3600)} h`;
}
