// What a rebind would do to one server: preflight's sentences, the steps and the difference.
import { Alert, CodeBlock, CodeBlockCode, Content, ExpandableSection } from '@patternfly/react-core';

import { _, counted } from '../i18n';
import type { Plan } from '../wire';
import { inFormWords, type Fields } from './form_words';
import { Thumbprint } from './thumbprint';

const SEVERITIES: Record<string, 'info' | 'warning' | 'danger'> = { note: 'info', warning: 'warning', refused: 'danger' };

export function PlanOf({ plan, fields }: { plan: Plan; fields: Fields }) {
  return (
    <article aria-label={plan.service}>
      <h3>{plan.service}</h3>
      {plan.findings.map(({ severity, sentence, next }) => (
        <Alert key={sentence} isInline variant={SEVERITIES[severity] ?? 'info'} title={sentence}>{next && _('Next: $0', inFormWords(next, fields))}</Alert>
      ))}
      <ul className="last">
        {plan.bindings.map(({ site, kind, old, new: fresh, file, line }) => (
          <li key={`${site} ${file}:${line}`}><strong>{site}</strong> ({kind}): <Thumbprint of={old} /> → <Thumbprint of={fresh} /></li>
        ))}
      </ul>
      <Content component="ol">{plan.steps.map((step) => <Content component="li" key={step}>{step}</Content>)}</Content>
      {plan.not_proven.map((one) => <p key={one}>{_('No handshake can prove: $0', one)}</p>)}
      {plan.files.length > 0 && (
        <ExpandableSection toggleText={counted(plan.files.length, '1 file changes', '$0 files change')}>
          {plan.files.map(({ path, what, diff }) => (
            <div key={path}><p><code>{path}</code>: {what}</p>{diff && <CodeBlock><CodeBlockCode>{diff}</CodeBlockCode></CodeBlock>}</div>
          ))}
        </ExpandableSection>
      )}
    </article>
  );
}
