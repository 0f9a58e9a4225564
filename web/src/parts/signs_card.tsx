import type { IncidentDetail, IncidentLine } from '../api';
import { exact, number } from '../lib/format';
import { bareDetail, type SignLane, signLanes, signWindow, tickWords } from '../lib/incidents';
import { gpuHref, hostHref } from '../lib/places';
import { Card, Empty } from './states';
import { type Column, DataTable } from './table';

function Lane({ lane }: { lane: SignLane }) {
  return (
    <div class="lane">
      <span class="lane-name" title={lane.says}>
        {lane.says}
        {lane.count > 1 && <span class="t3"> {number(lane.count)}</span>}
      </span>
      <div class="lane-track">
        {lane.dots.map((d, i) => (
          <i
            class={`lane-mark ${d.first ? 'loud-2' : 'loud-1'}`}
            style={{ left: `${d.x * 100}%` }}
            title={`${exact(d.at)}\n${d.words}`}
            key={`${d.at} ${i}`}
          >
            {d.first ? '1st' : ''}
          </i>
        ))}
      </div>
    </div>
  );
}

function Ticks({ from, to }: { from: number; to: number }) {
  return (
    <div class="lane-ticks t3" aria-hidden="true">
      {[0, 0.25, 0.5, 0.75].map((p) => (
        <span key={p}>{tickWords(from + p * (to - from), to - from)}</span>
      ))}
    </div>
  );
}

interface Row extends IncidentLine {
  first: boolean;
}

function Where({ line }: { line: IncidentLine }) {
  const href = line.gpu ? gpuHref(line.gpu, 'events') : line.host && hostHref(line.host);
  const text = line.gpu ?? line.host ?? 'not named';
  return href ? (
    <a class="link" href={href}>
      {text}
    </a>
  ) : (
    <>{text}</>
  );
}

const kCodes: Record<string, string> = { xid: 'Xid', sxid: 'SXid', dcgm_health: 'DCGM health' };

function facts(line: IncidentLine): string {
  const code = line.code === null ? '' : `${kCodes[line.kind ?? ''] ?? 'code'} ${line.code}`;
  const said = line.detail?.includes(code) ? '' : code;
  return [said, line.job && `job ${line.job}`, line.process && `process ${line.process}`].filter(Boolean).join(', ');
}

function What({ line }: { line: Row }) {
  const more = facts(line);
  return (
    <>
      {line.first && <b class="badge first-sign">first abnormal sign</b>}
      {bareDetail(line.detail ?? line.says, line.gpu, line.host)}
      {more && <span class="t3"> {more}</span>}
    </>
  );
}

const columns = (onePlace: boolean): Column<Row>[] => [
  { title: 'When, in UTC', cell: (l) => <time dateTime={l.at}>{exact(l.at).replace(' UTC', '')}</time> },
  { title: 'Sign', class: 'wrap', cell: (l) => <What line={l} /> },
  { title: 'Where', class: onePlace ? 'mono wide-only' : 'mono', cell: (l) => <Where line={l} /> },
];

/** All that was heard, on one line of time and in words, the oldest first. */
export function SignsCard({ incident }: { incident: IncidentDetail }) {
  const { lines, lines_left_out } = incident;
  if (lines.length === 0)
    return (
      <Card title="Signs" class="c12">
        <Empty>The signs of this incident are not kept any more.</Empty>
      </Card>
    );
  const { from, to } = signWindow(lines);
  const rows = [...lines].sort((a, b) => Date.parse(a.at) - Date.parse(b.at)).map((l, i) => ({ ...l, first: i === 0 }));
  return (
    <Card title="Signs" class="c12 signs" hint="on one line of time, in UTC">
      <div class="body lanes" data-testid="sign-lanes">
        {signLanes(incident, from, to).map((lane) => (
          <Lane lane={lane} key={lane.sign} />
        ))}
        <Ticks from={from} to={to} />
      </div>
      <DataTable
        label="Table of signs"
        class="sign-table"
        testid="signs"
        tall={rows.length > 12}
        columns={columns(new Set(lines.map((l) => l.gpu ?? l.host)).size === 1)}
        rows={rows}
        keyOf={(l, i) => `${l.at} ${l.sign} ${i}`}
      />
      {lines_left_out > 0 && <p class="note t3">{number(lines_left_out)} more signs were counted and are not kept one by one.</p>}
    </Card>
  );
}
