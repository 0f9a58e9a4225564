import { useEffect, useState } from 'preact/hooks';
import { api, type ColourMode, type GpuDetail } from '../api';
import { bandOfByte, valueOfByte } from '../lib/cells';
import { percent, sentence, value } from '../lib/format';
import { kBandNames } from '../parts/bands';
import { BandShape } from '../parts/icons';
import type { MapProps } from './fleet_map';
import { type Geometry, hostOf } from './geometry';

export const kModes: { name: ColourMode; text: string; unit: string | null }[] = [
  { name: 'health', text: 'Health', unit: null },
  { name: 'temperature', text: 'GPU temperature', unit: 'celsius' },
  { name: 'power', text: 'Power', unit: 'W' },
  { name: 'utilisation', text: 'Utilisation', unit: 'percent' },
  { name: 'coverage', text: 'Coverage', unit: 'ratio' },
];

export function modeValue(mode: ColourMode, v: number | null): string {
  return mode === 'coverage' ? percent(v) : value(v, kModes.find((m) => m.name === mode)?.unit ?? null);
}

function healthWords(map: MapProps, board: number): string {
  const byte = map.health[board] ?? 255;
  const band = kBandNames[bandOfByte(byte, map.edges)];
  return byte <= 100 ? `${band}, score ${byte}` : band;
}

/** For the screen reader: what the cursor is on. */
export function wordsOf(g: Geometry, map: MapProps, board: number): string {
  const host = hostOf(g, board);
  return `${host.name}, ${host.rack}: ${healthWords(map, board)}${host.silent ? ', host silent' : ''}`;
}

// The readings follow a moment later: a pointer that only passes asks the server nothing.
function useDetail(id: string): GpuDetail | null {
  const [detail, setDetail] = useState<GpuDetail | null>(null);
  useEffect(() => {
    const aborter = new AbortController();
    const timer = setTimeout(() => {
      api.gpu(id, aborter.signal).then(setDetail, () => undefined);
    }, 120);
    return () => {
      clearTimeout(timer);
      aborter.abort();
    };
  }, [id]);
  return detail?.id === id ? detail : null;
}

const kWidth = 270;

export function MapTip({ g, map, board, at }: { g: Geometry; map: MapProps; board: number; at: { x: number; y: number } }) {
  const id = g.ids[board]!;
  const host = hostOf(g, board);
  const detail = useDetail(id);
  const byte = map.health[board] ?? 255;
  const left = Math.max(6, Math.min(at.x + 14, innerWidth - kWidth - 6));
  const above = at.y > innerHeight * 0.62;
  const place = above ? { left: `${left}px`, bottom: `${innerHeight - at.y + 12}px` } : { left: `${left}px`, top: `${at.y + 16}px` };
  return (
    <div class="tip" style={place} aria-hidden="true">
      <b>{detail?.name ?? host.name}</b>
      <div class="tip-state">
        <BandShape band={bandOfByte(byte, map.edges)} />
        {healthWords(map, board)}
      </div>
      {host.silent && <div class="t-critical">Host silent: last values shown</div>}
      {map.mode !== 'health' && (
        <div>
          {kModes.find((m) => m.name === map.mode)?.text}:{' '}
          {modeValue(map.mode, valueOfByte(map.shown.bytes[board] ?? 255, map.shown.min, map.shown.max))}
        </div>
      )}
      <div class="t2">
        {detail
          ? `${value(detail.temperature, 'celsius')} · ${value(detail.power, 'W')} · ${value(detail.utilisation, 'percent')} busy`
          : ' '}
      </div>
      {detail?.top_finding && <div class="t2">{sentence(detail.top_finding)}</div>}
      <div class="t3 mono">{id}</div>
    </div>
  );
}
