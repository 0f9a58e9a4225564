// Server-sent events from a fetch body: EventSource cannot send a key, and hides the heartbeats that tell a dead line
// from a quiet one. https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation

export interface ServerEvent {
  id: string;
  event: string;
  data: string;
}

/** Feed it text as it comes; it gives the events that are complete. */
export class EventParser {
  private rest = '';
  private id = '';
  private event = '';
  private data: string[] = [];

  feed(text: string): ServerEvent[] {
    const lines = (this.rest + text).split(/\r\n|\n|\r(?!$)/);
    this.rest = lines.pop() ?? '';
    const done: ServerEvent[] = [];
    for (const line of lines) {
      if (line !== '') this.field(line);
      else if (this.data.length > 0) done.push(this.take());
      else this.event = '';
    }
    return done;
  }

  private field(line: string): void {
    const colon = line.indexOf(':');
    if (colon === 0) return;
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (name === 'data') this.data.push(value);
    else if (name === 'event') this.event = value;
    else if (name === 'id') this.id = value;
  }

  private take(): ServerEvent {
    const event = { id: this.id, event: this.event || 'message', data: this.data.join('\n') };
    this.event = '';
    this.data = [];
    return event;
  }
}
