import { ApiError } from '../api';

export interface Said {
  text: string;
  bad: boolean;
}

export const words = (error: unknown) => (error instanceof ApiError ? error.message : 'The answer could not be read.');

/** What came of the last thing that was done here. */
export function Outcome({ said }: { said: Said | null }) {
  return (
    <p class={`outcome ${said?.bad ? 't-critical' : ''}`} role="status" data-testid="outcome">
      {said?.text}
    </p>
  );
}
