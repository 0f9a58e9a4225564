// What an operator does with a case: the next step, a note, and the end.
import { useRef, useState } from 'preact/hooks';
import { api, type CaseAdvance, type CaseClosing, type CaseDetail, type CaseOutcome, type CaseState } from '../api';
import { kOutcomeChoices, kSwapping, stepChoices } from '../lib/case_steps';
import { readable } from '../lib/format';

interface FormProps {
  of: CaseDetail;
  denied: string | null;
  act: (doing: Promise<CaseDetail>, said: string) => Promise<boolean>;
}

const text = (data: FormData, name: string) => `${data.get(name) ?? ''}`.trim();

function costOf(data: FormData): number | undefined {
  const cost = Number(text(data, 'cost'));
  return text(data, 'cost') && Number.isFinite(cost) ? cost : undefined;
}

// A test is told where it took place; one that failed leads back by itself.
const testedAt = (from: CaseState, to: CaseState) => (to === 'acting' ? from : to);

/** The body of a step as its form says it: where it leads says whether the test passed. */
function advanceOf(data: FormData, from: CaseState, to: CaseState): CaseAdvance {
  const note = text(data, 'note');
  const test = text(data, 'test');
  const detail = text(data, 'detail');
  const replaced = text(data, 'replaced_by');
  const cost = costOf(data);
  return {
    to: test ? testedAt(from, to) : to,
    ...(note && { note }),
    ...(test && { test: { name: test, passed: to === 'watching', ...(detail && { detail }) } }),
    ...(replaced && { replaced_by: replaced }),
    ...(cost !== undefined && { cost }),
  };
}

function Field({ name, label, hint, required = false }: { name: string; label: string; hint?: string; required?: boolean }) {
  return (
    <label class="long">
      <span class="t2">{label}</span>
      <input class="field" name={name} required={required} maxLength={name === 'note' ? 500 : 200} autocomplete="off" placeholder={hint} />
    </label>
  );
}

function Cost() {
  return (
    <label>
      <span class="t2">Cost so far, if known</span>
      <input class="field" name="cost" type="number" min={0} step="any" inputMode="decimal" />
    </label>
  );
}

function StepFields({ of: c, to }: { of: CaseDetail; to: CaseState }) {
  const tests = to === 'watching' || (to === 'acting' && c.state === 'testing');
  const failed = to === 'acting';
  const tested = c.next.find((n) => n.to === 'watching')?.needs.length === 0;
  return (
    <>
      {to === 'testing' && kSwapping.has(c.action) && <Field name="replaced_by" label="Serial of the new board" hint="1650…" />}
      {tests && (
        <>
          <Field
            name="test"
            label={failed ? 'The test that failed, if one did' : 'The test that passed'}
            hint="dcgmi diag -r 3"
            required={!failed && !tested}
          />
          <Field name="detail" label="What it said" />
        </>
      )}
      <Field
        name="note"
        label={c.state === 'watching' ? 'What came back' : 'Note'}
        hint={to === 'acting' && c.state === 'open' ? 'drained, technician on the way' : ''}
        required={c.state === 'watching'}
      />
      {to !== 'acting' && <Cost />}
    </>
  );
}

/** Leads a case on. What is missing for a step is said before it is tried. */
export function AdvanceForm({ of: c, denied, act }: FormProps) {
  const form = useRef<HTMLFormElement>(null);
  const choices = stepChoices(c);
  const [chosen, setChosen] = useState<CaseState | null>(null);
  const choice = choices.find((s) => s.to === chosen) ?? choices[0];
  if (!choice) return null;
  const submit = async (e: Event) => {
    e.preventDefault();
    if (denied) return;
    const body = advanceOf(new FormData(form.current!), c.state, choice.to);
    if (await act(api.advanceCase(c.id, body), `Case ${c.id} is ${choice.to} now.`)) form.current?.reset();
  };
  return (
    <form ref={form} class="form case-form" onSubmit={submit} aria-label="Lead the case on">
      {choices.length > 1 && (
        <fieldset class="seg case-choice" aria-label="What happened?">
          {choices.map((s) => (
            <button type="button" key={s.to} aria-pressed={s.to === choice.to} onClick={() => setChosen(s.to)}>
              {s.text}
            </button>
          ))}
        </fieldset>
      )}
      {choice.needs.length > 0 && (
        <ul class="needs" data-testid="needs">
          {choice.needs.map((n) => (
            <li key={n}>{readable(n)}</li>
          ))}
        </ul>
      )}
      <StepFields of={c} to={choice.to} key={choice.to} />
      <button type="submit" class="btn primary" aria-disabled={denied !== null} aria-describedby={denied ? 'why-not' : undefined}>
        {choice.button}
      </button>
    </form>
  );
}

export function NoteForm({ of: c, denied, act }: FormProps) {
  const form = useRef<HTMLFormElement>(null);
  const submit = async (e: Event) => {
    e.preventDefault();
    const note = text(new FormData(form.current!), 'note');
    if (denied || !note) return;
    if (await act(api.noteCase(c.id, note), 'The note is kept.')) form.current?.reset();
  };
  return (
    <form ref={form} class="form" onSubmit={submit} aria-label="Write a note">
      <Field name="note" label="Note" hint="part ordered, two weeks" required={true} />
      <button type="submit" class="btn" aria-disabled={denied !== null} aria-describedby={denied ? 'why-not' : undefined}>
        Keep
      </button>
    </form>
  );
}

/** The end: helped where that is proven, else what became of it, with a reason. */
export function CloseForm({ of: c, denied, act }: FormProps) {
  const form = useRef<HTMLFormElement>(null);
  const proven = c.next.some((n) => n.to === 'closed' && n.needs.length === 0);
  const [outcome, setOutcome] = useState<CaseOutcome | ''>(proven ? '' : 'cannot_tell');
  const submit = async (e: Event) => {
    e.preventDefault();
    if (denied) return;
    const data = new FormData(form.current!);
    const reason = text(data, 'reason');
    const cost = costOf(data);
    const body: CaseClosing = { ...(outcome && { outcome }), ...(reason && { reason }), ...(cost !== undefined && { cost }) };
    await act(api.closeCase(c.id, body), `Case ${c.id} is closed.`);
  };
  return (
    <form ref={form} class="form" onSubmit={submit} aria-label="Close this case">
      <label>
        <span class="t2">What became of it</span>
        <select class="field" name="outcome" value={outcome} onChange={(e) => setOutcome(e.currentTarget.value as CaseOutcome | '')}>
          {kOutcomeChoices.map((o) => (
            <option value={o.value} key={o.value}>
              {o.text}
            </option>
          ))}
        </select>
      </label>
      <Field name="reason" label={outcome ? 'Reason' : 'Reason, if there is more to say'} required={outcome !== ''} />
      <Cost />
      <button type="submit" class="btn" aria-disabled={denied !== null} aria-describedby={denied ? 'why-not' : undefined}>
        Close the case
      </button>
    </form>
  );
}
