import { KeyForm } from './key_form';

/** Why a visitor cannot do what the page offers (`why-not` describes its buttons), and where a key goes. */
export function Denied({ why }: { why: string }) {
  return (
    <div class="body denied">
      <p id="why-not" class="t2" data-testid="why-not">
        {why} <code>ghm keys create --role operator</code> makes a key.
      </p>
      <KeyForm label="Key, kept in this tab only" />
    </div>
  );
}
