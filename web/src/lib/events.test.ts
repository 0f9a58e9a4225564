import { expect, it } from 'vitest';
import { eventText, kEventKinds, kindChoices, kindName } from './events';

it.each([
  ['gpu_moved', 'GPU moved'],
  ['source_silent', 'Source silent'],
  ['vbios_change', 'VBIOS change'],
  [null, 'Other'],
])('%s is %s', (kind, text) => expect(kindName(kind)).toBe(text));

it('offers what is known, seen and chosen, each once', () => {
  const event = (kind: string | null) => ({ at: '', kind, gpu: null, host: null, detail: null });
  const choices = kindChoices([event('page_frozen'), event('gpu_moved'), event(null)], 'chosen_kind');
  expect(choices).toEqual([...kEventKinds, 'page_frozen', 'chosen_kind']);
});

it.each([
  ['board 1 is no longer there', 'h1', 'Board 1 is no longer there'],
  ['h1 does not answer', 'h1', 'h1 does not answer'],
  ['board 1 moved', null, 'Board 1 moved'],
  [null, 'h1', '–'],
])('%s on %s is told as %s', (detail, host, text) => expect(eventText({ detail, host })).toBe(text));
