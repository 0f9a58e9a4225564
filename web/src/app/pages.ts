import type { IconName } from '../parts/icons';

export interface PageEntry {
  href: string;
  icon: IconName;
  text: string;
  about: string;
  phone: boolean; // has a place in the tab bar; the others are behind More
}

/** The pages of the navigation, in its order. */
export const kPages: PageEntry[] = [
  { href: '/', icon: 'grid', text: 'Overview', about: 'The fleet in one sentence and one map', phone: true },
  { href: '/incidents', icon: 'incident', text: 'Incidents', about: 'What is wrong, why, and what to do next', phone: true },
  { href: '/cases', icon: 'case', text: 'Cases', about: 'Repairs: what is open, overdue and proven', phone: true },
  { href: '/why', icon: 'why', text: 'Why', about: 'What happened to a GPU, a host or a job, and what led to it', phone: false },
  { href: '/gpus', icon: 'list', text: 'GPUs', about: 'Every GPU, searched, filtered and sorted', phone: true },
  { href: '/events', icon: 'events', text: 'Events', about: 'What happened, newest first', phone: false },
  { href: '/trust', icon: 'trust', text: 'Trust', about: 'Can I trust this screen? Coverage, silence, contradictions', phone: false },
  { href: '/assets', icon: 'assets', text: 'Assets', about: 'What the inventory says of every GPU', phone: false },
  { href: '/maintenance', icon: 'wrench', text: 'Maintenance', about: 'Who works on what, and until when', phone: false },
  { href: '/quarantine', icon: 'refused', text: 'Quarantine', about: 'Values that were refused, and why', phone: false },
  { href: '/about', icon: 'about', text: 'About', about: 'Access, scoring, metrics', phone: false },
];
