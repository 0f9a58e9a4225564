import { useEffect } from 'preact/hooks';
import { summary, wantTopics } from '../app/live';
import { FleetCard } from '../parts/fleet_card';
import { KeyFigures } from '../parts/key_figures';
import { LookFirst } from '../parts/look_first';
import { ScoreSpread } from '../parts/score_spread';
import { Skeleton } from '../parts/states';

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
      <div class="story">
        <h1 data-testid="headline">{fleet.headline}</h1>
        {fleet.headline_detail && <p>{fleet.headline_detail}</p>}
      </div>
      <KeyFigures fleet={fleet} />
      <div class="grid overview">
        <FleetCard fleet={fleet} />
        <LookFirst fleet={fleet} />
        <ScoreSpread fleet={fleet} />
      </div>
    </>
  );
}
