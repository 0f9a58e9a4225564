import { useRef, useState } from 'preact/hooks';
import { ApiError, api, storeKey } from '../api';

/** Takes an API key for this tab. One that does not open is said at the field and not kept. */
export function KeyForm({ label }: { label: string }) {
  const input = useRef<HTMLInputElement>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const submit = async (e: Event) => {
    e.preventDefault();
    const key = input.current?.value.trim() ?? '';
    try {
      await api.me(undefined, key);
      storeKey(key);
      // Every open connection has to ask again with the key.
      location.reload();
    } catch (error) {
      setProblem(error instanceof ApiError ? error.message : 'The key cannot be sent as it is.');
    }
  };
  return (
    <form class="key-form" onSubmit={submit}>
      <label>
        {label}
        <input
          ref={input}
          class="field"
          type="password"
          name="key"
          autocomplete="off"
          placeholder="ghm_…"
          pattern="[!-~]+"
          title="Letters, digits and signs, without spaces"
          required
        />
      </label>
      <button type="submit" class="btn">
        Use key
      </button>
      {problem && (
        <p class="t-critical" role="alert">
          {problem}
        </p>
      )}
    </form>
  );
}
