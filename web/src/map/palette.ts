import type { Band } from '../api';
import { type Palette, parseColour, type Rgb } from '../lib/colour';
import { kBands } from '../parts/bands';

/** The colours of the theme on screen. A probe element resolves light-dark(), which custom properties keep unresolved. */
export function readPalette(): Palette {
  const probe = document.createElement('i');
  document.body.append(probe);
  const read = (token: string): Rgb => {
    probe.style.color = `var(${token})`;
    return parseColour(getComputedStyle(probe).color);
  };
  const palette = {
    well: read('--well'),
    text: read('--tx'),
    dim: read('--tx3'),
    line: read('--line2'),
    bands: Object.fromEntries(kBands.map((b) => [b, read(`--${b}`)])) as Record<Band, Rgb>,
    ramp: [0, 1, 2, 3, 4, 5].map((i) => read(`--ramp${i}`)),
  };
  probe.remove();
  return palette;
}

export const css = ([r, g, b]: Rgb) => `rgb(${r} ${g} ${b})`;
