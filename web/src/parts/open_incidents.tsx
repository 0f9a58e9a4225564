import { askIncidents, incidentsError, openCount, openIncidents } from '../app/incidents';
import { IncidentList } from './incident_list';
import { Card, Empty, ErrorNote, Skeleton } from './states';

const kRows = 3;

/** On the overview: the worst of what is open. */
export function OpenIncidents() {
  const open = openIncidents.value;
  const error = incidentsError.value;
  return (
    <Card title="Open incidents" hint="the worst first">
      {error && <ErrorNote error={error} retry={askIncidents} />}
      {!open && !error && <Skeleton rows={2} />}
      {open?.length === 0 && <Empty>No incident is open.</Empty>}
      {open && open.length > 0 && <IncidentList incidents={open.slice(0, kRows)} testid="overview-incidents" />}
      {open && (
        <a class="more" href="/incidents">
          {open.length > kRows ? `All ${openCount.value} open` : 'All incidents'} ›
        </a>
      )}
    </Card>
  );
}
