// A line of text, with what it is for.
import { FormGroup, FormHelperText, HelperText, HelperTextItem, TextInput } from '@patternfly/react-core';

interface Props {
  id: string;
  label: string;
  value: string;
  onText: (text: string) => void;
  help?: string | undefined;
  placeholder?: string;
  disabled?: boolean;
  secret?: boolean; // a password: React would write the value of a controlled field into the document
}

export function TextField({ id, label, value, onText, help, placeholder, disabled = false, secret = false }: Props) {
  return (
    <FormGroup label={label} fieldId={id}>
      <TextInput id={id} isDisabled={disabled} onChange={(_event, text) => onText(text)} {...(placeholder && { placeholder })}
                 {...(secret ? { type: 'password', autoComplete: 'new-password' } : { type: 'text', autoComplete: 'off', value })} />
      {help && <FormHelperText><HelperText><HelperTextItem>{help}</HelperTextItem></HelperText></FormHelperText>}
    </FormGroup>
  );
}
