// The bytes of the fleet map: GET /fleet/cells (24-byte head, then one byte per board) and the stream's base64 without head.
import type { Band } from '../api';

export const kOutOfService = 254;
export const kNoData = 255;
export const kScaleSteps = 250;
const kHead = 24;

export interface Cells {
  layoutVersion: number;
  asOfMs: number;
  min: number;
  max: number;
  bytes: Uint8Array;
}

/** Throws when the bytes are not a cells answer. */
export function decodeCells(buffer: ArrayBuffer): Cells {
  const view = new DataView(buffer);
  const magic = buffer.byteLength >= kHead ? String.fromCharCode(...new Uint8Array(buffer, 0, 4)) : '';
  if (magic !== 'GHMC') throw new Error('This is not an answer of fleet/cells.');
  return {
    layoutVersion: view.getUint32(4, true),
    asOfMs: Number(view.getBigInt64(8, true)),
    min: view.getFloat32(16, true),
    max: view.getFloat32(20, true),
    bytes: new Uint8Array(buffer, kHead),
  };
}

export function bytesOfBase64(text: string): Uint8Array {
  const raw = atob(text);
  return Uint8Array.from(raw, (c) => c.charCodeAt(0));
}

export interface BandEdge {
  name: Band;
  from: number;
}

// As GET /meta gives them; these stand until it has answered.
export const kBandEdges: BandEdge[] = [
  { name: 'healthy', from: 80 },
  { name: 'watch', from: 70 },
  { name: 'degraded', from: 50 },
  { name: 'critical', from: 0 },
];

/** Band of a byte in the colour "health". */
export function bandOfByte(byte: number, edges = kBandEdges): Band {
  if (byte === kOutOfService) return 'out_of_service';
  if (byte > 100) return 'no_data';
  return edges.find((e) => byte >= e.from)?.name ?? 'critical';
}

/** The value that a scaled byte stands for; null for out of service and no data. */
export function valueOfByte(byte: number, min: number, max: number): number | null {
  return byte > kScaleSteps ? null : min + (byte / kScaleSteps) * (max - min);
}

export function countBands(bytes: Uint8Array, edges = kBandEdges): Record<Band, number> {
  const counts: Record<Band, number> = { healthy: 0, watch: 0, degraded: 0, critical: 0, out_of_service: 0, no_data: 0 };
  for (const byte of bytes) counts[bandOfByte(byte, edges)]++;
  return counts;
}
