// What is shown while an answer is on its way, or if it failed.
import { Bullseye, Spinner } from '@patternfly/react-core';
import type { ReactNode } from 'react';

import type { Asked } from '../host';
import { _ } from '../i18n';
import { Failure } from './failure';
import type { Fields } from './form_words';

export function Loaded<T>({ asked, fields = {}, children }: { asked: Asked<T>; fields?: Fields; children: (answer: T) => ReactNode }) {
  if (asked.answer !== undefined) return <>{children(asked.answer)}</>;
  if (asked.failure) return <Failure failure={asked.failure} fields={fields} />;
  return <Bullseye><Spinner aria-label={_('Looking at the servers')} /></Bullseye>;
}
