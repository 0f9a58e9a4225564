import { describe, expect, it } from 'vitest';
import { bandOfByte, bytesOfBase64, countBands, decodeCells, valueOfByte } from './cells';

function answer(cells: number[]): ArrayBuffer {
  const buffer = new ArrayBuffer(24 + cells.length);
  const view = new DataView(buffer);
  for (const [i, c] of [...'GHMC'].entries()) view.setUint8(i, c.charCodeAt(0));
  view.setUint32(4, 0xfedcba98, true);
  view.setBigInt64(8, 1_770_663_600_000n, true);
  view.setFloat32(16, 30, true);
  view.setFloat32(20, 80.5, true);
  new Uint8Array(buffer, 24).set(cells);
  return buffer;
}

describe('decodeCells', () => {
  it('reads head and bytes', () => {
    const cells = decodeCells(answer([97, 254, 255]));
    expect(cells).toMatchObject({ layoutVersion: 0xfedcba98, asOfMs: 1_770_663_600_000, min: 30, max: 80.5 });
    expect([...cells.bytes]).toEqual([97, 254, 255]);
  });
  it('takes an empty fleet', () => expect(decodeCells(answer([])).bytes.length).toBe(0));
  it('refuses anything else', () => {
    expect(() => decodeCells(new ArrayBuffer(3))).toThrow();
    expect(() => decodeCells(new TextEncoder().encode('{"title":"not found", "status": 404}').buffer as ArrayBuffer)).toThrow();
  });
});

describe('bytes', () => {
  it('come from base64', () => expect([...bytesOfBase64('Yf7/AA==')]).toEqual([97, 254, 255, 0]));
  it.each([
    [100, 'healthy'],
    [80, 'healthy'],
    [79, 'watch'],
    [70, 'watch'],
    [69, 'degraded'],
    [50, 'degraded'],
    [49, 'critical'],
    [0, 'critical'],
    [254, 'out_of_service'],
    [255, 'no_data'],
    [101, 'no_data'],
  ])('%s is %s', (byte, band) => expect(bandOfByte(byte)).toBe(band));
  it('follow the edges of the server', () =>
    expect(
      bandOfByte(85, [
        { name: 'healthy', from: 90 },
        { name: 'watch', from: 0 },
      ]),
    ).toBe('watch'));
  it('scale between min and max', () => {
    expect(valueOfByte(0, 30, 80)).toBe(30);
    expect(valueOfByte(125, 30, 80)).toBe(55);
    expect(valueOfByte(250, 30, 80)).toBe(80);
    expect(valueOfByte(254, 30, 80)).toBeNull();
    expect(valueOfByte(255, 30, 80)).toBeNull();
  });
  it('are counted by band', () =>
    expect(countBands(Uint8Array.of(97, 82, 75, 12, 254, 255))).toEqual({
      healthy: 2,
      watch: 1,
      degraded: 0,
      critical: 1,
      out_of_service: 1,
      no_data: 1,
    }));
});
