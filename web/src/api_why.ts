// What `GET /why` answers: one board, host or job at one moment, and how it came to that.
import type { CauseEvidence, Incident, Severity } from './api_types';

export type WhyWhat = 'gpu' | 'host' | 'job';
export type WhyLane = 'job' | 'gpu' | 'host' | 'switch';

export interface WhyMoment {
  at: string;
  lane: WhyLane;
  gpu: string | null;
  host: string | null;
  job: string | null;
  what: string; // event, incident, job, score, maintenance or ledger
  kind: string | null;
  code: number | null;
  severity: Severity | null;
  detail: string;
  incident: string | null;
  first: boolean; // the first abnormal sign
}

export interface WhyCause {
  cause: string;
  says: string;
  probability: number;
  evidence_for: CauseEvidence[];
  evidence_against: CauseEvidence[];
  side?: string;
  action_says: string;
}

export interface WhyIncident extends Incident {
  causes: WhyCause[]; // the first three
}

export interface RanThere {
  job: string;
  user: string | null;
  gpus: number;
  hosts: number;
  from: string;
  to: string | null;
  end: 'finished' | 'failed' | 'running' | 'unknown';
}

export interface Why {
  as_of: string;
  about: { what: WhyWhat; gpu: string | null; host: string | null; job: string | null; at: string; from: string; to: string };
  job?: RanThere; // of a question about a job
  verdict: string;
  cannot_tell: boolean;
  reset_or_rma: string | null; // an action's name
  next: { action: string; says: string; because: string } | null;
  incidents: WhyIncident[]; // the ones that matter most first
  ruled_out: { cause: string; says: string; because: string }[];
  timeline: WhyMoment[]; // the oldest first
  ran_there: RanThere[];
  unknown: string[];
  left_out: number;
  took_ms: number;
}
