// What may be done with a case next, in words.
import type { CaseDetail, CaseOutcome, CaseState } from '../api';

/** Actions that put another board in the place of this one. */
export const kSwapping: ReadonlySet<string> = new Set(['replace_board']);

export interface StepChoice {
  to: CaseState;
  text: string; // what happened
  button: string;
  needs: string[];
}

function words(from: CaseState, to: CaseState): { text: string; button: string } {
  if (to === 'acting') {
    if (from === 'open') return { text: 'It is begun', button: 'Begin' };
    return from === 'watching'
      ? { text: 'It came back', button: 'Back to the action' }
      : { text: 'The test failed', button: 'Back to the action' };
  }
  if (to === 'testing') return { text: 'It is done', button: 'Done: test it' };
  return { text: 'The test passed', button: 'Passed: watch it' };
}

/** The steps that a case may take now, but for its end. */
export function stepChoices(c: Pick<CaseDetail, 'state' | 'next'>): StepChoice[] {
  return c.next.filter((n) => n.to !== 'closed').map(({ to, needs }) => ({ to, needs, ...words(c.state, to) }));
}

/** How a case may end; the first needs a proof, the others a reason. */
export const kOutcomeChoices: { value: CaseOutcome | ''; text: string }[] = [
  { value: '', text: 'Helped, as is proven' },
  { value: 'did_not_help', text: 'Did not help' },
  { value: 'cannot_tell', text: 'Cannot tell' },
  { value: 'cancelled', text: 'Cancelled' },
];
