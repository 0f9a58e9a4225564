import { useState } from 'preact/hooks';

/** Long words, such as an exporter's error: two lines of them, all of them on demand. */
export function Clamp({ text }: { text: string }) {
  const [open, setOpen] = useState(false);
  const long = text.length > 90;
  return (
    <div class="clamp">
      <span class={long && !open ? 'clamped' : ''} title={text}>
        {text}
      </span>
      {long && (
        <button type="button" class="link quiet" aria-expanded={open} onClick={() => setOpen(!open)}>
          {open ? 'less' : 'all of it'}
        </button>
      )}
    </div>
  );
}
