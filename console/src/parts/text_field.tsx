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
  secret?: boolean;
}

export function TextField({ id, label, value, onText, help, placeholder, disabled = false, secret = false }: Props) {
  return (
    <FormGroup label={label} fieldId={id}>
      <TextInput id={id} value={value} isDisabled={disabled} onChange={(_event, text) => onText(text)}
                 type={secret ? 'password' : 'text'} autoComplete={secret ? 'new-password' : 'off'} {...(placeholder && { placeholder })} />
      {help && <FormHelperText><HelperText><HelperTextItem>{help}</HelperTextItem></HelperText></FormHelperText>}
    </FormGroup>
  );
}
