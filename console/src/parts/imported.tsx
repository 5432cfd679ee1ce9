// What was put into the store, where it lies, and what it succeeds.
import { Alert, ClipboardCopy } from '@patternfly/react-core';

import { _, counted } from '../i18n';
import { linkTo } from '../route';
import type { ImportAnswer, Paths } from '../wire';

const directivesOf = ({ certificate, key, combined }: Paths): [string, string][] => [
  ['nginx', `ssl_certificate ${certificate}; ssl_certificate_key ${key};`],
  ['Apache', `SSLCertificateFile ${certificate}`],
  ['', `SSLCertificateKeyFile ${key}`],
  ['HAProxy', `bind :443 ssl crt ${combined}`],
];

export function Imported({ answer }: { answer: ImportAnswer }) {
  const { name = '', certificate, paths, succeeds = [], automatic = false, findings = [] } = answer;
  const fresh = certificate?.thumbprint ?? '';
  return (
    <>
      <Alert isInline variant="success" title={answer.imported ? _('$0 is in the store.', name) : _('The store has exactly this already.')} />
      {findings.map(({ sentence }) => <Alert key={sentence} isInline variant="warning" title={sentence} />)}
      {paths && (
        <>
          <p>{_('Sites name these files:')}</p>
          {directivesOf(paths).map(([server, text]) => (
            <div key={text} className="directive">
              <span>{server}</span>
              <ClipboardCopy isReadOnly isCode hoverTip={_('Copy')} clickTip={_('Copied')} textAriaLabel={server || 'Apache'}>{text}</ClipboardCopy>
            </div>
          ))}
        </>
      )}
      {succeeds.map(({ old, sites }) => (
        <Alert key={old} isInline variant="info" title={counted(sites.length, '1 site serves its predecessor.', '$0 sites serve its predecessor.')}
               actionLinks={automatic ? <a href={linkTo('rebind')}>{_('Look at the rebinds')}</a> : <a href={linkTo('rebind', { old, new: fresh })}>{_('Rebind')}</a>}>
          {automatic && <p>{_('The daemon rebinds it by itself.')}</p>}
          <p>{sites.join(', ')}</p>
        </Alert>
      ))}
    </>
  );
}
