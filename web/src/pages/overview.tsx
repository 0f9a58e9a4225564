import { useEffect } from 'preact/hooks';
import { summary, wantTopics } from '../app/live';
import { FleetCard } from '../parts/fleet_card';
import { KeyFigures } from '../parts/key_figures';
import { LookFirst } from '../parts/look_first';
import { OpenIncidents } from '../parts/open_incidents';
import { ScoreSpread } from '../parts/score_spread';
import { Skeleton } from '../parts/states';
import { Story } from '../parts/story';

const kTopics = ['cells'];

export function Overview() {
  useEffect(() => {
    wantTopics(kTopics);
    return () => wantTopics([]);
  }, []);
  const fleet = summary.value;
  if (!fleet) return <Skeleton rows={8} />;
  return (
    <>
      <Story fleet={fleet} />
      <KeyFigures fleet={fleet} />
      <div class="grid overview">
        <FleetCard fleet={fleet} />
        <div class="look">
          <OpenIncidents />
          <LookFirst fleet={fleet} />
        </div>
        <ScoreSpread fleet={fleet} />
      </div>
    </>
  );
}
