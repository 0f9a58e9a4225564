// Repair cases as the API has them: from the action to the proof.
export type CaseState = 'open' | 'acting' | 'testing' | 'watching' | 'closed';
export type CaseOutcome = 'helped' | 'did_not_help' | 'cannot_tell' | 'cancelled';

export interface RepairCase {
  id: string;
  state: CaseState;
  gpu: string | null;
  host: string | null;
  slot: string | null; // "h1/3"
  model: string | null;
  fault: string | null; // a family of signs
  incident: string | null;
  symptom: string;
  action: string;
  action_says: string;
  expects: string;
  opened_at: string;
  changed_at: string;
  due_at: string | null;
  overdue: boolean;
  watch_until: string | null;
  outcome: CaseOutcome | null;
  relapses: number; // times that the fault came back in this case
  cost: number | null;
  opened_by: string;
  simulated: boolean;
}

export interface CaseStep {
  at: string;
  what: string;
  from: CaseState;
  to: CaseState;
  note: string | null;
  by: string | null;
}

/** How often the fault was seen in a stretch of time. */
export interface FaultRate {
  from: string;
  to: string;
  days: number;
  signs: number;
  per_30_days: number | null;
}

export interface CaseDetail extends RepairCase {
  as_of?: string;
  steps: CaseStep[];
  tests: { at: string; name: string; passed: boolean; detail: string | null; by: string | null }[];
  parts: { at: string; removed: string | null; installed: string | null }[];
  before: FaultRate | null;
  after: FaultRate | null;
  next: { to: CaseState; needs: string[] }[];
  why_not_closed: string | null;
}

export interface CaseStat {
  action: string | null;
  fault: string | null;
  model: string | null;
  closed: number;
  helped: number;
  did_not_help: number;
  cannot_tell: number;
  relapses: number;
  share: number | null; // helped of helped and did_not_help, with its Wilson interval; both count tries
  low: number | null;
  high: number | null;
  median_days: number | null;
  simulated: boolean;
}

export interface CaseStats {
  items: CaseStat[];
  as_of: string;
  confidence: number;
}

export type OffenderBy = 'serial' | 'slot' | 'host';

export interface Offender {
  name: string;
  gpu: string | null;
  host: string | null;
  slot: string | null;
  model: string | null;
  incidents: number;
  reopened: number;
  cases: number;
  relapses: number;
  boards: number;
  faults: string[];
  last_at: string;
  says: string;
}

export interface Offenders {
  items: Offender[];
  as_of: string;
  by: OffenderBy;
  days: number;
}

export interface CaseToOpen {
  gpu?: string;
  host?: string;
  action?: string;
  incident?: string;
  fault?: string;
  symptom?: string;
  note?: string;
  due?: string;
  watch_days?: number;
}

export interface CaseAdvance {
  to: CaseState;
  note?: string;
  test?: { name: string; passed: boolean; detail?: string };
  replaced_by?: string;
  cost?: number;
}

export interface CaseClosing {
  outcome?: CaseOutcome;
  reason?: string;
  cost?: number;
}
