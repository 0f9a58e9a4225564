import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { ApiError } from '../api';

export interface Data<T> {
  value: T | null;
  error: ApiError | null;
  reload: () => void;
}

/** Loads when `key` changes and on reload(). The value before stays while the same key loads again, so nothing flickers. */
export function useData<T>(key: string, load: (signal: AbortSignal) => Promise<T>): Data<T> {
  const [state, setState] = useState<{ key: string; value: T | null; error: ApiError | null }>({ key, value: null, error: null });
  const [turn, setTurn] = useState(0);
  const loader = useRef(load);
  loader.current = load;
  useEffect(() => {
    const aborter = new AbortController();
    loader.current(aborter.signal).then(
      (value) => {
        if (!aborter.signal.aborted) setState({ key, value, error: null });
      },
      (error) => {
        if (aborter.signal.aborted) return;
        const known = error instanceof ApiError ? error : new ApiError('The answer could not be read.', 0, null);
        setState((s) => ({ key, value: s.key === key ? s.value : null, error: known }));
      },
    );
    return () => aborter.abort();
  }, [key, turn]);
  const reload = useCallback(() => setTurn((t) => t + 1), []);
  const fresh = state.key === key;
  return { value: fresh ? state.value : null, error: fresh ? state.error : null, reload };
}

/** Calls reload when `tick` changes, at most once per `everyMs`, and not while `hold` says that somebody points at it. */
export function useRefresh(reload: () => void, tick: unknown, everyMs: number, hold?: () => boolean): void {
  const last = useRef(Date.now());
  useEffect(() => {
    if (Date.now() - last.current < everyMs || hold?.() || document.hidden) return;
    last.current = Date.now();
    reload();
  }, [tick]);
}
