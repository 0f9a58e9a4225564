// A score over time, from its change points.
import type { ScorePoint } from '../api';

const seconds = (at: string) => Date.parse(at) / 1000;

/** The score that held at `at`; null when none was known yet. */
export function scoreAt(items: ScorePoint[], at: number): number | null {
  let known: number | null = null;
  for (const item of items) {
    if (seconds(item.at) > at) break;
    known = item.score;
  }
  return known;
}

export interface Frame {
  from: number;
  to: number;
  low: number;
  high: number;
  width: number;
  height: number;
}

/** Low and high of the axis: whole tens about the scores, 20 points at least, so that a steady score looks steady. */
export function scoreSpan(items: ScorePoint[]): [number, number] {
  const scores = items.map((i) => i.score).filter((s) => s !== null);
  if (scores.length === 0) return [80, 100];
  const high = Math.min(100, Math.ceil(Math.max(...scores) / 10) * 10);
  const low = Math.max(0, Math.min(high - 20, Math.floor(Math.min(...scores) / 10) * 10));
  return [low, Math.max(high, low + 20)];
}

export const xOf = (f: Frame, at: number) => ((Math.min(f.to, Math.max(f.from, at)) - f.from) / (f.to - f.from)) * f.width;
export const yOf = (f: Frame, score: number) => ((f.high - score) / (f.high - f.low)) * f.height;

const round = (v: number) => Math.round(v * 10) / 10;

/** Steps from change point to change point, on to the frame's end; where there was no score the line breaks. */
export function stepPath(items: ScorePoint[], f: Frame): string {
  const parts: string[] = [];
  let drawing = false;
  items.forEach((item, i) => {
    const next = items[i + 1];
    const until = next ? seconds(next.at) : f.to;
    if (item.score === null || until <= f.from) {
      drawing = false;
      return;
    }
    const y = round(yOf(f, item.score));
    parts.push(drawing ? `V${y}` : `M${round(xOf(f, seconds(item.at)))} ${y}`, `H${round(xOf(f, until))}`);
    drawing = true;
  });
  return parts.join('');
}

/** The change point before (-1) or after (1) `at`; null when there is none. */
export function neighbourPoint(items: ScorePoint[], at: number, step: -1 | 1): number | null {
  const times = items.map((i) => seconds(i.at));
  const found = step < 0 ? times.filter((t) => t < at - 0.5).at(-1) : times.find((t) => t > at + 0.5);
  return found ?? null;
}
