import { ActionIcon, FileButton, Tooltip } from '@mantine/core';
import { Icon } from '@/parts/Icon';

export interface Taken {
  name: string;
  /** The whole picture, as a `data:` address. */
  url: string;
}

interface Props {
  value: Taken | null;
  onChange: (picture: Taken | null) => void;
}

/** A picture, sent inside of the message. It goes nowhere but to the model. */
export function Picture({ value, onChange }: Props) {
  const read = (file: File | null) => {
    if (file === null) return;
    const reader = new FileReader();
    reader.onload = () => onChange({ name: file.name, url: String(reader.result) });
    reader.readAsDataURL(file);
  };
  if (value !== null) {
    return (
      <Tooltip label={`Leave ${value.name} out`}>
        <ActionIcon
          size={30}
          variant="light"
          color="teal"
          aria-label={`Leave ${value.name} out`}
          onClick={() => onChange(null)}
        >
          <Icon name="close" />
        </ActionIcon>
      </Tooltip>
    );
  }
  return (
    <FileButton accept="image/*" onChange={read}>
      {(props) => (
        <Tooltip label="Add a picture">
          <ActionIcon {...props} size={30} variant="default" aria-label="Add a picture">
            <Icon name="plus" />
          </ActionIcon>
        </Tooltip>
      )}
    </FileButton>
  );
}
