interface Props {
  share: number | null;
  low: number | null;
  high: number | null;
}

/** A share as a dot on a line from 0 to 100 %, with the range in which it may lie as a bar behind it. */
export function RangeBar({ share, low, high }: Props) {
  return (
    <span class="range-bar" aria-hidden="true">
      {low !== null && high !== null && <i style={{ left: `${low * 100}%`, width: `${(high - low) * 100}%` }} />}
      {share !== null && <b style={{ left: `${share * 100}%` }} />}
    </span>
  );
}
