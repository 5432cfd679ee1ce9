// A file of the user's own machine.
import { FormGroup, FormHelperText, HelperText, HelperTextItem } from '@patternfly/react-core';

export function FileField({ id, label, help, onFile }: { id: string; label: string; help?: string; onFile: (file: File | undefined) => void }) {
  return (
    <FormGroup label={label} fieldId={id}>
      <input type="file" id={id} onChange={(event) => onFile(event.currentTarget.files?.[0])} />
      {help && <FormHelperText><HelperText><HelperTextItem>{help}</HelperTextItem></HelperText></FormHelperText>}
    </FormGroup>
  );
}
