// The REST API as this app uses it.

import type { CaseAdvance, CaseClosing, CaseDetail, CaseStats, CaseToOpen, Offenders, RepairCase } from './api_cases';
import type {
  Asset,
  ColourMode,
  Coverage,
  FleetStory,
  FleetSummary,
  GpuDetail,
  GpuEvent,
  GpuHealth,
  GpuLedger,
  GpuList,
  GpuMetrics,
  GroupHealth,
  GroupKind,
  HealthGroups,
  HealthHistory,
  Incident,
  IncidentDetail,
  Job,
  Layout,
  Lift,
  Maintenance,
  Me,
  Meta,
  Page,
  Quarantine,
  Timeline,
} from './api_types';
import type { Why } from './api_why';

export type * from './api_cases';
export * from './api_types';
export type * from './api_why';

/** What went wrong, in words for the page. `status` 0: the server was not reached. */
export class ApiError extends Error {
  constructor(
    message: string,
    readonly status: number,
    readonly traceId: string | null,
  ) {
    super(message);
  }
}

const kBase = '/api/v1';
const kKeyName = 'ghm.key';

// Only for this tab: a key must not outlive the visit.
export function storedKey(): string | null {
  try {
    return sessionStorage.getItem(kKeyName);
  } catch {
    return null;
  }
}

/** Keeps the key, or forgets it when there is none. */
export function storeKey(key: string | null): void {
  try {
    if (key) sessionStorage.setItem(kKeyName, key);
    else sessionStorage.removeItem(kKeyName);
  } catch {
    // Without storage the key cannot be kept; the page will ask again.
  }
}

let serverAheadMs = 0;

/** The server's clock, so that ages are right on a machine whose clock is not. */
export function serverNow(): number {
  return Date.now() + serverAheadMs;
}

// The Date header has whole seconds; a smaller difference is no difference.
function noteClock(response: Response): void {
  const date = Date.parse(response.headers.get('date') ?? '');
  if (Number.isNaN(date)) return;
  const ahead = date + 500 - Date.now();
  serverAheadMs = Math.abs(ahead) > 2000 ? ahead : 0;
}

async function problemOf(response: Response): Promise<ApiError> {
  const body = await response.json().catch(() => null);
  const detail = body?.detail ?? body?.title ?? `The server answered with status ${response.status}.`;
  return new ApiError(detail, response.status, body?.trace_id ?? null);
}

interface Ask {
  method?: 'POST' | 'DELETE';
  body?: unknown;
  signal?: AbortSignal | undefined;
  key?: string | null;
}

function headersOf(accept: string, ask: Ask): Record<string, string> {
  const headers: Record<string, string> = { Accept: accept };
  const key = ask.key ?? storedKey();
  if (key) headers.Authorization = `Bearer ${key}`;
  if (ask.body !== undefined) headers['Content-Type'] = 'application/json';
  return headers;
}

/** A request to the API with this tab's key. Throws ApiError. */
export async function request(path: string, accept: string, ask: Ask = {}): Promise<Response> {
  const { method = 'GET', signal = null } = ask;
  const body = ask.body === undefined ? null : JSON.stringify(ask.body);
  let response: Response;
  try {
    response = await fetch(kBase + path, { method, body, headers: headersOf(accept, ask), signal });
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error;
    throw new ApiError('The server cannot be reached.', 0, null);
  }
  noteClock(response);
  if (!response.ok) throw await problemOf(response);
  return response;
}

async function json<T>(path: string, signal?: AbortSignal, ask: Ask = {}): Promise<T> {
  return (await request(path, 'application/json', { ...ask, signal })).json();
}

type Params = Record<string, string | number | null | undefined>;

/** "?a=1&b=2" of the parameters that have a value; the API refuses empty and unknown ones. */
export function queryOf(params: Params): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(params))
    if (value !== null && value !== undefined && value !== '') search.set(name, `${value}`);
  const text = search.toString();
  return text && `?${text}`;
}

const gpuPath = (id: string) => `/gpus/${encodeURIComponent(id)}`;
const incidentPath = (id: string) => `/incidents/${encodeURIComponent(id)}`;
const casePath = (id: string) => `/cases/${encodeURIComponent(id)}`;
const post = <T>(path: string, body: unknown) => json<T>(path, undefined, { method: 'POST', body });

export const api = {
  summary: (signal?: AbortSignal) => json<FleetSummary>('/fleet/summary', signal),
  layout: (signal?: AbortSignal) => json<Layout>('/fleet/layout', signal),
  cells: async (colour: ColourMode, signal?: AbortSignal) =>
    (await request(`/fleet/cells${queryOf({ colour })}`, 'application/octet-stream', { signal })).arrayBuffer(),
  gpus: (params: Record<string, string | number | null>, signal?: AbortSignal) => json<GpuList>(`/gpus${queryOf(params)}`, signal),
  gpusCsv: async (params: Record<string, string | null>) => (await request(`/gpus${queryOf(params)}`, 'text/csv')).blob(),
  gpu: (id: string, signal?: AbortSignal) => json<GpuDetail>(gpuPath(id), signal),
  /** `at`: the score as it was then; null for now. */
  health: (id: string, at: string | null, signal?: AbortSignal) => json<GpuHealth>(`${gpuPath(id)}/health${queryOf({ at })}`, signal),
  healthHistory: (id: string, params: Params, signal?: AbortSignal) =>
    json<HealthHistory>(`${gpuPath(id)}/health/history${queryOf(params)}`, signal),
  metrics: (id: string, params: Params, signal?: AbortSignal) => json<GpuMetrics>(`${gpuPath(id)}/metrics${queryOf(params)}`, signal),
  groups: (by: GroupKind, signal?: AbortSignal) => json<HealthGroups>(`/fleet/health${queryOf({ by })}`, signal),
  group: (by: GroupKind, id: string, signal?: AbortSignal) => json<GroupHealth>(`/fleet/health${queryOf({ by, id })}`, signal),
  story: (signal?: AbortSignal) => json<FleetStory>('/fleet/story', signal),
  explain: (gpus: string[], signal?: AbortSignal) => json<Page<Lift>>('/explain', signal, { method: 'POST', body: { gpus } }),
  meta: (signal?: AbortSignal) => json<Meta>('/meta', signal),
  quarantine: (params: Record<string, string | number | null>, signal?: AbortSignal) =>
    json<Quarantine>(`/quarantine${queryOf(params)}`, signal),
  ledger: (id: string, signal?: AbortSignal) => json<GpuLedger>(`${gpuPath(id)}/ledger`, signal),
  jobs: (id: string, signal?: AbortSignal) => json<Page<Job>>(`${gpuPath(id)}/jobs`, signal),
  gpuEvents: (id: string, params: Params, signal?: AbortSignal) => json<Page<GpuEvent>>(`${gpuPath(id)}/events${queryOf(params)}`, signal),
  events: (params: Params, signal?: AbortSignal) => json<Page<GpuEvent>>(`/events${queryOf(params)}`, signal),
  incidents: (params: Params, signal?: AbortSignal) => json<Page<Incident>>(`/incidents${queryOf(params)}`, signal),
  incident: (id: string, signal?: AbortSignal) => json<IncidentDetail>(incidentPath(id), signal),
  sayCause: (id: string, body: { cause: string; verdict: 'right' | 'wrong' }) => post<IncidentDetail>(`${incidentPath(id)}/feedback`, body),
  clearIncident: (id: string, reason: string) => post<IncidentDetail>(`${incidentPath(id)}/clear`, { reason }),
  cases: (params: Params, signal?: AbortSignal) => json<Page<RepairCase>>(`/cases${queryOf(params)}`, signal),
  repairCase: (id: string, signal?: AbortSignal) => json<CaseDetail>(casePath(id), signal),
  openCase: (body: CaseToOpen) => post<CaseDetail>('/cases', body),
  advanceCase: (id: string, body: CaseAdvance) => post<CaseDetail>(`${casePath(id)}/advance`, body),
  closeCase: (id: string, body: CaseClosing) => post<CaseDetail>(`${casePath(id)}/close`, body),
  noteCase: (id: string, note: string) => post<CaseDetail>(`${casePath(id)}/note`, { note }),
  caseStats: (by: string, signal?: AbortSignal) => json<CaseStats>(`/cases/stats${queryOf({ by })}`, signal),
  offenders: (params: Params, signal?: AbortSignal) => json<Offenders>(`/cases/offenders${queryOf(params)}`, signal),
  timeline: (id: string, params: Params, signal?: AbortSignal) => json<Timeline>(`${gpuPath(id)}/timeline${queryOf(params)}`, signal),
  /** Of one GPU, host or job: `gpu`, `host` or `job` with `at` and `days`. */
  why: (params: Params, signal?: AbortSignal) => json<Why>(`/why${queryOf(params)}`, signal),
  coverage: (signal?: AbortSignal) => json<Coverage>('/fleet/coverage', signal),
  assets: (params: Params, signal?: AbortSignal) => json<Page<Asset>>(`/assets${queryOf(params)}`, signal),
  maintenance: (params: Params, signal?: AbortSignal) => json<Page<Maintenance>>(`/maintenance${queryOf(params)}`, signal),
  startMaintenance: (body: { target: string; until: string | null; reason: string | null }) => post<Maintenance>('/maintenance', body),
  endMaintenance: (target: string) => json<Maintenance>(`/maintenance/${encodeURIComponent(target)}`, undefined, { method: 'DELETE' }),
  /** Who the server takes this tab for; with `key`, whom that key would make it. */
  me: (signal?: AbortSignal, key?: string) => json<Me>('/me', signal, key === undefined ? {} : { key }),
};
