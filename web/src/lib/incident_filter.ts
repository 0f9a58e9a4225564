// Which incidents a list shows.
import type { Incident } from '../api';
import { causeWords } from './incidents';

const wordsOf = (i: Incident) =>
  [i.id, causeWords(i), i.cause, i.sign_says, i.place, i.gpu, i.host, i.action_says, i.severity, i.state].join(' ').toLowerCase();

/** Whether a row has all words of `q`, wherever they stand in it. */
export function matches(i: Incident, q: string): boolean {
  const words = wordsOf(i);
  return q
    .toLowerCase()
    .split(/\s+/)
    .every((w) => words.includes(w));
}
