import type { Band } from '../api';

const kPaths = {
  grid: 'M3 3h6v6H3zM11 3h6v6h-6zM3 11h6v6H3zM11 11h6v6h-6z',
  incident: 'M10 3 17.5 16.5h-15zM10 8v4M10 14.2v.3',
  case: 'M3 7h14v9.5H3zM7.5 7V4.5h5V7M3 11.5h14M10 10.5v2',
  why: 'M10 2.5a7.5 7.5 0 1 0 0 15 7.5 7.5 0 0 0 0-15zM7.7 8a2.3 2.3 0 1 1 3.4 2c-.8.5-1.1.9-1.1 1.8M10 14v.3',
  thumb: 'M3.5 9h3v7.5h-3zM6.5 9l3-6c1.5 0 2.2 1 1.9 2.4L10.9 8h4.6c1 0 1.6.9 1.4 1.8l-1.3 5.4c-.2.8-.8 1.3-1.6 1.3H6.5',
  list: 'M3 5h14M3 10h14M3 15h14',
  refused: 'M4 4h12v8a6 5 0 0 1-12 0zM7.5 7l5 5M12.5 7l-5 5',
  about: 'M10 2.5a7.5 7.5 0 1 0 0 15 7.5 7.5 0 0 0 0-15zM10 9v5M10 6.2v.3',
  events: 'M10 2.5a7.5 7.5 0 1 0 0 15 7.5 7.5 0 0 0 0-15zM10 6v4.2l2.8 1.8',
  trust: 'M10 2.5l6.5 2.4v4.6c0 4-2.7 6.7-6.5 8-3.8-1.3-6.5-4-6.5-8V4.9zM7 9.8l2.2 2.2L13.2 8',
  assets: 'M3.5 6.5 10 3l6.5 3.5v7L10 17l-6.5-3.5zM3.5 6.5 10 10l6.5-3.5M10 10v7',
  wrench: 'M12.8 3.2a4.4 4.4 0 0 0-5.3 5.7L3 13.4 6.6 17l4.5-4.5a4.4 4.4 0 0 0 5.7-5.3l-2.7 2.7-2.8-.7-.7-2.8z',
  more: 'M4 10a.8.8 0 1 0 1.6 0 .8.8 0 1 0-1.6 0zM9.2 10a.8.8 0 1 0 1.6 0 .8.8 0 1 0-1.6 0zM14.4 10a.8.8 0 1 0 1.6 0 .8.8 0 1 0-1.6 0z',
  find: 'M9 3.5a5.5 5.5 0 1 0 0 11 5.5 5.5 0 0 0 0-11zM13 13l4 4',
  moon: 'M16 12.2A6.6 6.6 0 0 1 7.8 4a6.6 6.6 0 1 0 8.2 8.2z',
  sun: 'M10 6.6a3.4 3.4 0 1 0 0 6.8 3.4 3.4 0 0 0 0-6.8zM10 2v2.4M10 15.6V18M2 10h2.4M15.6 10H18M4.3 4.3 6 6M14 14l1.7 1.7M15.7 4.3 14 6M6 14l-1.7 1.7',
  auto: 'M10 3a7 7 0 1 0 0 14zM10 3a7 7 0 0 1 0 14',
  copy: 'M7 7h9v9H7zM13 7V4H4v9h3',
  chevron: 'M7 4l6 6-6 6',
  download: 'M10 3v9M6 8.5l4 4 4-4M4 16.5h12',
} as const;
export type IconName = keyof typeof kPaths;

export function Icon({ name }: { name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 20 20" aria-hidden="true">
      <path d={kPaths[name]} />
    </svg>
  );
}

// Shape repeats what colour says, for those who see no difference.
const kShapes: Record<Band, preact.JSX.Element> = {
  healthy: <circle cx="6" cy="6" r="5" fill="currentColor" />,
  watch: <path d="M6 .3 11.7 6 6 11.7.3 6z" fill="currentColor" />,
  degraded: <path d="M6 .8 11.6 11H.4z" fill="currentColor" />,
  critical: (
    <>
      <path d="M1 1h10v10H1z" fill="currentColor" />
      <path d="M6 3v4M6 8.4v.9" stroke="var(--s1)" stroke-width="1.6" />
    </>
  ),
  out_of_service: <path d="M2 1h3v10H2zM7 1h3v10H7z" fill="currentColor" />,
  no_data: <circle cx="6" cy="6" r="4.4" fill="none" stroke="currentColor" stroke-width="1.6" stroke-dasharray="2.2 1.6" />,
};

export function BandShape({ band }: { band: Band }) {
  return (
    <svg class={`shape t-${band}`} viewBox="0 0 12 12" aria-hidden="true">
      {kShapes[band]}
    </svg>
  );
}

export function Mark() {
  return (
    <svg class="mark" viewBox="0 0 34 34" aria-hidden="true">
      <rect x="1" y="1" width="32" height="32" rx="8" fill="var(--s2)" />
      {[0, 1, 2].flatMap((y) =>
        [0, 1, 2].map((x) => {
          const odd = x === 2 && y === 0;
          return (
            <rect
              key={`${x}${y}`}
              x={7 + x * 7.2}
              y={7 + y * 7.2}
              width="5.6"
              height="5.6"
              rx="1.2"
              fill={odd ? 'var(--watch)' : 'var(--healthy-t)'}
              opacity={odd ? 1 : 0.35 + 0.2 * ((x + y) % 3)}
            />
          );
        }),
      )}
    </svg>
  );
}
