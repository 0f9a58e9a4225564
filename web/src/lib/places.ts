// Addresses of the fleet's places, and the way down to one: fleet, site, rack, host, GPU.

export interface Place {
  datacenter?: string | null;
  rack?: string | null;
  host?: string | null;
}

const segment = encodeURIComponent;

export const siteHref = (site: string) => `/sites/${segment(site)}`;
/** Racks of two sites may have one name; the site in the address keeps them apart. */
export const rackHref = (rack: string, site?: string | null) => `/racks/${segment(rack)}${site ? `?site=${segment(site)}` : ''}`;
export const hostHref = (host: string) => `/hosts/${segment(host)}`;
export const gpuHref = (id: string, tab?: string) => `/gpus/${segment(id)}${tab ? `?tab=${tab}` : ''}`;
export const incidentHref = (id: string) => `/incidents/${segment(id)}`;
export const caseHref = (id: string) => `/cases/${segment(id)}`;
/** Where a case about an incident, a board or a host is opened. */
export const caseOfIncident = (id: string) => `/cases/new?incident=${segment(id)}`;
export const newCaseHref = (what: 'gpu' | 'host', name: string) => `/cases/new?${what}=${segment(name)}`;

/** The list of incidents of a host or a rack. */
export const incidentsHref = (kind: 'host' | 'rack', name: string) => `/incidents?${new URLSearchParams({ [kind]: name })}`;

export interface Crumb {
  text: string;
  href: string;
}

/** The way from the fleet down to `place`, which itself is the last; levels that nobody named are left out. */
export function crumbsOf(place: Place): Crumb[] {
  const { datacenter, rack, host } = place;
  const crumbs: Crumb[] = [{ text: 'Fleet', href: '/' }];
  if (datacenter) crumbs.push({ text: datacenter, href: siteHref(datacenter) });
  if (rack) crumbs.push({ text: rack, href: rackHref(rack, datacenter ?? null) });
  if (host) crumbs.push({ text: host, href: hostHref(host) });
  return crumbs;
}

/** A segment of the path as it was before it was encoded; one that is not encoded rightly stays as it is. */
export function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** The address with `keep` (such as "from=-12h") added to what it asks for; what it says itself wins. */
export function withKept(href: string, keep: URLSearchParams): string {
  const [path = '', own = ''] = href.split('?');
  const all = new URLSearchParams(own);
  for (const [name, value] of keep) if (!all.has(name)) all.set(name, value);
  const text = all.toString();
  return text ? `${path}?${text}` : path;
}
