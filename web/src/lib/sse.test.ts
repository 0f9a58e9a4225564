import { describe, expect, it } from 'vitest';
import { EventParser } from './sse';

const text = 'retry: 3000\n\nid: 7\nevent: summary\ndata: {"a":1}\n\n: \n\nid: 8\nevent: cells\ndata: x\ndata: y\n\ndata: plain\n\n';
const events = [
  { id: '7', event: 'summary', data: '{"a":1}' },
  { id: '8', event: 'cells', data: 'x\ny' },
  { id: '8', event: 'message', data: 'plain' },
];

describe('EventParser', () => {
  it('reads events, skips comments and retry', () => expect(new EventParser().feed(text)).toEqual(events));
  it('does not care where the text is cut', () => {
    for (let size = 1; size < 12; size++) {
      const parser = new EventParser();
      const found = [];
      for (let i = 0; i < text.length; i += size) found.push(...parser.feed(text.slice(i, i + size)));
      expect(found).toEqual(events);
    }
  });
  it('gives nothing until the empty line', () => {
    const parser = new EventParser();
    expect(parser.feed('event: summary\ndata: {}\n')).toEqual([]);
    expect(parser.feed('\n')).toEqual([{ id: '', event: 'summary', data: '{}' }]);
  });
  it('takes lines that end with CR LF, cut between the two', () => {
    const parser = new EventParser();
    expect([...parser.feed('data: 1\r'), ...parser.feed('\n\r\n')]).toEqual([{ id: '', event: 'message', data: '1' }]);
  });
});
