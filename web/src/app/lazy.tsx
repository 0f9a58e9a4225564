import type { ComponentType, VNode } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { Skeleton } from '../parts/states';

/** A page, or a part, that is fetched when it is first shown. A failed fetch says so; a new version of the server needs a reload. */
export function lazyPage<P extends object>(
  load: () => Promise<ComponentType<P>>,
  meanwhile: () => VNode = () => <Skeleton rows={8} />,
): ComponentType<P> {
  let known: ComponentType<P> | null = null;
  return function Lazy(props: P) {
    const [page, setPage] = useState<{ of: ComponentType<P> } | null>(known && { of: known });
    const [failed, setFailed] = useState(false);
    useEffect(() => {
      if (known) return;
      load().then(
        (loaded) => {
          known = loaded;
          setPage({ of: loaded });
        },
        () => setFailed(true),
      );
    }, []);
    if (failed)
      return (
        <p class="note note-error" role="alert">
          This page could not be loaded; the server may have a new version.{' '}
          <a href={location.pathname} target="_self">
            Reload
          </a>
        </p>
      );
    return page ? <page.of {...props} /> : meanwhile();
  };
}
