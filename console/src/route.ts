// Where the reader is: #/VIEW?key=value. Cockpit keeps it in the browser's address, so that back, forward and links work.
import { useSyncExternalStore } from 'react';

export const VIEWS = ['overview', 'certificates', 'bindings', 'rebind', 'events', 'tasks'] as const;
export type View = (typeof VIEWS)[number];

export interface Route {
  view: View;
  values: URLSearchParams;
}

function routeOf(hash: string): Route {
  const [path = '', query = ''] = hash.replace(/^#\/?/, '').split('?');
  return { view: VIEWS.find((view) => view === path) ?? 'overview', values: new URLSearchParams(query) };
}

const subscribe = (listener: () => void) => {
  window.addEventListener('hashchange', listener);
  return () => window.removeEventListener('hashchange', listener);
};

export function useRoute(): Route {
  return routeOf(useSyncExternalStore(subscribe, () => window.location.hash));
}

export function linkTo(view: View, values: Record<string, string> = {}): string {
  const query = new URLSearchParams(values).toString();
  return `#/${view}${query && `?${query}`}`;
}

export function goTo(view: View, values: Record<string, string> = {}): void {
  window.location.hash = linkTo(view, values);
}

/** Changes the values of the view at hand, without a step for the browser's "back". */
export function keepValues(route: Route, more: Record<string, string>): void {
  const values = { ...Object.fromEntries(route.values), ...more };
  for (const [key, value] of Object.entries(values)) if (value === '') delete values[key];
  window.history.replaceState(null, '', linkTo(route.view, values));
  window.dispatchEvent(new HashChangeEvent('hashchange'));
}
