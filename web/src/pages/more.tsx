import { kPages } from '../app/pages';
import { Icon } from '../parts/icons';

/** On a phone: the pages that have no place in the tab bar. */
export function More() {
  return (
    <>
      <div class="story">
        <h1>More</h1>
      </div>
      <ul class="card more-list">
        {kPages
          .filter((p) => !p.phone)
          .map((p) => (
            <li key={p.href}>
              <a href={p.href}>
                <Icon name={p.icon} />
                <span>
                  <b class="more-name">{p.text}</b>
                  <span class="t2">{p.about}</span>
                </span>
              </a>
            </li>
          ))}
      </ul>
    </>
  );
}
