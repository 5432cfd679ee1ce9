// The page in Cockpit.
import '@patternfly/react-core/dist/styles/base.css';
import './page.css';

import { cockpitTransport } from './cockpit_transport';
import { start } from './start';

start(cockpitTransport);
