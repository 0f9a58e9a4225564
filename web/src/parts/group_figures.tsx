import type { GroupHealth } from '../api';
import { now } from '../app/live';
import { ago, count, kDash, number, score, sentence } from '../lib/format';
import { gpuHref } from '../lib/places';

interface Figure {
  label: string;
  value: string;
  fact: string;
  more?: string | null;
  href?: string;
}

function Tile({ label, value, fact, more, href }: Figure) {
  const words = (
    <>
      <span class="l">{label}</span>
      <span class="v">{value}</span>
      <span class="n">{fact}</span>
      {more && <span class="n wrapped">{sentence(more)}</span>}
    </>
  );
  if (!href) return <div class="kpi plain-kpi">{words}</div>;
  return (
    <a class="kpi" href={href}>
      {words}
    </a>
  );
}

function indexOf({ index, rest }: GroupHealth): Figure {
  const fact = rest.index === null ? 'no other board of these models' : `${number(rest.index, 1)} elsewhere, same models`;
  return { label: 'Index', value: number(index, 1), fact };
}

function lowestOf({ lowest }: GroupHealth): Figure {
  if (!lowest) return { label: 'Lowest', value: kDash, fact: 'no score yet' };
  return { label: 'Lowest', value: score(lowest.score), fact: lowest.name, more: lowest.top_finding, href: gpuHref(lowest.id) };
}

// Who moved it and since when: a fall of today first, else the one that fell most in a week.
function movedOf({ fell, moved_by: moved }: GroupHealth): Figure {
  if (fell)
    return {
      label: 'Moved in 24 h',
      value: number(fell.to - fell.from, 1),
      fact: `since ${ago(fell.since, now.value)}, mostly by ${fell.by.name}`,
      more: `from ${score(fell.by.from)} to ${score(fell.by.to)}`,
      href: gpuHref(fell.by.id),
    };
  const label = 'Fell most in 7 days';
  if (!moved?.trend_7d) return { label, value: kDash, fact: 'nobody, or not known for so long' };
  const since = moved.since ? `, since ${ago(moved.since, now.value)}` : '';
  return { label, value: number(moved.trend_7d, 1), fact: moved.name + since, more: moved.top_finding, href: gpuHref(moved.id) };
}

/** A group's score, who holds it down, and who moved it since when. */
export function GroupFigures({ group }: { group: GroupHealth }) {
  const { gpus, silent, below_70: below } = group;
  const figures: Figure[] = [
    indexOf(group),
    lowestOf(group),
    movedOf(group),
    { label: 'Below 70', value: number(below), fact: `of ${count(gpus, 'GPU')}` },
    { label: 'Silent', value: number(silent), fact: silent === 0 ? 'all report' : 'their last values are shown' },
  ];
  return (
    <section class="kpis of-place" aria-label="Key figures">
      {figures.map((f) => (
        <Tile key={f.label} {...f} />
      ))}
    </section>
  );
}

/** What of the fleet's story this group has a part in, and the way to where it stands. */
export function GroupStory({ group }: { group: GroupHealth }) {
  const [first] = group.clusters;
  if (!first) return null;
  const here = first.id === group.id;
  return (
    <p class="place-story" data-testid="group-story">
      {here || !first.evidence ? (
        first.text
      ) : (
        <a class="link" href={first.evidence}>
          {first.text}
        </a>
      )}
    </p>
  );
}
