import { describe, expect, it } from 'vitest';
import { crumbsOf, decoded, gpuHref, hostHref, incidentsHref, rackHref, siteHref, withKept } from './places';

describe('addresses', () => {
  it('keep strange names apart from the path', () => {
    expect(hostHref('a/b c')).toBe('/hosts/a%2Fb%20c');
    expect(decoded('a%2Fb%20c')).toBe('a/b c');
    expect(decoded('100%')).toBe('100%');
    expect(rackHref('r1', 'fra1')).toBe('/racks/r1?site=fra1');
    expect(rackHref('r1')).toBe('/racks/r1');
    expect(siteHref('fra1')).toBe('/sites/fra1');
    expect(gpuHref('S1', 'events')).toBe('/gpus/S1?tab=events');
    expect(incidentsHref('rack', 'r 1')).toBe('/incidents?rack=r+1');
    expect(incidentsHref('host', 'a&b')).toBe('/incidents?host=a%26b');
  });
  it('go along with the window, and their own words win', () => {
    const keep = new URLSearchParams('from=-12h&to=now');
    expect(withKept('/gpus/S1?tab=signals&from=-1h', keep)).toBe('/gpus/S1?tab=signals&from=-1h&to=now');
    expect(withKept('/hosts/h', new URLSearchParams())).toBe('/hosts/h');
  });
});

describe('the way down', () => {
  it('leaves out what nobody named', () => {
    expect(crumbsOf({ datacenter: 'fra1', rack: 'r1', host: 'h1' }).map((c) => c.href)).toEqual([
      '/',
      '/sites/fra1',
      '/racks/r1?site=fra1',
      '/hosts/h1',
    ]);
    expect(crumbsOf({ datacenter: null, rack: '', host: 'h1' }).map((c) => c.text)).toEqual(['Fleet', 'h1']);
  });
});
