import { api, type Coverage } from '../api';
import { summary } from '../app/live';
import { meta } from '../app/meta';
import { count, exact, kDash, number, percent, sentence, title } from '../lib/format';
import { coverageTone, coverageWords, doubts, inputName, reasons, trustHeadline, weakest } from '../lib/trust';
import { AsOf, When } from '../parts/as_of';
import { Card, Empty, ErrorNote, Scroll, Skeleton } from '../parts/states';
import { useData, useRefresh } from '../parts/use_data';

const gpuHref = (id: string) => `/gpus/${encodeURIComponent(id)}?tab=history`;

function Share({ share, quiet }: { share: number | null; quiet: boolean }) {
  return (
    <span class={`meter ${quiet ? '' : 'weak'}`}>
      <i>
        <i style={{ width: `${(share ?? 0) * 100}%` }} />
      </i>
      <b class="meter-value">{percent(share)}</b>
    </span>
  );
}

type DimensionCoverage = Coverage['dimensions'][number];

// This version cannot judge every dimension; then nothing is missing, for nothing is looked for.
const isJudged = (dimension: string) => meta.value?.dimensions.find((m) => m.name === dimension)?.available ?? true;

function Missing({ d }: { d: DimensionCoverage }) {
  if (!isJudged(d.name)) return <span class="t3">not scored in this version</span>;
  if (d.missing.length === 0) return <span class="t3">nothing</span>;
  return (
    <ul class="missing">
      {d.missing.map((m) => (
        <li key={m.input} title={m.input}>
          {inputName(m.input)} <span class="t3">{count(m.boards, 'GPU')}</span>
        </li>
      ))}
    </ul>
  );
}

function Dimensions({ c }: { c: Coverage }) {
  return (
    <Card title="Coverage by dimension" class="c7" hint={<AsOf at={c.as_of} />}>
      <Scroll label="Table of coverage by dimension">
        <table data-testid="dimensions">
          <thead>
            <tr>
              <th scope="col">Dimension</th>
              <th scope="col">Inputs found</th>
              <th scope="col" class="r">
                GPUs scored
              </th>
              <th scope="col">Missing inputs</th>
            </tr>
          </thead>
          <tbody>
            {c.dimensions.map((d) => (
              <tr key={d.name}>
                <th scope="row">{title(d.name)}</th>
                <td>
                  <Share share={d.coverage} quiet={coverageTone(d.coverage) === 'plain'} />
                </td>
                <td class="r">
                  {number(d.boards_available)} <span class="t3">of {number(c.total_gpus)}</span>
                </td>
                <td class="wrap">
                  <Missing d={d} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
    </Card>
  );
}

function Models({ c }: { c: Coverage }) {
  return (
    <Card title="Coverage by model" class="c5" hint={<AsOf at={c.as_of} />}>
      {c.models.length === 0 && <Empty>No GPU has a score yet; the first comes a minute after its first reading.</Empty>}
      {c.models.length > 0 && (
        <Scroll label="Table of coverage by model">
          <table data-testid="models">
            <thead>
              <tr>
                <th scope="col">Model</th>
                <th scope="col" class="r">
                  GPUs scored
                </th>
                <th scope="col">Inputs found</th>
              </tr>
            </thead>
            <tbody>
              {c.models.map((m) => (
                <tr key={m.model ?? ''}>
                  <th scope="row">{m.model ?? 'model not known'}</th>
                  <td class="r">{number(m.boards)}</td>
                  <td>
                    <Share share={m.coverage} quiet={true} />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </Scroll>
      )}
    </Card>
  );
}

const worked = (maintenance: boolean) => (maintenance ? 'yes' : <span class="t3">no</span>);

function SilentHosts({ c }: { c: Coverage }) {
  const all = Math.max(summary.value?.silent_hosts ?? 0, c.silent_hosts.length);
  return (
    <Card
      title={c.silent_hosts.length === 0 ? 'Silent hosts' : count(all, 'silent host')}
      class="c7"
      hint={
        <>
          {all > c.silent_hosts.length && `${number(c.silent_hosts.length)} are listed, `}
          <AsOf at={c.as_of} />
        </>
      }
    >
      {c.silent_hosts.length === 0 && <Empty>Every host answers.</Empty>}
      {c.silent_hosts.length > 0 && (
        <Scroll label="Table of silent hosts" tall>
          <table data-testid="silent-hosts">
            <thead>
              <tr>
                <th scope="col">Host</th>
                <th scope="col">Last answer</th>
                <th scope="col" class="r">
                  GPUs
                </th>
                <th scope="col">Maintenance</th>
                <th scope="col">What went wrong</th>
              </tr>
            </thead>
            <tbody>
              {c.silent_hosts.map((h) => (
                <tr key={h.host}>
                  <th scope="row">
                    <a class="link" href={`/gpus?host=${encodeURIComponent(h.host)}`}>
                      {h.host}
                    </a>
                  </th>
                  <td>{h.last_answer ? <When at={h.last_answer} /> : 'never'}</td>
                  <td class="r">{number(h.boards)}</td>
                  <td>{worked(h.maintenance)}</td>
                  <td class="wrap t2">{h.error ?? 'It answers no more; nothing else is known.'}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </Scroll>
      )}
    </Card>
  );
}

function SilentGpus({ c }: { c: Coverage }) {
  const all = Math.max(c.total_gpus - c.reporting_gpus, c.silent_gpus.length);
  return (
    <Card
      title={c.silent_gpus.length === 0 ? 'Silent GPUs' : count(all, 'silent GPU')}
      class="c5"
      hint={
        <>
          {all > c.silent_gpus.length && `${number(c.silent_gpus.length)} are listed, `}
          <AsOf at={c.as_of} />
        </>
      }
    >
      {c.silent_gpus.length === 0 && <Empty>Every GPU in service is on its host’s page.</Empty>}
      {c.silent_gpus.length > 0 && (
        <Scroll label="Table of silent GPUs" tall>
          <table data-testid="silent-gpus">
            <thead>
              <tr>
                <th scope="col">GPU</th>
                <th scope="col">Seen</th>
                <th scope="col">Maintenance</th>
              </tr>
            </thead>
            <tbody>
              {c.silent_gpus.map((g) => (
                <tr key={g.id}>
                  <th scope="row">
                    <a class="link" href={gpuHref(g.id)} title={g.id}>
                      {g.name}
                    </a>
                  </th>
                  <td>{g.last_seen ? <When at={g.last_seen} /> : 'never'}</td>
                  <td>{worked(g.maintenance)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </Scroll>
      )}
    </Card>
  );
}

function Conflicts({ c }: { c: Coverage }) {
  return (
    <Card title="Claims that contradict each other" class="c7" hint={<AsOf at={c.as_of} />}>
      {c.conflicts.length === 0 && <Empty>None: no two sources claim the same GPU, and the inventory agrees with the pages.</Empty>}
      {c.conflicts.length > 0 && (
        <Scroll label="Table of claims that contradict each other" tall>
          <table data-testid="conflicts">
            <thead>
              <tr>
                <th scope="col">GPU</th>
                <th scope="col">Claimed by</th>
                <th scope="col">Since</th>
                <th scope="col">What is wrong</th>
              </tr>
            </thead>
            <tbody>
              {c.conflicts.map((x) => (
                <tr key={`${x.kind} ${x.id} ${x.claims}`}>
                  <th scope="row" class="mono">
                    {x.id ? (
                      <a class="link" href={gpuHref(x.id)}>
                        {x.id}
                      </a>
                    ) : (
                      kDash
                    )}
                  </th>
                  <td>{x.claims}</td>
                  <td title={`last noticed ${exact(x.last)}`}>
                    <When at={x.since} />
                  </td>
                  <td class="wrap t2">{sentence(x.detail)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </Scroll>
      )}
    </Card>
  );
}

function Refused({ c }: { c: Coverage }) {
  const rows = reasons(c);
  return (
    <Card title="Refused values by reason" class="c5" hint={<AsOf at={c.as_of} />}>
      {rows.length === 0 && <Empty>None of {number(c.values.accepted)} values was refused since the server started.</Empty>}
      {rows.length > 0 && (
        <Scroll label="Table of refused values by reason">
          <table data-testid="refused">
            <thead>
              <tr>
                <th scope="col">Reason</th>
                <th scope="col" class="r">
                  Values
                </th>
              </tr>
            </thead>
            <tbody>
              {rows.map((r) => (
                <tr key={r.reason}>
                  <th scope="row">
                    <a class="link" href={`/quarantine?reason=${encodeURIComponent(r.reason)}`}>
                      {title(r.reason)}
                    </a>
                  </th>
                  <td class="r">{number(r.count)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </Scroll>
      )}
      <a class="more" href="/quarantine">
        Which sources and metrics
      </a>
    </Card>
  );
}

function LeastKnown({ c }: { c: Coverage }) {
  return (
    <Card title="GPUs of which the least is known" class="c12" hint={<AsOf at={c.as_of} />}>
      {c.items.length === 0 && (
        <Empty>{c.coverage === null ? 'No GPU has a score yet.' : 'All that scores look at is known of every GPU.'}</Empty>
      )}
      {c.items.length > 0 && (
        <Scroll label="Table of GPUs of which the least is known" tall>
          <table data-testid="least-known">
            <thead>
              <tr>
                <th scope="col">GPU</th>
                <th scope="col">Inputs found</th>
                <th scope="col">Where it lacks</th>
              </tr>
            </thead>
            <tbody>
              {c.items.map((g) => (
                <tr key={g.id}>
                  <th scope="row">
                    <a class="link" href={`/gpus/${encodeURIComponent(g.id)}`} title={g.id}>
                      {g.name}
                    </a>
                  </th>
                  <td>
                    <Share share={g.coverage} quiet={true} />
                  </td>
                  <td class="wrap t2">{sentence(weakest(g.dimensions, isJudged)) || 'little'}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </Scroll>
      )}
    </Card>
  );
}

function Story({ c }: { c: Coverage }) {
  const why = doubts(c);
  return (
    <div class="story">
      <h1 data-testid="trust-headline">{trustHeadline(c)}</h1>
      <p data-testid="doubts">
        {[coverageWords(c), ...(why.length === 0 ? ['Nothing speaks against these numbers'] : why)].map((s) => `${s}.`).join(' ')}
      </p>
    </div>
  );
}

/** Can I trust this screen? Coverage, silence, contradictions, refusals. */
export function Trust() {
  const { value, error, reload } = useData('coverage', (signal) => api.coverage(signal));
  useRefresh(reload, summary.value?.as_of, 5000);
  return (
    <>
      {value ? (
        <Story c={value} />
      ) : (
        <div class="story">
          <h1>Can I trust this screen?</h1>
        </div>
      )}
      {error && <ErrorNote error={error} retry={reload} />}
      {!value && !error && <Skeleton rows={9} />}
      {value && (
        <div class="grid">
          <Dimensions c={value} />
          <Models c={value} />
          <SilentHosts c={value} />
          <SilentGpus c={value} />
          <Conflicts c={value} />
          <Refused c={value} />
          <LeastKnown c={value} />
        </div>
      )}
    </>
  );
}
