// The question of the page Why: about whom, when, and how far back.
import { useRef, useState } from 'preact/hooks';
import { navigate } from '../app/router';
import { atOf, fieldOf, kDays, kUsualDays, kWhats, type Question, whyHref } from '../lib/why';
import { Card } from './states';

function AskForm({ question }: { question: Question | null }) {
  const form = useRef<HTMLFormElement>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const submit = (e: Event) => {
    e.preventDefault();
    const data = new FormData(form.current!);
    const text = (name: string) => `${data.get(name) ?? ''}`.trim();
    const at = atOf(text('at'));
    if (!at) return setProblem('Say when, in UTC, or leave it empty for now.');
    setProblem(null);
    navigate(whyHref({ what: text('what') as Question['what'], name: text('name'), at: at.at, days: Number(text('days')) }));
  };
  const days = [...new Set([...kDays, question?.days ?? kUsualDays])].sort((a, b) => a - b);
  return (
    <form ref={form} class="form why-form" onSubmit={submit} aria-label="Ask why" key={JSON.stringify(question)}>
      <label>
        <span class="t2">About</span>
        <select class="field" name="what">
          {kWhats.map((w) => (
            <option value={w.value} key={w.value} selected={w.value === 'any'}>
              {w.text}
            </option>
          ))}
        </select>
      </label>
      <label class="long">
        <span class="t2">Serial, UUID, host:slot, host or job</span>
        <input
          class="field"
          name="name"
          required
          maxLength={200}
          autocomplete="off"
          spellcheck={false}
          defaultValue={question?.name ?? ''}
        />
      </label>
      <label>
        <span class="t2">When, in UTC; empty is now</span>
        <input class="field" name="at" type="datetime-local" step={1} defaultValue={fieldOf(question?.at ?? null)} />
      </label>
      <label class="short">
        <span class="t2">Looking back</span>
        <select class="field" name="days">
          {days.map((d) => (
            <option value={d} key={d} selected={d === (question?.days ?? kUsualDays)}>
              {d === 1 ? '1 day' : `${d} days`}
            </option>
          ))}
        </select>
      </label>
      <button type="submit" class="btn primary">
        Ask why
      </button>
      {problem && (
        <p class="t-critical" role="alert">
          {problem}
        </p>
      )}
    </form>
  );
}

/** With an answer on screen the form is out of its way. */
export function AskAgain({ question }: { question: Question }) {
  return (
    <details class="ask-again">
      <summary class="link">Ask about something else</summary>
      <AskForm question={question} />
    </details>
  );
}

/** The question on a card of its own, where there is no answer yet. */
export function Ask({ question }: { question: Question | null }) {
  return (
    <Card title="Ask">
      <div class="body">
        <AskForm question={question} />
      </div>
    </Card>
  );
}
