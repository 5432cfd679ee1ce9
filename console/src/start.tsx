// Shows the page of one host.
import { createRoot } from 'react-dom/client';

import { App } from './app';
import { HostProvider } from './host';
import { followTheme } from './theme';
import type { Transport } from './transport';

export function start(transport: Transport): void {
  followTheme();
  createRoot(document.getElementById('app')!).render(<HostProvider transport={transport}><App /></HostProvider>);
}
