import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseColour, type Rgb } from '../lib/colour';

const css = readFileSync(new URL('./tokens.css', import.meta.url), 'utf8');
const tokens = Object.fromEntries(
  [...css.matchAll(/--([\w-]+): light-dark\((#\w+), (#\w+)\)/g)].map(([, name, light, dark]) => [name, { light: light!, dark: dark! }]),
);
const themes = ['light', 'dark'] as const;

const linear = (v: number) => (v <= 0.04045 * 255 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4);

// https://www.w3.org/TR/WCAG22/#dfn-relative-luminance
function luminance([r, g, b]: Rgb): number {
  return 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
}
function contrast(a: string, b: string): number {
  const [low, high] = [luminance(parseColour(a)), luminance(parseColour(b))].sort((x, y) => x - y);
  return (high! + 0.05) / (low! + 0.05);
}

// https://bottosson.github.io/posts/oklab/
function oklab(linearRgb: number[]): number[] {
  const [r, g, b] = linearRgb as Rgb;
  const l = Math.cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b);
  const m = Math.cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b);
  const s = Math.cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b);
  return [
    0.2104542553 * l + 0.793617785 * m - 0.0040720468 * s,
    1.9779984951 * l - 2.428592205 * m + 0.4505937099 * s,
    0.0259040371 * l + 0.7827717662 * m - 0.808675766 * s,
  ];
}

// Machado, Oliveira, Fernandes: A physiologically-based model for simulation of color vision deficiency (2009), severity 1.
const eyes: Record<string, number[][]> = {
  normal: [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ],
  protanopia: [
    [0.152286, 1.052583, -0.204868],
    [0.114503, 0.786281, 0.099216],
    [-0.003882, -0.048116, 1.051998],
  ],
  deuteranopia: [
    [0.367322, 0.860646, -0.227968],
    [0.280085, 0.672501, 0.047413],
    [-0.01182, 0.04294, 0.968881],
  ],
  tritanopia: [
    [1.255528, -0.076749, -0.178779],
    [-0.078411, 0.930809, 0.147602],
    [0.004733, 0.691367, 0.3039],
  ],
};

function seen(colour: string, eye: number[][]): number[] {
  const rgb = parseColour(colour).map(linear);
  return oklab(
    eye.map((row) =>
      Math.min(
        1,
        Math.max(
          0,
          row.reduce((sum, k, i) => sum + k * rgb[i]!, 0),
        ),
      ),
    ),
  );
}
const distance = (a: number[], b: number[]) => 100 * Math.hypot(...a.map((v, i) => v - b[i]!));

describe.each(themes)('%s theme', (theme) => {
  const of = (name: string) => tokens[name]![theme];
  const texts = ['tx', 'tx2', 'tx3', 'acc', ...Object.keys(tokens).filter((t) => t.endsWith('-t'))];

  it.each(texts)('%s can be read on page, card and raised ground', (text) => {
    for (const ground of ['bg', 's1', 's2']) expect(contrast(of(text), of(ground)), ground).toBeGreaterThanOrEqual(4.5);
  });
  it.each(['watch', 'degraded', 'critical'])('%s stands out from the map', (band) =>
    expect(contrast(of(band), of('well'))).toBeGreaterThanOrEqual(3),
  );
  it.each(Object.keys(eyes))('the four health colours are apart for %s', (eye) => {
    const fills = ['healthy', 'watch', 'degraded', 'critical'].map((b) => seen(of(b), eyes[eye]!));
    for (let i = 0; i < 4; i++) for (let j = i + 1; j < 4; j++) expect(distance(fills[i]!, fills[j]!)).toBeGreaterThan(7);
  });
});
