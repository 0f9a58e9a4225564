// What the API answers. Types by hand, from openapi.yaml; null means "not known" everywhere.

export type Band = 'healthy' | 'watch' | 'degraded' | 'critical' | 'out_of_service' | 'no_data';
export type ColourMode = 'health' | 'temperature' | 'power' | 'utilisation' | 'coverage';

export interface FleetSummary {
  as_of: string;
  simulated: boolean;
  total_gpus: number;
  reporting_gpus: number;
  hosts: number;
  silent_hosts: number;
  coverage: number | null;
  index: number | null;
  median: number | null;
  worst5: number | null;
  classes: Record<string, number>;
  bands: Record<Band, number>;
  risk: Record<string, number>;
  need_action: number;
  headline: string;
  headline_detail: string | null;
  ingest: { scrapes_ok: number; scrapes_failed: number; accepted_values: number; refused_values: number };
}

export interface Gpu {
  id: string;
  serial: string | null;
  uuid: string | null;
  name: string;
  model: string | null;
  host: string;
  slot: number | null;
  pci_bus_id: string | null;
  rack: string | null;
  datacenter: string | null;
  region: string | null;
  driver_version: string | null;
  vbios_version: string | null;
  simulated: boolean;
  in_service: boolean;
  silent: boolean;
  first_seen: string | null;
  last_seen: string | null;
  score: number | null;
  class: string | null;
  band: Band;
  risk: string | null;
  coverage: number | null;
  top_finding: string | null;
  dimensions: Record<string, number | null>;
  temperature: number | null;
  memory_temperature: number | null;
  power: number | null;
  utilisation: number | null;
  sm_clock: number | null;
}

export interface GpuList {
  items: Gpu[];
  next: string | null;
  as_of: string;
  total: number;
}

export interface Reading {
  metric: string;
  entity: string;
  unit: string | null;
  value: number;
  at: string;
}

export interface Sibling {
  id: string;
  slot: number | null;
  score: number | null;
  band: Band;
}

export interface GpuDetail extends Gpu {
  readings: Reading[];
  siblings: Sibling[];
  as_of: string;
}

export interface Finding {
  rule: string;
  lost: number; // points of its dimension
  lost_overall: number; // points of the score
  value: number;
  reference: number;
  unit: string | null;
  window: string | null;
  at: string;
  text: string;
  critical: boolean;
  evidence: string | null; // an address of this app: the chart at that moment
}

export interface Dimension {
  name: string;
  weight: number;
  score: number | null;
  lost: number | null;
  band: Band;
  coverage: number;
  available: boolean;
  note: string | null;
  cap: { rule: string; level: number } | null; // a rule that holds the score
  peers_median: number | null;
  findings: Finding[];
}

export interface GpuHealth {
  as_of: string;
  profile: string;
  score: number | null;
  class: string | null;
  band: Band;
  risk: string | null;
  trend_7d: number | null; // points, at most 10 either way
  trend_30d: number | null;
  coverage: number | null;
  scored_at: string | null;
  note: string | null;
  dimensions: Dimension[];
  critical: string[];
  peers_median: number | null;
}

export type Numbers = (number | null)[];

export interface MetricSeries {
  unit: string | null;
  avg: Numbers;
  min: Numbers;
  max: Numbers;
  last: Numbers;
  increase?: Numbers; // of counters only
  peers?: Peers | null;
}

/** The middle 80 % of the boards of its model, bucket by bucket. */
export interface Peers {
  of: number;
  under_load: boolean; // only readings of busy boards count
  figure: 'avg' | 'increase';
  p10: Numbers;
  p50: Numbers;
  p90: Numbers;
}

export interface GpuMetrics {
  as_of: string;
  gpu: string;
  start: string;
  end: string;
  interval_s: number;
  t: number[];
  series: Record<string, MetricSeries>;
}

/** A board's scores where they changed, oldest first. */
export interface ScorePoint {
  at: string;
  score: number | null;
  class: string | null;
  dimensions: Record<string, number | null>;
}

export interface HealthHistory {
  id: string;
  start: string;
  end: string;
  items: ScorePoint[];
  as_of: string;
}

export interface Cluster {
  kind: string;
  id: string;
  cause: string;
  since: string | null;
  gpus: number;
  of: number;
  text: string;
  evidence: string | null;
  p_chance: number | null;
}

export interface FleetStory {
  as_of: string;
  headline: string;
  need_action: number;
  clusters: Cluster[];
  moved: { kind: string; id: string; text: string; from: number; to: number; since: string }[];
}

export interface Lift {
  attribute: string;
  value: string;
  chosen: number;
  of_chosen: number;
  rest: number;
  of_rest: number;
  lift: number | null;
  p: number;
  text: string;
}

export interface Moved {
  id: string;
  name: string;
  score: number | null;
  trend_7d: number | null;
  top_finding: string | null;
  since: string | null;
}

export interface Group {
  name: string;
  gpus: number;
  scored: number;
  silent: number;
  below_70: number;
  index: number | null;
  lowest: Moved | null;
  moved_by: Moved | null;
}

export type GroupKind = 'datacenter' | 'rack' | 'host';

export interface HealthGroups {
  as_of: string;
  groups: Group[];
}

/** One group: what holds it down, who moved it, what it has a part in. */
export interface GroupHealth extends Omit<Group, 'name'> {
  as_of: string;
  id: string;
  fell: { from: number; to: number; since: string; by: { id: string; name: string; from: number; to: number } } | null;
  rest: { gpus: number; scored: number; index: number | null }; // the other boards of the same models
  clusters: Cluster[];
}

export interface Xid {
  code: number;
  name: string;
  component: string;
  origin: 'hardware' | 'driver' | 'application' | 'ambiguous';
  severity: string;
  first_action: string;
}

export interface Layout {
  as_of: string;
  layout_version: number;
  sites: LayoutSite[];
}
export interface LayoutSite {
  name: string;
  region: string;
  racks: LayoutRack[];
}
export interface LayoutRack {
  name: string;
  hosts: { name: string; silent: boolean; slots: string[] }[];
}

export interface Meta {
  as_of: string;
  version: string;
  bands: { name: Band; from: number; to: number }[];
  classes: { name: string; from: number }[];
  dimensions: { name: string; weight: number; available: boolean }[];
  metrics: { name: string; field_id: number; unit: string | null; kind: string; meaning: string; used_for: string }[];
  reasons: string[];
  severities: string[];
  xids?: Xid[];
}

export interface Quarantine {
  items: { source: string; metric: string; reason: string; count: number }[];
  samples: QuarantineSample[];
  next: string | null;
  as_of: string;
  accepted: number;
  refused: number;
  kept: number;
}

/** One refused value; where `count` is more than 1, a kind of them that came so often. */
export interface QuarantineSample {
  id: number;
  at: string;
  source: string;
  gpu: string | null;
  host: string | null;
  entity: string;
  metric: string | null;
  value: string;
  reason: string;
  count: number;
  first: string;
  replayable: boolean;
}

/** What the inventory says of a board's newest stay. */
export interface Inventory {
  host: string | null;
  rack: string | null;
  datacenter: string | null;
  region: string | null;
  slot: string | null;
  pci_bus_id: string | null;
  batch: string | null;
  manufactured_at: string | null;
  deployed_at: string | null;
  retired_at: string | null;
  warranty_until: string | null;
  purchase_price_usd: number | null;
  attributes: Record<string, string>;
}

export interface Asset {
  id: string;
  serial: string | null;
  gpu_uuid: string | null;
  model: string | null;
  host: string | null;
  rack: string | null;
  datacenter: string | null;
  region: string | null;
  in_service: boolean;
  simulated: boolean;
  first_seen: string | null;
  last_seen: string | null;
  inventory: Inventory | null;
}

export interface Page<T> {
  items: T[];
  next: string | null;
  as_of: string;
}

/** What was true of a board for a while; `to` is null while it holds. */
export interface Interval {
  kind: string;
  value: string;
  from: string;
  to: string | null;
  facts: Record<string, string>;
}

export interface GpuLedger extends Page<Interval> {
  gpu: Asset;
  maintenance: { from: string; to: string }[];
}

export interface Job {
  kind: 'pod' | 'job';
  name: string;
  from: string;
  to: string | null;
}

export interface GpuEvent {
  at: string;
  kind: string | null;
  gpu: string | null;
  host: string | null;
  detail: string | null;
  code?: number | null; // of an Xid
  anomaly?: { metric: string; severity: string }; // of the kinds anomaly and anomaly_cleared
}

export interface Maintenance {
  id: string;
  scope: 'gpu' | 'host' | 'rack';
  target: string;
  from: string;
  until: string | null;
  active: boolean;
  reason: string | null;
  by: string | null;
}

export interface Coverage {
  as_of: string;
  coverage: number | null;
  total_gpus: number;
  reporting_gpus: number;
  dimensions: { name: string; coverage: number | null; boards_available: number; missing: { input: string; boards: number }[] }[];
  models: { model: string | null; boards: number; coverage: number | null }[];
  silent_hosts: { host: string; last_answer: string | null; boards: number; error: string | null; maintenance: boolean }[];
  silent_gpus: { id: string; name: string; host: string | null; last_seen: string | null; maintenance: boolean }[];
  conflicts: { kind: string; id: string | null; claims: string; detail: string; since: string; last: string }[];
  values: { accepted: number; refused: number; by_reason: Record<string, number> };
  items: { id: string; name: string; coverage: number; dimensions: Record<string, number> }[];
}

export type Severity = 'info' | 'warning' | 'error' | 'critical';
export type IncidentState = 'open' | 'cleared' | 'merged';

/** One story behind several signs, with its likeliest cause. `gpu` and `host` are of its first part. */
export interface Incident {
  id: string;
  state: IncidentState;
  severity: Severity;
  scope: string;
  place: string;
  gpu: string | null;
  host: string | null;
  gpus: number;
  hosts: number;
  opened_at: string;
  last_sign_at: string;
  changed_at: string;
  reopened: number;
  cause: string | null; // null where it cannot be told
  cause_says: string | null;
  probability: number | null;
  cannot_tell: boolean;
  side: string;
  action: string;
  action_says: string;
  confirmed_cause: string | null;
  sign_says: string | null; // the heaviest of what was seen
  simulated: boolean;
}

export interface CauseEvidence {
  evidence: string;
  says: string;
  present: boolean; // false: it could have been seen and was not
  weight: number; // natural logarithm of how much likelier it is under this cause
  source: string;
}

export interface RankedCause {
  cause: string;
  says: string;
  side: string;
  probability: number;
  action: string;
  action_says: string;
  sources: string;
  evidence_for: CauseEvidence[];
  evidence_against: CauseEvidence[];
}

export interface IncidentLine {
  at: string;
  sign: string;
  says: string;
  gpu: string | null;
  host: string | null;
  code: number | null;
  kind: string | null;
  job: string | null;
  process: string | null;
  detail: string | null;
}

export interface IncidentPart {
  gpu: string | null;
  host: string | null;
  rack: string | null;
  job: string | null;
  open: boolean;
  signs: string[];
}

export interface IncidentStep {
  at: string;
  what: string;
  why: string;
  by: string | null;
}

export interface IncidentDetail extends Incident {
  merged_into: string | null;
  unknown_probability: number;
  sides: Record<string, number>;
  catalogue: string;
  causes: RankedCause[];
  signs: { sign: string; says: string; count: number }[];
  lines: IncidentLine[];
  lines_left_out: number;
  parts: IncidentPart[];
  history: IncidentStep[];
  what_helped: HelpedBefore[]; // the surest first
}

/** How often an action helped against such a fault. */
export interface HelpedBefore {
  action: string;
  helped: number;
  of: number;
  low: number;
  high: number;
  says: string;
}

/** An event, or a step of an incident or a repair case, of a board or its host. */
export interface TimelineItem {
  at: string;
  what: 'event' | 'incident' | 'case';
  kind: string;
  about: string;
  code: number | null;
  incident: string | null;
  detail: string;
}

export interface Timeline extends Page<TimelineItem> {
  more: boolean;
}

export interface Me {
  as_of: string;
  role: 'viewer' | 'operator' | 'admin';
  auth: 'loopback' | 'key';
  key_id: string | null;
}
