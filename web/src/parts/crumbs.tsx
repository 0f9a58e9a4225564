import { query } from '../app/router';
import { crumbsOf, type Place, withKept } from '../lib/places';
import { windowOf } from '../lib/ranges';

/** The way down from the fleet; `here` is the page itself. */
export function Crumbs({ place, here }: { place: Place; here: string }) {
  const keep = windowOf(query.value);
  return (
    <nav class="crumbs" aria-label="Where this is">
      <ol>
        {crumbsOf(place).map((c) => (
          <li key={c.href}>
            <a href={c.href === '/' ? c.href : withKept(c.href, keep)}>{c.text}</a>
          </li>
        ))}
        <li aria-current="page">{here}</li>
      </ol>
    </nav>
  );
}
