// Light or dark, as chosen in Cockpit's frame around this page, or by the system.

const DARK = 'pf-v6-theme-dark';

function wantsDark(): boolean {
  const chosen = localStorage.getItem('shell:style') ?? 'auto';
  return chosen === 'dark' || (chosen === 'auto' && window.matchMedia('(prefers-color-scheme: dark)').matches);
}

/** Follows the choice from now on. */
export function followTheme(): void {
  const apply = () => document.documentElement.classList.toggle(DARK, wantsDark());
  window.addEventListener('storage', apply);
  window.addEventListener('cockpit-style', apply);
  window.matchMedia('(prefers-color-scheme: dark)').addEventListener('change', apply);
  apply();
}
