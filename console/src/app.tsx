// The frame of the page: its views, and what is true for all of them.
import { Alert, Nav, NavItem, NavList, Page, PageSection } from '@patternfly/react-core';

import { useAdministrator } from './host';
import { _ } from './i18n';
import { linkTo, useRoute, VIEWS, type View } from './route';
import { Bindings } from './views/bindings';
import { Certificates } from './views/certificates';
import { Events } from './views/events';
import { Overview } from './views/overview';
import { Rebind } from './views/rebind';
import { Tasks } from './views/tasks';

const SHOWN: Record<View, () => React.JSX.Element> = {
  overview: Overview, certificates: Certificates, bindings: Bindings, rebind: Rebind, events: Events, tasks: Tasks,
};

export function App() {
  const { view } = useRoute();
  const administrator = useAdministrator();
  const title: Record<View, string> = {
    overview: _('Overview'), certificates: _('Server Certificates'), bindings: _('Bindings'),
    rebind: _('Rebind'), events: _('Events'), tasks: _('Tasks'),
  };
  const Shown = SHOWN[view];
  return (
    <Page isContentFilled className="pf-m-no-sidebar">
      <PageSection type="subnav" hasBodyWrapper={false}>
        <Nav variant="horizontal-subnav" aria-label={_('Views')}>
          <NavList>
            {VIEWS.map((each) => <NavItem key={each} itemId={each} to={linkTo(each)} isActive={each === view}>{title[each]}</NavItem>)}
          </NavList>
        </Nav>
      </PageSection>
      <PageSection hasBodyWrapper={false} isFilled className="view">
        <h1 className="pf-v6-screen-reader">{title[view]}</h1>
        {administrator === false && (
          <Alert isInline variant="warning" title={_('Limited access: servers, keys and the log of others are not visible.')}>
            {_('Next: turn on administrative access with the button at the top of Cockpit.')}
          </Alert>
        )}
        <Shown key={view} />
      </PageSection>
    </Page>
  );
}
